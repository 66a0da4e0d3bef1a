/**
 * Where a connection is read: room for a frame header in front, small while idle, larger while reads fill it.
 *
 * @module
 */

import { MAX_READ } from "../net/limits.ts";
import { FRAME_BUFFER_SIZE } from "../protocol/v2/limits.ts";
import { MIN_READ } from "./limits.ts";
import { takeFrame } from "../protocol/v2/send/frame_pool.ts";

/** Reads in a row that must use less than a quarter of the buffer before it shrinks. */
const SHRINK_AFTER = 8;

/** A read buffer that fits itself to what is read. A pending read holds it, so an idle connection holds a small one. */
export class ReadBuffer {
  /** Headroom and payload. */
  frame: Uint8Array;
  /** The part to read into. */
  payload: Uint8Array;

  readonly #headroom: number;
  readonly #max: number;
  #small = 0;

  /** A small buffer, to grow up to `maxPayload`. */
  constructor(headroom: number, maxPayload: number) {
    this.#headroom = headroom;
    this.#max = Math.min(maxPayload, MAX_READ);
    this.frame = new Uint8Array(headroom + MIN_READ);
    this.payload = this.frame.subarray(headroom);
  }

  /** Learns from a read of `count` bytes; call it when the frame may be touched again. `kept`: it may not, ever. */
  learn(count: number, kept = false): void {
    const size = this.payload.length;
    if (count === size) {
      if (size < this.#max) this.#resize(size * 8);
    } else if (count * 4 > size || size === MIN_READ) {
      this.#small = 0;
    } else if (++this.#small >= SHRINK_AFTER) {
      this.#resize(size / 8);
    }
    if (kept && this.payload.length === size) this.#resize(size);
  }

  #resize(size: number): void {
    this.#small = 0;
    const total = this.#headroom + Math.min(this.#max, Math.max(MIN_READ, Math.floor(size)));
    this.frame = total === FRAME_BUFFER_SIZE ? takeFrame() : new Uint8Array(total);
    this.payload = this.frame.subarray(this.#headroom);
  }
}
