/**
 * What happened in a run, and one number for all of it.
 *
 * @module
 */

import type { Time } from "./time.ts";

/** Lines that are kept for whoever looks for a fault. */
const KEPT_LINES = 2_000;

/** Writes down what happens, and when. */
export class Trace {
  /** The last lines. */
  readonly lines: string[] = [];
  readonly #time: Time;
  #hash = 0x811c9dc5;

  /** An empty one. */
  constructor(time: Time) {
    this.#time = time;
  }

  /** All lines as one number. */
  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }

  /** One line more. */
  add(line: string): void {
    const whole = `${this.#time.now.toFixed(3)} ${line}`;
    for (let at = 0; at < whole.length; at++) {
      this.#hash = Math.imul(this.#hash ^ whole.charCodeAt(at), 0x01000193);
    }
    this.lines.push(whole);
    if (this.lines.length > KEPT_LINES) this.lines.shift();
  }
}
