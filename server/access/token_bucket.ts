/**
 * A token bucket: so much a second in the long run, and some at once.
 *
 * @module
 */

/** Tokens come at a steady pace, and are saved up to a bound. It is told the time, and sets no timer. */
export class TokenBucket {
  #perMs: number;
  #most: number;
  #tokens: number;
  #at: number;

  /** Full at `now`, in milliseconds. `perMs`: tokens that come in a millisecond; `most`: that are saved up at most. */
  constructor(perMs: number, most: number, now: number) {
    this.#perMs = perMs;
    this.#most = most;
    this.#tokens = most;
    this.#at = now;
  }

  /** Goes on at another pace; what was saved stays, up to the new bound. */
  change(perMs: number, most: number, now: number): void {
    this.#fill(now);
    this.#perMs = perMs;
    this.#most = most;
    this.#tokens = Math.min(this.#tokens, most);
  }

  /** Takes `count`, which is no more than can be saved. @returns 0 if it did; else milliseconds after which it could. */
  take(count: number, now: number): number {
    this.#fill(now);
    // A rest of rounding must not cost another timer.
    const missing = count - this.#tokens;
    if (missing > 1e-6) return Math.max(1, Math.ceil(missing / this.#perMs));
    this.#tokens -= count;
    return 0;
  }

  /** Tokens that are there. */
  left(now: number): number {
    this.#fill(now);
    return this.#tokens;
  }

  /** Whether it is as if nobody had taken anything. */
  isFull(now: number): boolean {
    this.#fill(now);
    return this.#tokens >= this.#most;
  }

  #fill(now: number): void {
    if (now > this.#at) this.#tokens = Math.min(this.#most, this.#tokens + (now - this.#at) * this.#perMs);
    this.#at = now;
  }
}
