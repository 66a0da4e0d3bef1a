/**
 * A clock that only moves when a test moves it.
 *
 * @module
 */

import type { Clock } from "../../mod.ts";
import { within } from "./test.ts";

interface Timer {
  readonly ms: number;
  readonly at: number;
  readonly fn: () => void;
}

/** Holds time still; see {@linkcode Clock}. */
export class ManualClock implements Clock {
  #now = 0;
  readonly #timers = new Set<Timer>();
  #wake = Promise.withResolvers<void>();

  now(): number {
    return this.#now;
  }

  after(ms: number, fn: () => void): () => void {
    const timer = { ms, at: this.#now + ms, fn };
    this.#timers.add(timer);
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
    return () => this.#timers.delete(timer);
  }

  /** Resolves when `count` timers of `ms` milliseconds are running. */
  async armed(ms: number, count = 1): Promise<void> {
    while ([...this.#timers].filter((timer) => timer.ms === ms).length < count) {
      await within(this.#wake.promise, `a timer of ${ms} ms`);
    }
  }

  /** Resolves when `count` timers of at most `ms` milliseconds are running. */
  async armedUpTo(ms: number, count: number): Promise<void> {
    while ([...this.#timers].filter((timer) => timer.ms <= ms).length < count) {
      await within(this.#wake.promise, `${count} timers of at most ${ms} ms`);
    }
  }

  /** Moves on by `ms` milliseconds; timers that come due fire in order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [first] = [...this.#timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at);
      if (!first) break;
      this.#timers.delete(first);
      this.#now = Math.max(this.#now, first.at);
      first.fn();
    }
    this.#now = end;
  }
}
