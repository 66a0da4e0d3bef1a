/**
 * How old what comes is: each side counts milliseconds since its session began, and knows the other's count by what came
 * soonest. No wall clock is asked, and none has to be right. `v2.md`, "Datagrams".
 *
 * @module
 */

import { LAG_JUMP_MS, LAG_PERIOD_MS } from "./limits.ts";
import type { DatagramClock } from "../channel.ts";
import type { Time } from "../../base/clock.ts";

/** That of one session, over all its links. */
export class SessionClock implements DatagramClock {
  readonly #time: Time;
  readonly #start: number;
  readonly #leastRoundTrip: () => number;
  #roundTrip = 0;
  #least = 0; // the least lag in what came before: both sides began to count with the WELCOME
  // Of this period:
  #since: number;
  #leastNow = Infinity;
  #firstLag = 0;
  #firstAt = 0;
  #lastAt = 0;

  /** Begins to count. `leastRoundTrip`: of the link that is up, in milliseconds; `Infinity` while it is not known. */
  constructor(time: Time, leastRoundTrip: () => number) {
    this.#time = time;
    this.#start = this.#since = time.now();
    this.#leastRoundTrip = leastRoundTrip;
  }

  /** Milliseconds from the beginning of the session to `at`: whole, modulo 2³². */
  stamp(at: number): number {
    return Math.floor(at - this.#start) >>> 0;
  }

  isLate(stamp: number, maxAge: number): boolean {
    const now = this.#time.now();
    const lag = (this.stamp(now) - stamp) | 0;
    const roundTrip = this.#leastRoundTrip();
    if (roundTrip < Infinity) this.#roundTrip = roundTrip;
    if (now - this.#since >= LAG_PERIOD_MS) this.#nextPeriod(now);
    if (this.#leastNow === Infinity) [this.#firstLag, this.#firstAt] = [lag, now];
    this.#lastAt = now;
    this.#leastNow = Math.min(this.#leastNow, lag);
    return lag - Math.min(this.#least, this.#leastNow) > maxAge + this.#roundTrip;
  }

  /**
   * What came soonest in a period is what the path takes from then on: clocks drift, and paths change. If all of it was
   * late, that may be a cut, whose end is seen by lags that fall, or that last for a moment only.
   */
  #nextPeriod(now: number): void {
    const jumps = this.#leastNow - this.#least > LAG_JUMP_MS + this.#roundTrip;
    const lasts = this.#lastAt - this.#firstAt >= LAG_PERIOD_MS / 2 && this.#firstLag - this.#leastNow <= LAG_JUMP_MS;
    if (this.#leastNow < Infinity && (!jumps || lasts)) this.#least = this.#leastNow;
    this.#leastNow = Infinity;
    this.#since = now;
  }
}
