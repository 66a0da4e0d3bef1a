/**
 * A clock that only moves when a test moves it.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { clearImmediate, setImmediate } from "node:timers";
import { settled, within } from "./wait.ts";

interface Timer {
  readonly ms: number;
  readonly at: number;
  readonly fn: () => void;
}

/** Holds time still; see {@linkcode Clock}. */
export class FakeClock implements Clock {
  /** Timers that were set so far. */
  timersSet = 0;
  #now = 1_000;
  readonly #start = Date.now();
  readonly #timers = new Set<Timer>();
  readonly #soon = new Set<NodeJS.Immediate>();
  #wake = Promise.withResolvers<void>();

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#start + this.#now;
  }

  after(ms: number, fn: () => void): () => void {
    if (Number.isNaN(ms)) throw new TypeError("a timer's delay is not a number");
    const timer = { ms, at: this.#now + ms, fn };
    this.timersSet++;
    this.#timers.add(timer);
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
    return () => this.#timers.delete(timer);
  }

  /** In a turn of this process's own, as no time passes by it. */
  soon(fn: () => void): () => void {
    const turn = setImmediate(() => {
      this.#soon.delete(turn);
      fn();
    });
    this.#soon.add(turn);
    return () => {
      this.#soon.delete(turn);
      clearImmediate(turn);
    };
  }

  /** Timers, and what is put off, that wait. */
  get pending(): number {
    return this.#timers.size + this.#soon.size;
  }

  /** Resolves when `count` timers of `ms` milliseconds are running. */
  async armed(ms: number, count = 1): Promise<void> {
    while ([...this.#timers].filter((timer) => timer.ms === ms).length < count) {
      await within(this.#wake.promise, `${count} timers of ${ms} ms`);
    }
  }

  /** Resolves when `count` timers of at most `ms` milliseconds are running. */
  async armedUpTo(ms: number, count: number): Promise<void> {
    while ([...this.#timers].filter((timer) => timer.ms <= ms).length < count) {
      await within(this.#wake.promise, `${count} timers of at most ${ms} ms`);
    }
  }

  /** Moves on by `ms` in one step, before anything else can run, as on a machine that slept. */
  jump(ms: number): void {
    this.#now += ms;
    for (const timer of [...this.#timers]) {
      if (timer.at > this.#now || !this.#timers.delete(timer)) continue;
      timer.fn();
    }
  }

  /** Moves on by `ms`, timer by timer, before anything else can run. */
  tick(ms: number): void {
    const end = this.#now + ms;
    while (this.#fireNext(end));
    this.#now = end;
  }

  /** Moves on by `ms`, timer by timer, and lets what they wake run. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settled();
    while (this.#fireNext(end)) await settled();
    this.#now = end;
  }

  /** Fires the first timer that is due by `end`. @returns whether there was one. */
  #fireNext(end: number): boolean {
    const [first] = [...this.#timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at);
    if (!first) return false;
    this.#timers.delete(first);
    this.#now = Math.max(this.#now, first.at);
    first.fn();
    return true;
  }
}
