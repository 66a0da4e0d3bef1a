/**
 * What is put off to another turn of the event loop: all of it together has so much of each turn.
 *
 * @module
 */

import { SLICE_MS } from "./limits.ts";
import type { Alarm } from "./timers.ts";

/** Calls that are put off, in the order in which they came: one in a turn at least, and about `SLICE_MS` of them. */
export class Soon {
  readonly #alarm: Alarm;
  readonly #waiting = new Set<() => void>();
  #cancel: (() => void) | undefined;
  #going = false;

  /** `alarm`: one of 0 ms goes off in another turn of the event loop. */
  constructor(alarm: Alarm) {
    this.#alarm = alarm;
  }

  /** Calls `fn` once, in another turn. @returns what cancels it. */
  call(fn: () => void): () => void {
    const entry = () => fn(); // one of its own each time
    this.#waiting.add(entry);
    if (!this.#going) this.#cancel ??= this.#alarm.set(0, this.#ring);
    return () => {
      if (!this.#waiting.delete(entry) || this.#waiting.size > 0 || this.#going) return;
      this.#cancel?.(); // nothing keeps the process alive any more
      this.#cancel = undefined;
    };
  }

  readonly #ring = async (): Promise<void> => {
    this.#going = true;
    const until = this.#alarm.now() + SLICE_MS;
    let left = this.#waiting.size; // who comes meanwhile has another turn
    try {
      for (const entry of this.#waiting) {
        if (left-- === 0) break;
        this.#waiting.delete(entry);
        entry();
        await undefined; // what waited for it is done now
        if (this.#alarm.now() >= until) break;
      }
    } finally {
      this.#going = false;
      this.#cancel = this.#waiting.size > 0 ? this.#alarm.set(0, this.#ring) : undefined;
    }
  };
}
