/**
 * The frames that wait for one client. A bus cannot be held back: when there are too many, the oldest go.
 *
 * @module
 */

import type { CanFrame } from "../frame.ts";

const FIRST_SIZE = 64;

/** A ring of frames. */
export class FrameQueue {
  /** Frames that went because there were too many, ever. */
  lost = 0;
  readonly #max: number;
  #ring: (CanFrame | undefined)[] = new Array(FIRST_SIZE);
  #start = 0;
  #length = 0;

  /** At most `max` frames, a power of two. */
  constructor(max: number) {
    this.#max = max;
  }

  /** Frames that wait. */
  get length(): number {
    return this.#length;
  }

  /** Adds one at the end. */
  push(frame: CanFrame): void {
    if (this.#length === this.#ring.length) this.#makeRoom();
    this.#ring[(this.#start + this.#length++) & (this.#ring.length - 1)] = frame;
  }

  /** Takes the oldest. */
  shift(): CanFrame | undefined {
    if (this.#length === 0) return undefined;
    const frame = this.#ring[this.#start];
    this.#ring[this.#start] = undefined;
    this.#start = (this.#start + 1) & (this.#ring.length - 1);
    this.#length--;
    return frame;
  }

  /** Forgets all. */
  clear(): void {
    this.#ring = new Array(FIRST_SIZE);
    this.#start = this.#length = 0;
  }

  #makeRoom(): void {
    const size = this.#ring.length;
    if (size >= this.#max) {
      this.shift();
      this.lost++;
      return;
    }
    this.#ring = [...this.#ring.slice(this.#start), ...this.#ring.slice(0, this.#start), ...new Array(size)];
    this.#start = 0;
  }
}
