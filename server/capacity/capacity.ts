/**
 * How much of a whole server is in use, and who is refused when one of its limits is reached.
 *
 * @module
 */

import { LIMIT_TOLD_MS, MEMORY_LOOK_MS } from "./limits.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import { descriptorLimit, keptFrom } from "../../net/kernel/descriptor_room.ts";
import { TokenBucket } from "../access/token_bucket.ts";
import type { LimitReachedEvent } from "../events.ts";
import { type ClientRoom, whyCrowded } from "../ports/client_room.ts";
import type { Waiter } from "../ports/fair_line.ts";
import type { Refusal } from "../access/gate.ts";
import type { LinkCount } from "./link_count.ts";
import { LIMIT_NAMES, LIMIT_OPTIONS, type LimitUse, type ServerLimits } from "./server_limits.ts";

/** What it is counted from. */
export interface CapacityParts {
  readonly clock: Clock;
  readonly logger: Logger;
  /** What is in force; it may change. */
  limits(): ServerLimits;
  readonly links: LinkCount;
  readonly clients: Pick<ClientRoom, "used" | "enter">;
  /** Bytes of memory that the process has. @default {the system's count} */
  memory?(): number;
}

type Name = keyof ServerLimits;

/** Those who were refused for one limit. */
interface Refused {
  count: number;
  /** Those of whom nobody was told yet. */
  untold: number;
  toldAt: number;
  /** How it stood when the last one came. */
  used: number;
  most: number;
}

/** Connections for which the system gives descriptors, less those that are kept for files. */
function systemSockets(): number {
  const limit = descriptorLimit();
  return limit === undefined ? Infinity : limit - keptFrom("link", limit);
}

/** The limits of a server, and what they are reached by. */
export class Capacity {
  /** Hears when somebody is refused: at once for the first, and once in a while for more. */
  emit: (event: LimitReachedEvent) => void = () => {};
  /** How many devices have a link. */
  readonly links: LinkCount;

  readonly #parts: CapacityParts;
  readonly #refused = new Map<Name, Refused>();
  readonly #since = new Map<string, number>();
  #tellsAt = Infinity;
  #cancelTell = () => {};
  #isClosed = false;
  #adding = 0;
  #memory = 0;
  #lookedAt = -Infinity;
  #rate: ServerLimits["handshakeRate"];
  #bucket: TokenBucket | undefined;

  /** Nobody has been refused yet. */
  constructor(parts: CapacityParts) {
    this.#parts = parts;
    this.links = parts.links;
  }

  /**
   * A client has come. One that is too many of its own service, or from its own address, has reached no limit of the server.
   *
   * @returns what to call once, when it has gone; or why it is refused.
   */
  client(waiter: Waiter): (() => void) | Refusal {
    const full = this.#full("sockets", 1) ?? this.#full("memory");
    if (full !== undefined) return { refused: "server-limit", why: full };
    const { clients } = this.#parts;
    const entered = clients.enter(waiter);
    if (typeof entered === "function") return entered;
    const why = whyCrowded(entered);
    if (entered !== "all") return { refused: "too-many-clients", why };
    const { used, most } = this.use("sockets", 0);
    this.#refuse("sockets", used, most);
    return { refused: "server-limit", why };
  }

  /** A device that has no link, and no session that waits for one, wants one. @returns why it is refused, if it is. */
  link(): string | undefined {
    return this.#full("links", 1) ?? this.#full("sockets", 1) ?? this.#full("memory");
  }

  /**
   * One more device is about to be registered, beside `count` and others that are about to be.
   *
   * @returns what to call once, when it is, or will not be; or why it is refused.
   */
  device(count: number): string | (() => void) {
    const full = this.#full("devices", 1, count + this.#adding);
    if (full !== undefined) return full;
    this.#adding++;
    return () => void this.#adding--;
  }

  /** A handshake is about to begin. @returns why it is refused, if it is. */
  handshake(): string | undefined {
    const { handshakeRate } = this.#parts.limits();
    const bucket = this.#handshakes();
    if (!bucket || bucket.take(1, this.#parts.clock.now()) === 0) return undefined;
    return this.#refuse("handshakeRate", handshakeRate!.count, handshakeRate!.count);
  }

  /** Those who were refused since the server runs, by the limit's name; those that refused nobody are not among them. */
  get refused(): ReadonlyMap<string, number> {
    return new Map([...this.#refused].map(([name, { count }]) => [LIMIT_NAMES[name], count]));
  }

  /** All limits, as they are now; `devices`: how many are registered. */
  uses(devices: number): LimitUse[] {
    return (Object.keys(LIMIT_NAMES) as Name[]).map((name) => this.use(name, devices));
  }

  /** How much of one is in use. */
  use(name: Name, devices: number): LimitUse {
    const limits = this.#parts.limits();
    const { linked, interrupted } = this.links;
    const used = (): number => {
      switch (name) {
        case "devices":
          return devices;
        case "links":
          return linked + interrupted;
        case "sockets":
          return this.#parts.clients.used + linked;
        case "memory":
          return this.#resident();
        case "handshakeRate":
          return limits.handshakeRate ? this.#handshakesUsed(limits.handshakeRate.count) : 0;
      }
    };
    const most = name === "sockets"
      ? Math.min(limits.sockets ?? Infinity, systemSockets())
      : name === "handshakeRate"
      ? limits.handshakeRate?.count ?? Infinity
      : limits[name] ?? Infinity;
    return { name: LIMIT_NAMES[name], used: used(), most };
  }

  /** Since when a limit is reached, by the wall clock, as far as anybody looked; nothing if it is not. */
  since(name: string, isReached: boolean): number | undefined {
    if (!isReached) this.#since.delete(name);
    else if (!this.#since.has(name)) this.#since.set(name, this.#parts.clock.wall());
    return this.#since.get(name);
  }

  /** The server ends: nobody is told later. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#cancelTell();
  }

  /** Whether `more` do not fit. */
  #full(name: Exclude<Name, "handshakeRate">, more = 0, devices = 0): string | undefined {
    if (name !== "sockets" && this.#parts.limits()[name] === undefined) return undefined; // nobody need look
    const { used, most } = this.use(name, devices);
    if (used + more > most || more === 0 && used >= most) return this.#refuse(name, used, most);
    this.since(LIMIT_NAMES[name], more > 0 && used + more >= most); // whoever comes in may be the last
    return undefined;
  }

  #refuse(name: Name, used: number, most: number): string {
    const limit = LIMIT_NAMES[name];
    this.since(limit, true);
    const refused = this.#refused.get(name) ?? { count: 0, untold: 0, toldAt: -Infinity, used, most };
    this.#refused.set(name, refused);
    Object.assign(refused, { used, most });
    refused.count++;
    refused.untold++;
    this.#tellDue();
    return `${limit}: ${most} are the most for this server (${LIMIT_OPTIONS[name]})`;
  }

  /** Tells of those of whom it is time to, and of the others later: perhaps nobody comes any more who would remind of them. */
  #tellDue(): void {
    const { clock } = this.#parts;
    const now = clock.now();
    let next = Infinity;
    for (const [name, refused] of this.#refused) {
      if (refused.untold === 0) continue;
      const due = refused.toldAt + LIMIT_TOLD_MS;
      if (due > now) next = Math.min(next, due);
      else this.#tell(name, refused);
    }
    if (next >= this.#tellsAt || this.#isClosed) return;
    this.#cancelTell();
    this.#tellsAt = next;
    this.#cancelTell = clock.after(next - now, () => {
      this.#tellsAt = Infinity;
      this.#tellDue();
    });
  }

  #tell(name: Name, refused: Refused): void {
    const { clock, logger } = this.#parts;
    const { used, most, untold: count } = refused;
    const [limit, option] = [LIMIT_NAMES[name], LIMIT_OPTIONS[name]];
    const line = "{limit}: {used} of {most}, a limit of this server ({option}); newcomers are refused, {count} by now";
    logger.warn(line, { limit, used, most, option, count });
    this.emit({ type: "limit-reached", limit, used, most, refused: count });
    Object.assign(refused, { untold: 0, toldAt: clock.now() });
  }

  /** The system is not asked for each newcomer. */
  #resident(): number {
    const { clock, memory } = this.#parts;
    if (clock.now() - this.#lookedAt < MEMORY_LOOK_MS) return this.#memory;
    this.#lookedAt = clock.now();
    return this.#memory = memory?.() ?? Deno.memoryUsage().rss;
  }

  #handshakes(): TokenBucket | undefined {
    const { handshakeRate } = this.#parts.limits();
    if (this.#rate?.count === handshakeRate?.count && this.#rate?.per === handshakeRate?.per) return this.#bucket;
    this.#rate = handshakeRate;
    const now = this.#parts.clock.now();
    const { count, per } = handshakeRate ?? { count: 0, per: 1 };
    return this.#bucket = handshakeRate && new TokenBucket(count / per, count, now);
  }

  #handshakesUsed(count: number): number {
    const left = this.#handshakes()?.left(this.#parts.clock.now()) ?? count;
    return count - Math.floor(left);
  }
}
