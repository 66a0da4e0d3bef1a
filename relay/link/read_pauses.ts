/**
 * Pauses in the reading of a link: while somebody holds it, and for a moment where its peer makes too much work.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { MAX_REST_MS } from "../../net/limits.ts";

/** The pauses of one link. Its owner waits for one at a time. */
export class ReadPauses {
  readonly #clock: Clock;
  #holds = 0;
  #resume: (() => void) | undefined;

  /** Nobody holds it. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether somebody holds it. */
  get isHeld(): boolean {
    return this.#holds > 0;
  }

  /** Holds it until as many {@linkcode ReadPauses.unhold} have come. */
  hold(): void {
    this.#holds++;
  }

  /** See {@linkcode ReadPauses.hold}. */
  unhold(): void {
    if (--this.#holds > 0) return;
    this.end();
    this.#resume = undefined;
  }

  /** Ends the pause that there may be: the link is about to end. */
  end(): void {
    this.#resume?.();
  }

  /** Resolves when nobody holds it any more. */
  held(): Promise<void> {
    return new Promise((resolve) => this.#resume = resolve);
  }

  /** Waits for `ms` milliseconds, or a moment if that is long: the link may end meanwhile. */
  rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(Math.min(MAX_REST_MS, Math.ceil(ms)), resolve);
      this.#resume = () => {
        cancel();
        resolve();
      };
    });
  }
}
