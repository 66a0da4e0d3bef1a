/**
 * The numbers of a device's links, each greater than those of all before, also of those before it was started.
 *
 * They begin with the wall clock, so that nothing has to be written for a link; a clock that was set back shows when the
 * server has seen a greater one, and says so.
 *
 * @module
 */

import { V2_MAX_EPOCH, V2_MAX_EPOCH_LEAP } from "../../protocol/v2/limits.ts";
import type { Clock } from "../../base/clock.ts";

/** Numbers one link after the other. */
export class Epochs {
  readonly #clock: Clock;
  #last: number | undefined;

  /** None so far. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The number of the next link: the time, in milliseconds since 1970, for the first, then one more each. */
  next(): number {
    const next = this.#last === undefined ? Math.max(1, Math.floor(this.#clock.wall())) : this.#last + 1;
    return this.#last = Math.min(next, V2_MAX_EPOCH);
  }

  /**
   * The server has seen `epoch` of this device: the next one is greater.
   *
   * @returns whether that was news. What lies too far ahead is not believed, as it would use the numbers up.
   */
  seen(epoch: number): boolean {
    const last = this.#last ?? 0;
    if (epoch < last || epoch >= V2_MAX_EPOCH || epoch - last > V2_MAX_EPOCH_LEAP) return false;
    this.#last = epoch;
    return true;
  }
}
