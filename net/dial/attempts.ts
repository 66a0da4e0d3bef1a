/**
 * Several ways to one end, of which the first that works is taken (RFC 8305, "Happy Eyeballs"): each is begun a moment
 * after the one before, if that has not come to its end by then, and at once if it has failed.
 *
 * @module
 */

import { DIAL_STAGGER_MS } from "../limits.ts";
import type { Clock } from "../../base/clock.ts";

/** Tries one way; rejects soon when `signal` aborts. */
export type Try<T> = (signal: AbortSignal) => Promise<T>;

export interface RaceOptions<T> {
  readonly clock: Clock;
  /** Ends the race. */
  readonly signal: AbortSignal;
  /** Closes what came too late. */
  letGo(late: T): void;
  /** Which of the errors to throw, in the order in which they came, where all have failed. @default {the last} */
  tell?(failures: readonly unknown[]): unknown;
}

/**
 * Tries `ways`, one at least, in their order.
 *
 * @returns the first result, and which of the ways it came by.
 * @throws What `tell` says, when all have failed; the signal's reason, when those that were begun have. Nothing is left
 * open then.
 */
export async function race<T>(
  ways: readonly Try<T>[],
  { clock, signal, letGo, tell = (failures) => failures.at(-1) }: RaceOptions<T>,
): Promise<{ readonly value: T; readonly index: number }> {
  signal.throwIfAborted();
  const won = Promise.withResolvers<{ value: T; index: number }>();
  const others = new AbortController();
  const onAbort = () => others.abort(signal.reason);
  signal.addEventListener("abort", onAbort);
  const failures: unknown[] = [];
  let begun = 0;
  let done = false;
  let cancel = () => {};
  const failed = (error: unknown) => {
    failures.push(error);
    if (signal.aborted) {
      if (failures.length === begun) won.reject(signal.reason);
    } else if (failures.length === ways.length) won.reject(tell(failures));
    else next(); // no need to wait for its time
  };
  const next = () => {
    cancel();
    if (begun === ways.length || done || signal.aborted) return;
    const index = begun++;
    ways[index]!(others.signal).then((value) => {
      if (done || signal.aborted) letGo(value);
      if (done) return;
      if (signal.aborted) return failed(signal.reason);
      done = true;
      won.resolve({ value, index });
    }, failed);
    cancel = clock.after(DIAL_STAGGER_MS, next);
  };
  next();
  try {
    return await won.promise;
  } finally {
    cancel();
    signal.removeEventListener("abort", onAbort);
    others.abort(new Error("another address was quicker"));
  }
}
