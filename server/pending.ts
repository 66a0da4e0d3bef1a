/**
 * Connections at the door: a bounded number, from each address and in all.
 *
 * @module
 */

import type { Clock } from "../net/clock.ts";
import { HANDSHAKE_GRACE_MS, MAX_HANDSHAKES, MAX_HANDSHAKES_PER_ADDRESS } from "../net/limits.ts";

/** A connection that has not proved anything yet. */
export interface Pending {
  /** The host that it came from. */
  readonly host: string;
  /** Ends it. */
  evict(): void;
}

/** Who is at the door, oldest first. When it is full, whoever has been there for a while makes room. */
export class PendingConnections {
  readonly #clock: Clock;
  readonly #all = new Map<Pending, number>();
  readonly #byHost = new Map<string, Set<Pending>>();

  /** Nobody yet. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Connections at the door. */
  get size(): number {
    return this.#all.size;
  }

  /** Lets one in, at the cost of the oldest if need be. @returns why not, or `undefined` if it is in. */
  add(pending: Pending): string | undefined {
    const sameHost = this.#byHost.get(pending.host) ?? new Set();
    if (sameHost.size >= MAX_HANDSHAKES_PER_ADDRESS && !this.#evictOldest(sameHost)) {
      return `${MAX_HANDSHAKES_PER_ADDRESS} others from ${pending.host} are in their handshake`;
    }
    if (this.#all.size >= MAX_HANDSHAKES && !this.#evictOldest(this.#all.keys())) {
      return `${MAX_HANDSHAKES} others are in their handshake`;
    }
    this.#all.set(pending, this.#clock.now());
    sameHost.add(pending);
    this.#byHost.set(pending.host, sameHost);
    return undefined;
  }

  /** It has gone, or has proved who it is. */
  remove(pending: Pending): void {
    this.#all.delete(pending);
    const sameHost = this.#byHost.get(pending.host);
    sameHost?.delete(pending);
    if (sameHost?.size === 0) this.#byHost.delete(pending.host);
  }

  /** Ends all. */
  evictAll(): void {
    for (const pending of [...this.#all.keys()]) this.#evict(pending);
  }

  #evictOldest(candidates: Iterable<Pending>): boolean {
    for (const oldest of candidates) {
      if (this.#clock.now() - this.#all.get(oldest)! < HANDSHAKE_GRACE_MS) return false;
      this.#evict(oldest);
      return true;
    }
    return false;
  }

  #evict(pending: Pending): void {
    this.remove(pending);
    pending.evict();
  }
}
