/**
 * A device process of a simulation: the device's own link maker and sessions, which dials until it is online.
 *
 * @module
 */

import type { Connection } from "../../../net/socket.ts";
import { createIdentity } from "../../../net/tls/identity.ts";
import { deviceSettings, type V2DeviceOptions } from "../../../device/options.ts";
import { V2LinkMaker } from "../../../device/v2/link_maker.ts";
import type { V2Session } from "../../../device/v2/session.ts";
import type { Random } from "../random.ts";
import { greetServer } from "./greeting.ts";
import { type Internet, transportOf } from "./internet.ts";
import type { Plan } from "./plan.ts";
import { sessionNumber } from "./server_side.ts";
import type { Time } from "./time.ts";

/** Longest pause before a dial, in milliseconds. */
const PAUSE_MS = 300;

/** Whose it is does not matter: the handshakes of a simulation have keys of their own. */
const identity = await createIdentity();

/** What a device process tells, and is asked. */
export interface DeviceEvents {
  /** A fresh session began. */
  onSession(id: number, session: V2Session): void;
  /** Connects to the service of that number, unless its client goes first. */
  dialService(service: number, signal: AbortSignal): Promise<Connection>;
  /** What was done for a client of the service of that number is over. */
  onClientEnd(service: number): void;
  /** Something for the trace. */
  onEvent(line: string): void;
}

/** The life of one device process. */
export class DeviceSide {
  /** The session that there is, or was last. */
  session: V2Session | undefined;
  /** Whether it has died. */
  dead = false;
  /** Breaks the rule that nothing of the old link is applied once its position was said: a test of the simulation. */
  noFence = false;
  readonly #time: Time;
  readonly #random: Random;
  readonly #events: DeviceEvents;
  readonly #maker: V2LinkMaker;
  readonly #stop = new AbortController();
  #dials = 0;
  #move: () => void = () => {};

  /** A process that dials when it is told to {@linkcode DeviceSide.run}; `instance` tells it from all others. */
  constructor(time: Time, random: Random, plan: Plan, internet: Internet, instance: number, events: DeviceEvents) {
    this.#time = time;
    this.#random = random;
    this.#events = events;
    const knowsNothing = plan.losesClock && instance > 1;
    const clock = knowsNothing ? { ...time.clock, wall: () => time.now } : time.clock;
    const options: V2DeviceOptions = {
      profile: "v2",
      server: { host: "192.0.2.1", port: 7443 },
      security: "plain",
      identity,
      serverKey: identity.publicKey,
      services: plan.users.map((_, at) => ({ name: `s${at}`, localAddress: { host: "192.0.2.2", port: 1 + at } })),
      expiration: plan.expiration.device,
      clock,
    };
    this.#maker = new V2LinkMaker(options, deviceSettings(options), (event) => {
      if (event.type === "channel-end") events.onClientEnd(Number(event.service.slice(1)));
    }, {
      dial: async (_targets, _clock, _timeout, signal) => {
        const end = await internet.dial();
        if (!signal.aborted) return { transport: transportOf(end, "server"), index: 0 };
        end.close();
        throw signal.reason;
      },
      greet: (duplex, { nextEpoch, ...party }) =>
        greetServer(duplex, plan.epochs.device && nextEpoch ? { ...party, nextEpoch } : party),
      reach: ({ name }) => ({
        connect: (_client, _timeout, signal) => events.dialService(Number(name.slice(1)), signal),
        close: () => {},
      }),
      randomBytes: (count) => new Uint8Array(count).fill(count === 16 ? instance : ++this.#dials),
      windowBound: plan.bound,
    });
    this.#maker.start();
  }

  /** Dials, and again for ever. */
  async run(): Promise<void> {
    while (!this.dead) {
      try {
        const session = await this.#link();
        const moved = new Promise<void>((resolve) => this.#move = resolve);
        await Promise.race([session.down, moved]);
        if (session.done) this.#maker.lost();
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
    this.#stop.abort(new Error("the device is closed"));
    this.session?.close("shutting-down");
    this.#maker.close();
    this.#move();
  }

  async #link(): Promise<V2Session> {
    const { link, resumed } = await this.#maker.make(this.#stop.signal, () => {});
    const session = link as V2Session;
    if (resumed) {
      this.#events.onEvent(`device resumed ${resumed.replayed}`);
      return session;
    }
    this.session = session;
    if (this.noFence) session.links.fence = () => session.state.received;
    this.#events.onSession(sessionNumber(session.id), session);
    session.over.then(({ reason }) => this.#events.onEvent(`device lost ${reason}`));
    return session;
  }
}
