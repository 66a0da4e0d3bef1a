/**
 * When grants expire: those whose time has come are found without a look at all others.
 *
 * @module
 */

/** Times of the wall clock, in milliseconds since 1970, by second. */
export class Expiries<T> {
  readonly #times = new Map<T, number>();
  readonly #seconds = new Map<number, Set<T>>();
  #seen = -Infinity;

  /** Notes the time of one, or that it has none; what was noted before does not hold any more. */
  set(one: T, time: number | undefined): void {
    if (this.#times.get(one) === time && time !== undefined) return;
    this.delete(one);
    if (time === undefined) return;
    this.#times.set(one, time);
    const second = Math.floor(time / 1000);
    this.#seconds.set(second, (this.#seconds.get(second) ?? new Set()).add(one));
    this.#seen = Math.min(this.#seen, second);
  }

  /** Forgets one. */
  delete(one: T): void {
    const time = this.#times.get(one);
    if (time === undefined) return;
    this.#times.delete(one);
    this.#drop(Math.floor(time / 1000), one);
  }

  /** Takes out those whose time has come at `now`. */
  take(now: number): T[] {
    const second = Math.floor(now / 1000);
    const since = this.#seen;
    this.#seen = second;
    // After a jump of the clock there are more seconds than times.
    const passed = second - since > this.#seconds.size
      ? [...this.#seconds.keys()].filter((each) => each <= second)
      : Array.from({ length: Math.max(1, second - since + 1) }, (_, n) => second - n);
    const due = passed.flatMap((each) => [...this.#seconds.get(each) ?? []])
      .filter((one) => this.#times.get(one)! <= now);
    for (const one of due) this.delete(one);
    return due;
  }

  #drop(second: number, one: T): void {
    const all = this.#seconds.get(second);
    all?.delete(one);
    if (all?.size === 0) this.#seconds.delete(second);
  }
}
