/**
 * How much of TCP a device's packets carry, after links that came up and carried nothing: a path may let small ones through.
 *
 * @module
 */

import { SMALL_SEGMENT, SMALL_SEGMENT_MS, SMALLEST_SEGMENT } from "../limits.ts";
import { FRUITLESS_LINKS } from "../../net/limits.ts";
import type { Clock } from "../../base/clock.ts";

/** Remembers it for a while. */
export class SmallSegments {
  readonly #clock: Clock;
  #size = SMALL_SEGMENT;
  #until = -Infinity;

  /** Nothing is limited so far. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Bytes of TCP in a packet at most, after `fruitless` links in a row; `undefined`: as the system has it. */
  after(fruitless: number): number | undefined {
    const now = this.#clock.now();
    if (fruitless >= FRUITLESS_LINKS) {
      this.#until = now + SMALL_SEGMENT_MS;
      this.#size = fruitless === FRUITLESS_LINKS ? SMALL_SEGMENT : SMALLEST_SEGMENT;
    }
    return now < this.#until ? this.#size : undefined;
  }
}
