/**
 * A server process of a simulation: the server's own registry and sessions, with one device.
 *
 * @module
 */

import { HANDSHAKE_TIMEOUT_MS } from "../../../net/limits.ts";
import { within } from "../../../base/within.ts";
import { goodbyeFrame } from "../../../protocol/v2/wire/goodbye.ts";
import { WindowBudget } from "../../../protocol/v2/receive_windows.ts";
import { SharedBound } from "../../../protocol/v2/send/shared_bound.ts";
import { CAN_RESUME, HandshakeError } from "../../../protocol/v2/wire/handshake.ts";
import { formatPublicKey } from "../../../net/tls/identity.ts";
import { DeviceRegistry } from "../../../server/v2/device_registry.ts";
import { serverSettings } from "../../../server/options.ts";
import type { V2Session } from "../../../server/v2/session.ts";
import type { End } from "./connection.ts";
import { Directory } from "../v2/directory.ts";
import { DEVICE, greetDevice } from "./greeting.ts";
import { writeAll } from "../../../relay/handshake.ts";
import { transportOf } from "./internet.ts";
import type { Plan } from "./plan.ts";
import type { Time } from "./time.ts";

const LOG_BOUND = 256 * 1024 * 1024;

/** What a server process tells. */
export interface ServerEvents {
  /** A fresh session began. */
  onSession(id: number, session: V2Session): void;
  /** Something for the trace. */
  onEvent(line: string): void;
}

/** The life of one server process. */
export class ServerSide {
  /** What it grants. */
  readonly budget: WindowBudget;
  /** What it keeps. */
  readonly logBudget = new SharedBound(LOG_BOUND);
  /** Whether it has died. */
  dead = false;
  /** Breaks the rule that the order of connections says which is newer: a test of the simulation. */
  takesLateLinks = false;
  readonly #time: Time;
  readonly #plan: Plan;
  readonly #events: ServerEvents;
  readonly #nextNumber: () => number;
  readonly #registry: DeviceRegistry;
  readonly #greeting = new Set<End>();
  #told: V2Session | undefined;

  /** A process without a link. `nextNumber`: one that no session or nonce has, of this process or another. */
  constructor(time: Time, plan: Plan, nextNumber: () => number, events: ServerEvents) {
    this.#time = time;
    this.#plan = plan;
    this.#nextNumber = nextNumber;
    this.#events = events;
    this.budget = new WindowBudget(plan.bound);
    const devices = new Directory();
    devices.put({ name: "gw1", key: formatPublicKey(DEVICE.publicKey), services: [], disabled: false });
    this.#registry = new DeviceRegistry(
      { devices },
      serverSettings({ listen: [], clock: time.clock, expiration: plan.expiration.server }),
      (event) => {
        this.#tellOfSession();
        events.onEvent(`server ${event.type}${"reason" in event ? ` ${event.reason}` : ""}`);
      },
      { budget: this.budget, logBudget: this.logBudget, newId: () => sessionId(nextNumber()) },
    );
  }

  /** The session of the device, if it has one. */
  get session(): V2Session | undefined {
    return this.#registry.session("gw1")?.link;
  }

  /** A link came: the handshake, and then the registry has its say. */
  async accept(end: End): Promise<void> {
    if (this.dead) return end.close();
    this.#greeting.add(end);
    try {
      await within(this.#time.clock, HANDSHAKE_TIMEOUT_MS, () => end.close(), () => this.#admit(end));
    } catch (error) {
      if (error instanceof HandshakeError) await writeAll(end, goodbyeFrame(error.goodbye)).catch(() => {});
      end.close();
    } finally {
      this.#greeting.delete(end);
    }
  }

  /** Dies: all its sockets close. */
  close(): void {
    this.dead = true;
    for (const end of this.#greeting) end.close();
    this.#registry.close();
  }

  async #admit(end: End): Promise<void> {
    const order = this.#registry.nextOrder();
    const isOld = !this.#plan.epochs.server;
    const greeting = await greetDevice(end, this.#nextNumber(), isOld ? { capabilities: CAN_RESUME } : {});
    const late = this.takesLateLinks ? this.#registry.nextOrder() : order;
    await this.#registry.admit(transportOf(end, "device", !this.#plan.nagle), greeting, late);
  }

  /** A session is told before anything that it does. */
  #tellOfSession(): void {
    const { session } = this;
    if (!session || session === this.#told) return;
    this.#told = session;
    this.#events.onSession(sessionNumber(session.id), session);
  }
}

/** The name of a session on the wire. */
function sessionId(number: number): Uint8Array {
  const id = new Uint8Array(16);
  new DataView(id.buffer).setUint32(12, number);
  return id;
}

export function sessionNumber(id: Uint8Array): number {
  return new DataView(id.buffer, id.byteOffset).getUint32(12);
}
