/**
 * Work that grows with a fleet, done a few milliseconds at a time: links have their turns in between.
 *
 * @module
 */

import { SLICE_MS } from "./limits.ts";
import type { Clock } from "./clock.ts";

/** Work in small steps; each `yield` is a place where others may have their turn. */
export type Steps<T> = Generator<void, T, void>;

/** Steps between two looks at the clock: a look costs more than most steps. */
const STEPS_A_LOOK = 16;

/**
 * Does the work, and lets the event loop turn whenever `SLICE_MS` milliseconds of it are done.
 *
 * @param look Steps between two looks at the clock; 1 for steps that may be long.
 */
export async function inSlices<T>(steps: Steps<T>, clock: Clock, look = STEPS_A_LOOK): Promise<T> {
  let until = clock.now() + SLICE_MS;
  for (let count = 1;; count++) {
    const { done, value } = steps.next();
    if (done) return value;
    if (count % look !== 0 || clock.now() < until) continue;
    await new Promise<void>((resolve) => void clock.soon(resolve));
    until = clock.now() + SLICE_MS;
  }
}

/** Does something with each of many, as {@linkcode inSlices} does; it may take long with one. */
export function eachInSlices<T>(all: Iterable<T>, clock: Clock, fn: (each: T) => void): Promise<void> {
  return inSlices(eachOf(all, fn), clock, 1);
}

function* eachOf<T>(all: Iterable<T>, fn: (each: T) => void): Steps<void> {
  for (const each of all) {
    fn(each);
    yield;
  }
}

/** Does the work in one go: where nobody else waits. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/**
 * Turns for work that a whole fleet may want at once: about `SLICE_MS` of it in one turn of the event loop, in the order
 * in which it came.
 */
export class Turns {
  static readonly #shared = new WeakMap<Clock, Turns>();
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #until = -Infinity; // of the work in this turn of the event loop
  #cancel: (() => void) | undefined;

  /** Nobody waits yet. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Those of all that go by a clock: a turn is theirs together. */
  static of(clock: Clock): Turns {
    let turns = Turns.#shared.get(clock);
    if (!turns) Turns.#shared.set(clock, turns = new Turns(clock));
    return turns;
  }

  /**
   * Asks for a turn, for work that is done without waiting.
   *
   * @returns nothing if it may begin now, as most may; else what resolves when it may.
   */
  take(): Promise<void> | undefined {
    const now = this.#clock.now();
    // Who comes that much later has not come in the same turn.
    if (this.#waiting.size === 0 && now - this.#until >= SLICE_MS) this.#until = now + SLICE_MS;
    if (this.#waiting.size === 0 && now < this.#until) return undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    this.#cancel ??= this.#clock.soon(() => this.#go());
    return promise;
  }

  /** All who wait may begin: they are to see that it is over. Idempotent. */
  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  async #go(): Promise<void> {
    this.#until = this.#clock.now() + SLICE_MS;
    for (const resolve of this.#waiting) {
      if (this.#clock.now() >= this.#until) break;
      this.#waiting.delete(resolve);
      resolve();
      await undefined; // its work is done now
    }
    if (this.#cancel === undefined) return; // closed meanwhile
    this.#cancel = this.#waiting.size > 0 ? this.#clock.soon(() => this.#go()) : undefined;
  }
}
