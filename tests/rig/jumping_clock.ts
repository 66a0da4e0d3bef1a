/**
 * The system's clock, which a test can have jump ahead: what is as old as a cut makes it, without waiting for that.
 *
 * @module
 */

import { type Clock, systemClock } from "../../base/clock.ts";

/** See the module. Its timers are the system's. */
export class JumpingClock implements Clock {
  #ahead = 0;

  /** Later by `ms` milliseconds. */
  jump(ms: number): void {
    this.#ahead += ms;
  }

  now(): number {
    return systemClock.now() + this.#ahead;
  }

  wall(): number {
    return systemClock.wall() + this.#ahead;
  }

  after(ms: number, fn: () => void): () => void {
    return systemClock.after(ms, fn);
  }

  soon(fn: () => void): () => void {
    return systemClock.soon(fn);
  }
}
