/**
 * Pieces of a write queue: borrowed views, and pooled buffers in which small pieces are gathered.
 *
 * @module
 */

import { MAX_POOLED, MAX_POOLED_SMALL, MIN_SEGMENT_SIZE, SEGMENT_SIZE, SMALL_SIZE } from "./limits.ts";

const pool: Uint8Array[] = [];
const largePool: Uint8Array[] = [];
const mediumPool: Uint8Array[] = [];

const smallPool: Uint8Array[] = [];

/** A buffer of {@linkcode SMALL_SIZE} bytes. */
export function takeSmall(): Uint8Array {
  return smallPool.pop() ?? new Uint8Array(SMALL_SIZE);
}

/** Gives a buffer back. */
export function giveSmall(buffer: Uint8Array): void {
  if (smallPool.length < MAX_POOLED_SMALL) smallPool.push(buffer);
}

/** A piece that waits to be written. */
export class Segment {
  #buffer: Uint8Array;
  #fill: number;
  #release: (() => void) | undefined;
  readonly #kept: boolean;

  private constructor(buffer: Uint8Array, fill: number, release: (() => void) | undefined, kept = false) {
    this.#kept = kept;
    this.#buffer = buffer;
    this.#fill = fill;
    this.#release = release;
  }

  /** A piece that is written from where it stands. */
  static borrowed(bytes: Uint8Array, release: () => void): Segment {
    return new Segment(bytes, bytes.length, release);
  }

  /** A piece that nobody touches, and that others may stand right behind. */
  static kept(bytes: Uint8Array): Segment {
    return new Segment(bytes, bytes.length, undefined, true);
  }

  /** Takes `bytes` too, if this piece is kept and they stand right behind it. @returns whether they do. */
  extend(bytes: Uint8Array): boolean {
    const { buffer, byteOffset } = this.#buffer;
    if (!this.#kept || buffer !== bytes.buffer || byteOffset + this.#fill !== bytes.byteOffset) return false;
    this.#fill += bytes.length;
    this.#buffer = new Uint8Array(buffer, byteOffset, this.#fill);
    return true;
  }

  /** An empty piece to gather in, with room for `size` bytes or more, up to {@linkcode SEGMENT_SIZE}. */
  static sized(size: number): Segment {
    if (size > SEGMENT_SIZE / 2) return Segment.pooled();
    let room = MIN_SEGMENT_SIZE;
    while (room < size) room *= 2;
    const free = room === 16 * 1024 ? mediumPool : room === 32 * 1024 ? largePool : undefined;
    if (!free) return new Segment(new Uint8Array(room), 0, undefined);
    const buffer = free.pop() ?? new Uint8Array(room);
    return new Segment(buffer, 0, () => {
      if (free.length < MAX_POOLED) free.push(buffer);
    });
  }

  /** An empty piece to gather in, of {@linkcode SEGMENT_SIZE} bytes. */
  static pooled(): Segment {
    const buffer = pool.pop() ?? new Uint8Array(SEGMENT_SIZE);
    return new Segment(buffer, 0, () => {
      if (pool.length < MAX_POOLED) pool.push(buffer);
    });
  }

  /** What is to be written. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#fill);
  }

  /** Bytes that can still be gathered here. */
  get room(): number {
    return this.#buffer.length - this.#fill;
  }

  /** Copies what fits of `bytes` from `at` on. @returns how many bytes. */
  append(bytes: Uint8Array, at: number): number {
    const count = Math.min(this.room, bytes.length - at);
    this.#buffer.set(at === 0 && count === bytes.length ? bytes : bytes.subarray(at, at + count), this.#fill);
    this.#fill += count;
    return count;
  }

  /** To be called once, when the bytes are written or dropped. */
  readonly done = (): void => {
    this.#release?.();
    this.#release = undefined;
  };
}
