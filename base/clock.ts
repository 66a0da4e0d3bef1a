/**
 * Time as the relay sees it: monotonic milliseconds, and timers that can be cancelled.
 *
 * @module
 */

import { Soon } from "./soon.ts";
import { type Alarm, Timers } from "./timers.ts";

/** What time it is, for what sets no timers of its own. */
export interface Time {
  /** Milliseconds from an arbitrary start; never jumps with the wall clock. */
  now(): number;
  /** Milliseconds since 1970, for dates and for what people read; jumps when somebody sets the clock. */
  wall(): number;
}

/** Injected wherever time matters, so that tests can hold it still. */
export interface Clock extends Time {
  /** Calls `fn` once after `ms` milliseconds. @returns what cancels it. */
  after(ms: number, fn: () => void): () => void;
  /**
   * Calls `fn` in another turn of the event loop, when what is ready now has had its own; or a later one, where much is put
   * off so.
   *
   * @returns what cancels it.
   */
  soon(fn: () => void): () => void;
}

const alarm: Alarm = {
  now: () => performance.now(),
  set(ms, fn) {
    const timer = setTimeout(fn, ms); // with setImmediate, sockets would have no turn
    return () => clearTimeout(timer);
  },
};
const timers = new Timers(alarm);
const soon = new Soon(alarm);

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after: (ms, fn) => timers.after(ms, fn),
  soon: (fn) => soon.call(fn),
};

/** A wait of `ms` milliseconds that `signal` cuts short. */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal.addEventListener("abort", done);
  });
}
