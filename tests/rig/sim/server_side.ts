/**
 * A server process of a simulation: the server's own sessions, behind a door that admits one device.
 *
 * @module
 */

import { goodbye, goodbyeFrame } from "../../../protocol/v2/wire/goodbye.ts";
import { V2_MAX_CHANNELS } from "../../../protocol/limits.ts";
import { WindowBudget } from "../../../protocol/v2/receive_windows.ts";
import { LogBudget } from "../../../protocol/v2/send/send_log.ts";
import { HandshakeError, welcomeFrame } from "../../../protocol/v2/wire/handshake.ts";
import { closeQuietly } from "../../../net/close_quietly.ts";
import { HANDSHAKE_TIMEOUT_MS } from "../../../net/limits.ts";
import { DeviceSession } from "../../../server/v2/device_session.ts";
import { serverSettings } from "../../../server/options.ts";
import type { V2LinkSession } from "../../../server/v2/link_session.ts";
import type { End } from "./connection.ts";
import { greetDevice, writeAll } from "./greeting.ts";
import { transportOf } from "./internet.ts";
import type { Plan } from "./plan.ts";
import type { Time } from "./time.ts";

const LOG_BOUND = 256 * 1024 * 1024;

/** What a server process tells. */
export interface ServerEvents {
  /** A fresh session began. */
  onSession(id: number, session: V2LinkSession): void;
  /** Something for the trace. */
  onEvent(line: string): void;
}

/** The life of one server process. */
export class ServerSide {
  /** What it grants. */
  readonly budget: WindowBudget;
  /** What it keeps. */
  readonly logBudget = new LogBudget(LOG_BOUND);
  /** The device, as the server sees it. */
  readonly device: DeviceSession;
  /** Whether it has died. */
  dead = false;
  /** Breaks the rule that a link that came before the one that is up is refused: a test of the simulation. */
  takesLateLinks = false;
  readonly #time: Time;
  readonly #plan: Plan;
  readonly #events: ServerEvents;
  readonly #nextId: () => number;
  readonly #greeting = new Set<End>();
  #newest = 0;

  /** A process without a link. `nextId`: a number for a session that no other has, of this process or another. */
  constructor(time: Time, plan: Plan, nextId: () => number, events: ServerEvents) {
    this.#time = time;
    this.#plan = plan;
    this.#nextId = nextId;
    this.#events = events;
    this.budget = new WindowBudget(plan.bound);
    this.device = new DeviceSession({
      device: { name: "gw1", key: "key", services: [], disabled: false },
      settings: serverSettings({ listen: [], clock: time.clock, expiration: plan.expiration.server }),
      budget: this.budget,
      logBudget: this.logBudget,
      kept: () => ({ get: () => undefined, set: () => {}, isReserved: () => false }),
      emit: (event) => events.onEvent(`server ${event.type}${"reason" in event ? ` ${event.reason}` : ""}`),
    });
  }

  /** A link came: the handshake, and what `DeviceRegistry.admit` does with who proved its key. */
  async accept(end: End): Promise<void> {
    if (this.dead) return closeQuietly(end);
    const cancel = this.#time.after(HANDSHAKE_TIMEOUT_MS, () => closeQuietly(end));
    this.#greeting.add(end);
    try {
      await this.#admit(end);
    } catch (error) {
      if (error instanceof HandshakeError) await writeAll(end, goodbyeFrame(error.goodbye)).catch(() => {});
      closeQuietly(end);
    } finally {
      cancel();
      this.#greeting.delete(end);
    }
  }

  /** Dies: all its sockets close. */
  close(): void {
    this.dead = true;
    for (const end of this.#greeting) closeQuietly(end);
    this.device.close(goodbye("shutting-down", "the server is shutting down"));
  }

  async #admit(end: End): Promise<void> {
    const { device } = this;
    const number = this.#nextId();
    const { device: peer, rest } = await greetDevice(end, number);
    this.#refuseLate(number);
    this.#newest = number;
    const transport = transportOf(end, "device", !this.#plan.nagle);
    const refused = device.refuse(peer, transport.remote);
    if (refused) throw new HandshakeError(refused);
    const resumed = peer.resume && device.fence(peer.resume);
    const goesOn = typeof resumed === "object";
    const id = sessionId(number);
    await writeAll(
      end,
      welcomeFrame({
        session: goesOn ? resumed.link.id : id,
        name: "gw1",
        maxChannels: V2_MAX_CHANNELS,
        remote: "device",
        expiration: device.expirationFor(peer),
        resumed: goesOn ? resumed.position : resumed,
      }),
    );
    this.#refuseLate(number); // another may have come while WELCOME was written
    if (this.dead) throw new HandshakeError(goodbye("shutting-down", "the server is shutting down"));
    if (!goesOn) {
      device.start(transport, peer, rest, id);
      if (device.link) this.#events.onSession(number, device.link);
      return;
    }
    if (!device.resume(transport, rest, resumed)) {
      throw new HandshakeError(goodbye("replaced", "the session ended, or went on over another link"));
    }
  }

  /** The network may bring the last words of a link that its device gave up long ago, after those of the next. */
  #refuseLate(number: number): void {
    if (number >= this.#newest || this.takesLateLinks) return;
    throw new HandshakeError(goodbye("replaced", "a newer link of the device came first"));
  }
}

/** The name of a session on the wire. */
function sessionId(number: number): Uint8Array {
  const id = new Uint8Array(16);
  new DataView(id.buffer).setUint32(12, number);
  return id;
}

/** The number that is in it. */
export function sessionNumber(id: Uint8Array): number {
  return new DataView(id.buffer, id.byteOffset).getUint32(12);
}
