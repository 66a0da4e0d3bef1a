/**
 * Buffers of 64 KiB that come and go with every large frame: kept for reuse by the whole process.
 *
 * @module
 */

import { FRAME_BUFFER_SIZE, MAX_POOLED_FRAMES } from "../limits.ts";

const pool: Uint8Array[] = [];

/** A buffer of {@linkcode FRAME_BUFFER_SIZE} bytes, with anything in it. */
export function takeFrame(): Uint8Array {
  return pool.pop() ?? new Uint8Array(FRAME_BUFFER_SIZE);
}

/** Gives a buffer back; nobody may touch it after that. Of another size, it is left to the collector. */
export function giveFrame(buffer: Uint8Array): void {
  if (buffer.length === FRAME_BUFFER_SIZE && pool.length < MAX_POOLED_FRAMES) pool.push(buffer);
}
