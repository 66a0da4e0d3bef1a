/**
 * What has to hold in a simulation, whatever happens: see `docs/resume.md`, "Invariants".
 *
 * @module
 */

import type { ChannelEndReason, LinkEndReason } from "../../../protocol/reasons.ts";
import type { Plan, UserPlan } from "./plan.ts";
import type { Program } from "./program.ts";
import type { Time } from "./time.ts";

/** Times are sums of fractions. */
const ROUNDING = 1e-6;

/** What became of a user. */
export interface UserRecord {
  readonly plan: UserPlan;
  /** The session that serves it; none if there was none when it came. */
  session: number | undefined;
  client: Program | undefined;
  service: Program | undefined;
  /** How often its service heard of a CONNECT. */
  connects: number;
  /** How its channel ended on the server. */
  reason: ChannelEndReason | undefined;
  /** Whether its channel is over on the device, if it came there. */
  doneOnDevice: boolean;
}

/** What became of a session. */
interface SessionRecord {
  readonly expiration: number;
  serverOver: LinkEndReason | undefined;
  deviceOver: LinkEndReason | undefined;
  /** Whether the device ever knew of it. */
  known: boolean;
  /** When a link of it came up last, as each side sees it. */
  readonly upAt: { server: number; device: number };
}

/** Sees what happens, and fails with the first thing that may not. */
export class Model {
  /** The users, by the number of their service less one. */
  readonly users: UserRecord[];
  /** What was wrong first. */
  failure: string | undefined;
  readonly #time: Time;
  readonly #sessions = new Map<number, SessionRecord>();
  #restarting = false;

  /** Nobody has come yet. */
  constructor(time: Time, plan: Plan) {
    this.#time = time;
    this.users = plan.users.map((plan) => ({
      plan,
      session: undefined,
      client: undefined,
      service: undefined,
      connects: 0,
      reason: undefined,
      doneOnDevice: false,
    }));
  }

  /** Something may not be. */
  fail(what: string): void {
    this.failure ??= `at ${this.#time.now.toFixed(3)} ms: ${what}`;
  }

  /** A process is being ended: its sessions end with it. */
  ending(end: () => void): void {
    this.#restarting = true;
    end();
    this.#restarting = false;
  }

  /** A fresh session began on the server. */
  begun(id: number, expiration: number): void {
    const now = this.#time.now;
    this.#sessions.set(id, {
      expiration,
      serverOver: undefined,
      deviceOver: undefined,
      known: false,
      upAt: { server: now, device: now },
    });
  }

  /** The device heard of it. */
  heardOf(id: number): void {
    this.#sessions.get(id)!.known = true;
    this.isUp(id, "device");
  }

  /** A link of it is up. */
  isUp(id: number, side: "server" | "device"): void {
    this.#sessions.get(id)!.upAt[side] = this.#time.now;
  }

  /** It ended on the server: for a reason, or because it was ended there. */
  overOnServer(id: number, reason: LinkEndReason): void {
    const session = this.#sessions.get(id)!;
    session.serverOver = reason;
    const why = this.#mayEnd(session, reason, "server");
    if (why) this.fail(`session ${id} ended on the server (${reason}): ${why}`);
  }

  /** It ended on the device. */
  overOnDevice(id: number, reason: LinkEndReason): void {
    const session = this.#sessions.get(id)!;
    session.deviceOver = reason;
    const why = this.#mayEnd(session, reason, "device");
    if (why) this.fail(`session ${id} ended on the device (${reason}): ${why}`);
  }

  /** A CONNECT came for the service of a user. */
  connect(user: UserRecord): void {
    user.connects++;
    if (user.connects > 1) this.fail("a CONNECT was applied twice");
  }

  /** Whether all users have come and gone. */
  get allGone(): boolean {
    return this.users.every((user) => !this.#present(user));
  }

  /** What has to be true once all is over. */
  check(): void {
    for (const [at, user] of this.users.entries()) {
      const wrong = this.#wrongWith(user);
      if (wrong) this.fail(`user ${at}: ${wrong}`);
    }
  }

  /** Whether a session may end so. @returns why not. */
  #mayEnd(session: SessionRecord, reason: LinkEndReason, side: "server" | "device"): string | undefined {
    if (this.#restarting || reason === "shutting-down") return undefined;
    const otherIsOver = side === "server" ? session.deviceOver ?? !session.known : session.serverOver;
    switch (reason) {
      case "expired":
        if (this.#time.now - session.upAt[side] >= session.expiration - ROUNDING) return undefined;
        return `a link came up ${this.#time.now - session.upAt[side]} ms before`;
      case "replaced":
      case "not-resumed":
      case "goodbye":
        return otherIsOver || session.expiration === 0 ? undefined : "the other side still has it";
      case "peer-closed":
      case "connection-lost":
      case "keep-alive-timeout":
      case "write-timeout":
        return session.expiration === 0 ? undefined : "it should have waited for another link";
      default:
        return "that never happens between two that keep to the protocol";
    }
  }

  /** Whether something of a user is still there. */
  #present({ client, service, reason, connects, doneOnDevice }: UserRecord): boolean {
    if (!client) return this.failure === undefined && reason === undefined;
    return !client.over || (service !== undefined && !service.over) || reason === undefined ||
      (connects > 0 && !doneOnDevice);
  }

  #wrongWith(user: UserRecord): string | undefined {
    const { plan, client, service, connects, reason, session, doneOnDevice } = user;
    if (!client) return reason === undefined ? "it never came" : undefined;
    if (!client.over) return "the client was never ended";
    if (service && !service.over) return "the service was never ended";
    if (reason === undefined) return "its channel never ended on the server";
    if (connects > 0 && !doneOnDevice) return "its channel never ended on the device";
    if (client.received > (service?.sent ?? 0)) return "the client got more than was sent";
    if (service && service.received > client.sent) return "the service got more than was sent";
    if (session === undefined || this.#isLost(session)) return undefined;
    // From here on: its session was never lost, so nothing of it may be.
    if (reason === "too-many-channels") {
      return connects > 1 || service ? "a client that was refused was served" : undefined;
    }
    if (reason === "link-lost" || reason === "shutting-down") return `it ended as ${reason}, and no session did`;
    if (plan.quit) return undefined;
    if (connects === 0) return "its CONNECT was lost";
    if (plan.refuse) return reason === "service-refused" ? undefined : `it was refused, and ended as ${reason}`;
    if (client.received !== plan.service.total) {
      return `the client has ${client.received} of ${plan.service.total} bytes`;
    }
    if (service?.received !== plan.client.total) {
      return `the service has ${service?.received} of ${plan.client.total} bytes`;
    }
    if (!client.heardEnd || !service.heardEnd) return "an END was lost";
    return reason === "client-closed" || reason === "service-closed" ? undefined : `it ended as ${reason}`;
  }

  #isLost(id: number): boolean {
    const session = this.#sessions.get(id)!;
    return [session.serverOver, session.deviceOver].some((over) => over !== undefined && over !== "shutting-down") ||
      session.serverOver !== undefined;
  }
}
