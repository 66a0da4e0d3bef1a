/**
 * How long the turns of a loop are: as long, whoever comes meanwhile waits.
 *
 * @module
 */

/** Upper bounds of the groups that turns are counted in, in milliseconds; what is longer has a group of its own. */
export const TURN_BOUNDS = [1, 2, 5, 10, 20, 50, 100] as const;

/** How long the turns of an engine's loop were. */
export interface TurnReport {
  /** The longest, in milliseconds. */
  readonly longest: number;
  /** Upper bounds of the groups of {@linkcode TurnReport.counts} but the last, in milliseconds. */
  readonly bounds: readonly number[];
  /** Turns, by how long they took. */
  readonly counts: readonly number[];
}

/** All turns of an engine's loop since it runs. */
export interface TurnTotals {
  /** Upper bounds of the groups of {@linkcode TurnTotals.counts} but the last, in milliseconds. */
  readonly bounds: readonly number[];
  /** Turns, by how long they took. */
  readonly counts: readonly number[];
  /** Milliseconds that they took together. */
  readonly sum: number;
}

/** Counts turns. */
export class TurnTimes {
  readonly #counts = new Float64Array(TURN_BOUNDS.length + 1);
  readonly #taken = new Float64Array(TURN_BOUNDS.length + 1); // of what was taken before
  #longest = 0;
  #sum = 0;

  /** A turn took `ms` milliseconds. */
  add(ms: number): void {
    if (ms > this.#longest) this.#longest = ms;
    this.#sum += ms;
    let at = 0;
    while (at < TURN_BOUNDS.length && ms > TURN_BOUNDS[at]!) at++;
    this.#counts[at]!++;
  }

  /** What there was since it was asked for last. */
  take(): TurnReport {
    const longest = this.#longest;
    this.#longest = 0;
    const counts = [...this.#counts];
    for (const [at, count] of counts.entries()) this.#taken[at]! += count;
    this.#counts.fill(0);
    return { longest, bounds: TURN_BOUNDS, counts };
  }

  /** What there was in all; that takes nothing. */
  get totals(): TurnTotals {
    return {
      bounds: TURN_BOUNDS,
      counts: [...this.#counts].map((count, at) => count + this.#taken[at]!),
      sum: this.#sum,
    };
  }
}
