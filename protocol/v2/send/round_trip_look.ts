/**
 * A look for the least round trip of a path that is loaded: what is on the way is held to little until the queue has gone
 * that its sender made, and the path shows how long it is.
 *
 * @module
 */

import { ON_THE_WAY_SLACK_MS } from "../limits.ts";

/** A rate that falls to less of what it was says that the path has become slower, or longer. */
const FELL = 0.875;

/** Round trips between two looks at least, after a change that calls for one; and milliseconds at least. */
const LOOK_AGAIN = 20;
const LOOK_AGAIN_MS = 1_000;

/** Looks of one link, one after the other. Positions are counts of numbered bytes, times are in milliseconds. */
export class RoundTripLook {
  #drainTo = -1; // 0 or more: it goes on, and all up to here is to be acknowledged first
  #drainedAt = Infinity;
  #seen = Infinity;
  #lookedAt: number;
  #rate = 0; // the highest since the last one

  /** None yet. */
  constructor(now: number) {
    this.#lookedAt = now;
  }

  get goesOn(): boolean {
    return this.#drainTo >= 0;
  }

  /** Whether the queue has gone: round trips are the path's own. */
  get drained(): boolean {
    return this.#drainedAt < Infinity;
  }

  /** The least round trip that it has shown. */
  get seen(): number {
    return this.#seen;
  }

  /** Begins one; all before `sent` has been sent, and it `isEmpty` if all of that was acknowledged. */
  begin(sent: number, isEmpty: boolean, now: number): void {
    this.#drainTo = sent;
    this.#drainedAt = isEmpty ? now : Infinity;
    this.#seen = Infinity;
  }

  /** All up to `position` is acknowledged. */
  acknowledged(position: number, now: number): void {
    if (this.#drainTo >= 0 && position >= this.#drainTo && this.#drainedAt === Infinity) this.#drainedAt = now;
  }

  /** A round trip came without a queue of our own. @returns whether it is enough. */
  saw(roundTrip: number, now: number): boolean {
    if (this.#drainedAt === Infinity) return false;
    this.#seen = Math.min(this.#seen, roundTrip);
    // On a short path one sample may be a late turn of an event loop; there is time for several.
    return now - this.#drainedAt >= ON_THE_WAY_SLACK_MS;
  }

  /** The path delivers at this rate. */
  sawRate(rate: number): void {
    this.#rate = Math.max(this.#rate, rate);
  }

  /** Ends it; from here on falls of `rate` count. */
  end(rate: number, now: number): void {
    this.#drainTo = -1;
    this.#drainedAt = Infinity;
    this.#lookedAt = now;
    this.#rate = rate;
  }

  /** Whether a change calls for another: round trips became `longer`, or the rate fell. */
  isDueAgain(longer: boolean, rate: number, least: number, now: number): boolean {
    if (!longer && rate >= this.#rate * FELL) return false;
    return now - this.#lookedAt > Math.max(LOOK_AGAIN_MS, LOOK_AGAIN * least);
  }
}
