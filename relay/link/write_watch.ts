/**
 * The watch over a link's writes: a peer that takes nothing for too long is given up.
 *
 * @module
 */

import type { WriteQueue } from "../write_queue.ts";

/** How often a write that does not come back is looked at within the write time: it is given up a quarter late at most. */
const WRITE_LOOKS = 4;

/** Looks at a queue now and then, while something is pending in it. Times are those of the owner's clock. */
export class WriteWatch {
  /** When the next look is due; `Infinity` while nothing was sent since all was taken. */
  due = Infinity;

  readonly #queue: WriteQueue;
  readonly #timeout: number;
  #progress = 0;
  #looks = 0; // in a row that found no progress

  /** A watch over `queue` that allows `timeout` milliseconds without progress; negative for ever. */
  constructor(queue: WriteQueue, timeout: number) {
    this.#queue = queue;
    this.#timeout = timeout < 0 ? Infinity : timeout;
  }

  /** Whether it has to be started for what is sent now. */
  get idle(): boolean {
    return this.due === Infinity && this.#timeout !== Infinity;
  }

  /** Starts at the time `now`. */
  start(now: number): void {
    this.#progress = this.#queue.progress;
    this.#looks = 0;
    this.due = now + this.#timeout / WRITE_LOOKS;
  }

  /** Looks, if it is time. @returns what is wrong, if the peer is to be given up. */
  look(now: number): string | undefined {
    if (now < this.due) return undefined;
    this.due = Infinity;
    if (this.#queue.pending === 0) return undefined;
    if (this.#queue.progress !== this.#progress) this.#looks = 0;
    else if (++this.#looks === WRITE_LOOKS) return `the peer took nothing for ${Math.round(this.#timeout / 1000)} s`;
    this.#progress = this.#queue.progress;
    this.due = now + this.#timeout / WRITE_LOOKS;
    return undefined;
  }
}
