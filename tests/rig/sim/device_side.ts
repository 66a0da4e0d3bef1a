/**
 * A device process of a simulation: it dials until it is online, and goes on with its session when a link is lost.
 *
 * @module
 */

import { SendLog } from "../../../protocol/v2/send/send_log.ts";
import { V2_MAX_CHANNELS } from "../../../protocol/limits.ts";
import { WindowBudget } from "../../../protocol/v2/receive_windows.ts";
import type { V2Channel } from "../../../protocol/v2/channel.ts";
import { V2DeviceLink } from "../../../protocol/v2/device_link.ts";
import { ChannelPump } from "../../../relay/channel_pump.ts";
import { closeQuietly } from "../../../net/close_quietly.ts";
import { HANDSHAKE_TIMEOUT_MS, LINK_WRITE_TIMEOUT_MS, STALL_TIMEOUT_MS } from "../../../net/limits.ts";
import type { LinkEnd } from "../../../relay/link/end.ts";
import { SessionLinks } from "../../../relay/session_links.ts";
import { V2_KEEP_ALIVE } from "../../../protocol/keep_alive.ts";
import type { Random } from "../random.ts";
import type { End } from "./connection.ts";
import { greetServer } from "./greeting.ts";
import { type Internet, transportOf } from "./internet.ts";
import type { Plan } from "./plan.ts";
import { sessionNumber } from "./server_side.ts";
import type { Time } from "./time.ts";

/** Longest pause before a dial, in milliseconds. */
const PAUSE_MS = 300;

/** What a device process tells, and is asked. */
export interface DeviceEvents {
  /** A fresh session began. */
  onSession(id: number, session: SimulatedSession): void;
  /** A client came for the service of that number: {@linkcode SimulatedSession.serve} it, or not. */
  onOpen(session: SimulatedSession, channel: V2Channel, service: number): void;
  /** Something for the trace. */
  onEvent(line: string): void;
}

/** A session on the device, as `device/v2/link_session.ts` has it, with services that are simulated. */
export class SimulatedSession {
  /** The channels. */
  readonly link: V2DeviceLink;
  /** The links. */
  readonly links: SessionLinks;
  /** What it keeps. */
  readonly log = new SendLog();
  /** What it grants. */
  readonly budget: WindowBudget;
  /** Its name, as the server said. */
  readonly id: Uint8Array;
  readonly #time: Time;
  readonly #pumps = new Set<ChannelPump>();

  /** A session whose first link is to be attached. */
  constructor(time: Time, plan: Plan, id: Uint8Array, expiration: number, onOpen: DeviceEvents["onOpen"]) {
    this.#time = time;
    this.id = id;
    this.budget = new WindowBudget(plan.bound);
    this.link = new V2DeviceLink(
      { now: () => time.now, wallClock: () => 0, budget: this.budget, log: expiration > 0 ? this.log : undefined },
      V2_MAX_CHANNELS,
      {
        onOpen: (channel, { service }) => onOpen(this, channel, service),
        onGrants: () => {},
        onGoodbye: ({ code }) => this.links.close("goodbye", code),
        onSettings: () => {},
      },
    );
    this.links = new SessionLinks({
      session: this.link,
      clock: time.clock,
      writeTimeout: LINK_WRITE_TIMEOUT_MS,
      keepAlive: V2_KEEP_ALIVE,
      expiration,
      onInterrupted: () => {},
    });
  }

  /** Joins a channel with a connection to its service, once that is there. */
  pump(channel: V2Channel): ChannelPump {
    const pump = new ChannelPump({
      channel,
      driver: this.links,
      clock: this.#time.clock,
      end: "service",
      stallTimeout: STALL_TIMEOUT_MS,
      tcpKeepAlive: -1,
      halfCloseTimeout: 0,
    });
    this.#pumps.add(pump);
    pump.done.then(() => this.#pumps.delete(pump));
    return pump;
  }

  /** Its process dies. */
  die(): void {
    this.links.close("shutting-down");
    for (const pump of this.#pumps) pump.abort("shutting-down");
  }
}

/** The life of one device process. */
export class DeviceSide {
  /** The session that there is, or was last. */
  session: SimulatedSession | undefined;
  /** Whether it has died. */
  dead = false;
  /** Breaks the rule that nothing of the old link is applied once its position was said: a test of the simulation. */
  noFence = false;
  readonly #time: Time;
  readonly #random: Random;
  readonly #plan: Plan;
  readonly #internet: Internet;
  readonly #instance: number;
  readonly #events: DeviceEvents;
  #dials = 0;
  #dialling: End | undefined;
  #move: () => void = () => {};

  /** A process that dials when it is told to {@linkcode DeviceSide.run}. */
  constructor(time: Time, random: Random, plan: Plan, internet: Internet, instance: number, events: DeviceEvents) {
    this.#time = time;
    this.#random = random;
    this.#plan = plan;
    this.#internet = internet;
    this.#instance = instance;
    this.#events = events;
  }

  /** Dials, and again for ever. */
  async run(): Promise<void> {
    while (!this.dead) {
      try {
        const session = await this.#link();
        const moved = new Promise<void>((resolve) => this.#move = resolve);
        await Promise.race([session.links.linkDown, moved]);
      } catch {
        // No link came about: again, soon.
      }
      if (!this.dead) await this.#time.sleep(this.#random.upTo(PAUSE_MS));
    }
  }

  /** Goes to another link though this one may work. */
  move(): void {
    this.#move();
  }

  /** Dies: all its sockets close. */
  close(): void {
    this.dead = true;
    closeQuietly(this.#dialling);
    this.session?.die();
    this.#move();
  }

  async #link(): Promise<SimulatedSession> {
    const end = await this.#internet.dial();
    if (this.dead) throw closed(end);
    this.#dialling = end;
    const cancel = this.#time.after(HANDSHAKE_TIMEOUT_MS, () => closeQuietly(end));
    try {
      return await this.#greet(end);
    } catch (error) {
      closeQuietly(end);
      throw error;
    } finally {
      cancel();
      this.#dialling = undefined;
    }
  }

  async #greet(end: End): Promise<SimulatedSession> {
    const { welcome, rest } = await greetServer(end, {
      nonce: ++this.#dials,
      instance: this.#instance,
      resume: () => {
        const { session } = this;
        if (!session || session.links.done || session.links.expiration === 0) return undefined;
        return { session: session.id, received: this.noFence ? session.link.received : session.links.fence() };
      },
    });
    if (this.dead) throw closed(end);
    const transport = transportOf(end, "server");
    const { session } = this;
    if (typeof welcome.resumed === "number") {
      if (!session || session.links.done) throw new Error("the session ended while it was being resumed");
      try {
        const replayed = session.links.attach(transport, rest, welcome.resumed);
        this.#events.onEvent(`device resumed ${replayed}`);
      } catch (error) {
        session.links.close("protocol-error", String(error));
        throw error;
      }
      return session;
    }
    session?.links.close("not-resumed");
    const expiration = Math.min(this.#plan.expiration.device, welcome.expiration ?? 0);
    const fresh = new SimulatedSession(this.#time, this.#plan, welcome.session, expiration, this.#events.onOpen);
    this.session = fresh;
    this.#events.onSession(sessionNumber(welcome.session), fresh);
    fresh.links.over.then(({ reason }: LinkEnd) => this.#events.onEvent(`device lost ${reason}`));
    fresh.links.attach(transport, rest);
    return fresh;
  }
}

function closed(end: End): Error {
  closeQuietly(end);
  return new Error("the device is closed");
}
