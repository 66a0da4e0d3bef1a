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

/** Does the work in one go: where nobody else waits. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}
