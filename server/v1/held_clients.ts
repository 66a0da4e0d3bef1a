/**
 * Clients of a v1 link that ended their writing side and are held for what may still come for them.
 *
 * TCP shows a client that has closed as one that has only ended its writing side, so each that closes is held, too, with
 * its id and its service. A few are held for the whole time; the more there are, the shorter each of them is.
 *
 * @module
 */

import { HELD_IN_FULL, HELD_IN_FULL_BY_ALL, HELD_LOOK_MS, MIN_HELD_LOOK_MS } from "../limits.ts";
import type { Clock } from "../../base/clock.ts";

/** A client that is held. */
export interface Held {
  /** Since when nothing has come for it, nor been taken by it; `Infinity` while that does not count. */
  readonly quietSince: number;
  end(reason: "client-finished"): void;
}

/** How many are held on all links. */
export interface HeldCount {
  held: number;
}

/** Those of one link; each also has its own time, beyond which it ends by itself. */
export class HeldClients {
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #count: HeldCount;
  readonly #all = new Set<Held>();
  #due = Infinity;
  #cancelTimer: () => void = () => {};

  /** Nobody yet; `timeout` in milliseconds is the whole time, `count` is shared by all links. */
  constructor(clock: Clock, timeout: number, count: HeldCount) {
    this.#clock = clock;
    this.#timeout = timeout;
    this.#count = count;
  }

  /** Milliseconds without a byte for which each is held now. */
  get hold(): number {
    const share = Math.min(1, HELD_IN_FULL / this.#all.size, HELD_IN_FULL_BY_ALL / this.#count.held);
    return this.#timeout * share;
  }

  /** One more is held. */
  add(client: Held): void {
    if (this.#all.has(client)) return;
    this.#all.add(client);
    this.#count.held++;
    if (this.hold < this.#timeout) this.#lookIn(MIN_HELD_LOOK_MS);
  }

  /** One is not held any more. Idempotent. */
  delete(client: Held): void {
    if (!this.#all.delete(client)) return;
    this.#count.held--;
    if (this.#all.size > 0) return;
    this.#cancelTimer();
    this.#due = Infinity;
  }

  /** Ends all that are quiet: what they hold is wanted elsewhere. */
  giveUp(): void {
    for (const client of [...this.#all]) if (client.quietSince !== Infinity) this.#end(client);
  }

  /** Ends those whose part of the time is over, the ones that were held first first. */
  #look(): void {
    this.#due = Infinity;
    const now = this.#clock.now();
    let next = Infinity;
    for (const client of [...this.#all]) {
      const { hold } = this;
      if (hold >= this.#timeout) return; // each has its own timer for that
      const due = client.quietSince + hold;
      if (due <= now) this.#end(client);
      else next = Math.min(next, due - now);
    }
    if (this.#all.size === 0) return;
    this.#lookIn(Math.max(MIN_HELD_LOOK_MS, Math.ceil(Math.min(next, HELD_LOOK_MS))));
  }

  #lookIn(ms: number): void {
    const due = this.#clock.now() + ms;
    if (this.#due <= due) return;
    this.#cancelTimer();
    this.#due = due;
    this.#cancelTimer = this.#clock.after(ms, () => this.#look());
  }

  #end(client: Held): void {
    this.delete(client);
    client.end("client-finished");
  }
}
