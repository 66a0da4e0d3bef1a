/**
 * A limit on warnings and errors, which anybody who reaches a socket can cause in any number.
 *
 * @module
 */

import { MAX_WARNING_KINDS, WARNINGS_PER_SECOND } from "./limits.ts";

interface Bucket {
  second: number;
  taken: number;
  held: number;
}

/** Counts warnings by their kind, which is their text before the facts are filled in. */
export class WarningLimit {
  readonly #buckets = new Map<string, Bucket>();

  /**
   * Asks whether a warning of `kind` may be logged at `now`, in milliseconds.
   *
   * @returns how many of its kind were held back since the last one, or `undefined` if this one is held back too.
   */
  take(kind: string, now: number): number | undefined {
    const second = Math.floor(now / 1000);
    const bucket = this.#buckets.get(kind) ?? { second, taken: 0, held: 0 };
    this.#buckets.set(kind, bucket);
    if (this.#buckets.size > MAX_WARNING_KINDS) { // some have a time in them
      const [oldest] = this.#buckets.keys();
      this.#buckets.delete(oldest!);
    }
    if (bucket.second !== second) {
      bucket.second = second;
      bucket.taken = 0;
    }
    if (bucket.taken >= WARNINGS_PER_SECOND) {
      bucket.held++;
      return undefined;
    }
    bucket.taken++;
    const { held } = bucket;
    bucket.held = 0;
    return held;
  }
}
