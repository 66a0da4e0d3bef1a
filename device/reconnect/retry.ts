/**
 * When a device dials again.
 *
 * @module
 */

import { MIN_BACKOFF_MS } from "../../base/limits.ts";
import { MAX_COME_BACK_MS, MAX_RESUME_PAUSE_MS, RESUME_PAUSE_MS } from "../limits.ts";
import type { Goodbye } from "../../protocol/v2/wire/goodbye.ts";
import { Backoff } from "../../base/backoff.ts";

/** Waits, in milliseconds. */
export class Retry {
  readonly #random: () => number;
  readonly #backoff: Backoff;
  #tries = 0; // to resume, since a link was up

  /** `random` gives numbers in [0, 1). */
  constructor(random: () => number) {
    this.#random = random;
    this.#backoff = new Backoff(random);
  }

  /** While a session waits: soon, and still not all devices of a server at once. */
  soon(): number {
    return Math.round(this.#random() * Math.min(MAX_RESUME_PAUSE_MS, RESUME_PAUSE_MS * 2 ** this.#tries++));
  }

  /**
   * As the server said, a little later so that not all come at once: by its own pace, but no more than as long again, as
   * a server that asks for a short time expects that. Else at the device's own pace.
   */
  after(word: Goodbye | undefined): number {
    const pace = this.#backoff.next();
    if (word?.comeBackAfter === undefined) return Math.round(pace);
    const after = Math.min(MAX_COME_BACK_MS, word.comeBackAfter);
    return Math.round(after + (after < MIN_BACKOFF_MS ? pace : Math.min(pace, after)));
  }

  linkUp(): void {
    this.#tries = 0;
  }

  /** It lasted. */
  reset(): void {
    this.#backoff.reset();
  }
}
