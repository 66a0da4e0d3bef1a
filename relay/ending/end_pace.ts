/**
 * How connections end: each at once, but of a thousand that do together, as when a link is lost, some in each turn of the
 * event loop. Each costs calls of the system, and whoever hears of it writes a line, counts, and tells others.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { ENDS_AT_ONCE, ENDS_WINDOW_MS } from "../limits.ts";

const NOTHING = (): void => {};
const paces = new WeakMap<Clock, EndPace>();

/** Tells ends in the order in which they came. */
export class EndPace {
  readonly #clock: Clock;
  #since = -Infinity;
  #told = 0; // since then
  #waiting = 0;
  #isTelling = false;

  private constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The one of all that go by a clock: a turn is theirs together. */
  static of(clock: Clock): EndPace {
    let pace = paces.get(clock);
    if (!pace) paces.set(clock, pace = new EndPace(clock));
    return pace;
  }

  /** Calls `fn` once: now, or in a later turn. What that brings with it is one with it. @returns what cancels it. */
  tell(fn: () => void): () => void {
    if (this.#isTelling) return this.#tellNow(fn);
    const now = this.#clock.now();
    if (now - this.#since >= ENDS_WINDOW_MS) {
      this.#since = now;
      this.#told = 0;
    }
    if (this.#waiting === 0 && this.#told < ENDS_AT_ONCE) {
      this.#told++;
      return this.#tellNow(fn);
    }
    this.#waiting++;
    let isWaiting = true;
    const leave = () => {
      if (isWaiting) this.#waiting--;
      isWaiting = false;
    };
    const cancel = this.#clock.soon(() => {
      leave();
      this.#tellNow(fn);
    });
    return () => {
      leave();
      cancel();
    };
  }

  #tellNow(fn: () => void): () => void {
    const wasTelling = this.#isTelling;
    this.#isTelling = true;
    try {
      fn();
    } finally {
      this.#isTelling = wasTelling;
    }
    return NOTHING;
  }
}
