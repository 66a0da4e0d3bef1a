/**
 * What one side of a session has sent and the other has not acknowledged: kept in order, byte for byte, for replay.
 *
 * @module
 */

import { FRAME_BUFFER_SIZE, MAX_KEPT_CONTROL, MAX_ON_THE_WAY, MIN_KEPT_CONTROL, SMALL_LOG_SIZE } from "../limits.ts";
import { giveFrame, takeFrame } from "./frame_pool.ts";
import type { SharedBound } from "./shared_bound.ts";

/** Bytes that stand together. */
interface Piece {
  readonly buffer: Uint8Array;
  /** The part of it that is kept. */
  readonly start: number;
  end: number;
  /** Whether small frames may be put behind it. */
  open: boolean;
  /** Whether nobody else can still be looking at it once it is acknowledged. */
  pooled: boolean;
}

/**
 * A queue of bytes between two positions. A large frame is kept where it stands, in the buffer in which it was read,
 * so keeping it costs nothing; small ones are copied together. An acknowledgement frees whole buffers.
 */
export class SendLog {
  readonly #budget: SharedBound | undefined;
  readonly #pieces: (Piece | undefined)[] = [];
  #first = 0; // index of the oldest piece
  #start = 0; // position of that piece's first byte
  #base = 0;
  #end = 0;
  #small: Uint8Array | undefined;
  #held = 0;
  #closed = false;

  /** An empty log. It has a share of `budget` until it is closed. */
  constructor(budget?: SharedBound) {
    this.#budget = budget;
    budget?.join();
  }

  /** Position of the first byte that is kept. */
  get base(): number {
    return this.#base;
  }

  /** Position behind the last one. */
  get end(): number {
    return this.#end;
  }

  /** Bytes that are kept. */
  get size(): number {
    return this.#end - this.#base;
  }

  /** Bytes of the buffers that it holds, whatever part of them is kept. */
  get held(): number {
    return this.#held;
  }

  /** Bytes that it may hold now, as far as that can be chosen. */
  get limit(): number {
    return this.#budget?.limit(this.#held) ?? MAX_ON_THE_WAY;
  }

  /** Bytes of control frames that it may come to keep: when all logs hold as much as they may, each has less. */
  get controlLimit(): number {
    if (!this.#budget?.spent) return MAX_KEPT_CONTROL;
    return Math.min(MAX_KEPT_CONTROL, Math.max(MIN_KEPT_CONTROL, this.#budget.share));
  }

  /** Keeps `size` bytes from the start of `frame` where they stand; nobody else may touch its buffer from then on. */
  keep(frame: Uint8Array, size: number): void {
    this.#push({ buffer: frame, start: 0, end: size, open: false, pooled: true });
    this.#end += size;
  }

  /** Keeps a copy of `bytes`, {@linkcode FRAME_BUFFER_SIZE} at most. @returns the copy. */
  copy(bytes: Uint8Array): Uint8Array {
    let last = this.#first < this.#pieces.length ? this.#pieces.at(-1) : undefined;
    if (!last?.open || last.end + bytes.length > last.buffer.length) {
      last = { buffer: this.#bufferFor(bytes.length), start: 0, end: 0, open: true, pooled: true };
      this.#push(last);
    }
    const at = last.end;
    last.buffer.set(bytes, at);
    last.end += bytes.length;
    this.#end += bytes.length;
    return last.buffer.subarray(at, last.end);
  }

  /** Lets go of all before `position`, which has to be between {@linkcode SendLog.base} and {@linkcode SendLog.end}. */
  acknowledged(position: number): void {
    this.#base = position;
    while (this.#first < this.#pieces.length) {
      const { buffer, start, end, pooled } = this.#pieces[this.#first]!;
      if (this.#start + end - start > position) break;
      this.#pieces[this.#first++] = undefined;
      this.#hold(-buffer.length);
      this.#start += end - start;
      if (pooled && buffer !== this.#small) giveFrame(buffer);
    }
    if (this.#first === this.#pieces.length) {
      this.#pieces.length = this.#first = 0;
    } else if (this.#first > 64 && this.#first * 2 > this.#pieces.length) {
      this.#pieces.splice(0, this.#first);
      this.#first = 0;
    }
  }

  /** What is kept, in order. The views are valid until it is acknowledged. */
  *kept(): Generator<Uint8Array> {
    let position = this.#start;
    for (const piece of this.#pieces.slice(this.#first)) {
      const { buffer, start, end } = piece!;
      const from = start + Math.max(0, this.#base - position);
      position += end - start;
      if (from < end) yield buffer.subarray(from, end);
    }
  }

  /**
   * A link has ended: its socket may still be about to send what is kept. So these buffers are never used for anything
   * else, which a peer that did not read the old link could come to see. What stands behind, it does not send.
   */
  unpool(): void {
    for (const piece of this.#pieces.slice(this.#first)) piece!.pooled = false;
  }

  /** The session is over: lets go of everything, and of its share. Idempotent. */
  close(): void {
    this.acknowledged(this.#end);
    if (!this.#closed) this.#budget?.leave();
    this.#closed = true;
  }

  #push(piece: Piece): void {
    this.#pieces.push(piece);
    this.#hold(piece.buffer.length);
  }

  #hold(size: number): void {
    this.#held += size;
    if (this.#budget) this.#budget.held += size;
  }

  /** A link that only carries keystrokes needs no more than one small buffer of its own. */
  #bufferFor(size: number): Uint8Array {
    if (this.size === 0 && size <= SMALL_LOG_SIZE) return this.#small ??= new Uint8Array(SMALL_LOG_SIZE);
    if (size > FRAME_BUFFER_SIZE) throw new RangeError(`Cannot copy ${size} bytes: ${FRAME_BUFFER_SIZE} are the most`);
    return takeFrame();
  }
}
