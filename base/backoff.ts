/**
 * How long to wait before the next try: exponential, with full jitter.
 *
 * @module
 */

import { MAX_BACKOFF_MS, MIN_BACKOFF_MS } from "./limits.ts";

/** Waits that double in range from try to try, and are spread evenly over it, so that a fleet does not come back as one. */
export class Backoff {
  readonly #random: () => number;
  #ceiling = MIN_BACKOFF_MS;

  /** `random` gives numbers in [0, 1). */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** The next wait: between `MIN_BACKOFF_MS` and a ceiling that doubles from 1 s up to `MAX_BACKOFF_MS`. */
  next(): number {
    this.#ceiling = Math.min(MAX_BACKOFF_MS, this.#ceiling * 2);
    return MIN_BACKOFF_MS + this.#random() * (this.#ceiling - MIN_BACKOFF_MS);
  }

  /** Starts over, after a link that lasted. */
  reset(): void {
    this.#ceiling = MIN_BACKOFF_MS;
  }
}
