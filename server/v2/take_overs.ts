/**
 * Whether two machines with one key kick each other off.
 *
 * @module
 */

import { MAX_TAKE_OVERS, TAKE_OVER_WINDOW_MS } from "../limits.ts";
import type { Clock } from "../../base/clock.ts";

/** Counts take-overs of a live link by another process. */
export class TakeOvers {
  readonly #clock: Clock;
  #times: number[] = [];

  /** None so far. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The link of the process `before`, which was up, was taken over by the process `after`. */
  note(before: Uint8Array, after: Uint8Array): void {
    if (same(before, after)) return; // its own machine came back
    this.#times = [...this.#times, this.#clock.now()].slice(-MAX_TAKE_OVERS);
  }

  /** Whether `after` has to wait, as there were too many. */
  tooMany(before: Uint8Array, after: Uint8Array): boolean {
    const since = this.#clock.now() - TAKE_OVER_WINDOW_MS;
    this.#times = this.#times.filter((time) => time > since);
    return !same(before, after) && this.#times.length >= MAX_TAKE_OVERS;
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
