/**
 * Gather, flush now: the one way bytes are written, to links and to receivers alike.
 *
 * What the system takes at once is gone at once, from where it stands. The rest waits, and what comes meanwhile is gathered
 * and leaves in the next write. Small pieces are copied together; a large one is written from where it stands, and its owner
 * told when it may touch it again. On a link, small pieces of one pass of the engine's loop leave together, at its end.
 *
 * @module
 */

import { JOIN_MAX, SMALL_SIZE } from "./limits.ts";
import type { Duplex } from "../net/socket.ts";
import { giveSmall, Segment, takeSmall } from "./segment.ts";

/** How a queue treats what it is given. */
export interface WriteQueueOptions {
  /** Pieces up to this size are copied, also when nothing is pending. */
  readonly copyMax: number;
  /** Pieces up to this size are copied while a write is pending; with `Infinity` at most one piece is ever borrowed. */
  readonly busyCopyMax: number;
  /**
   * Whether what is gathered stands in buffers that fit it: one of a thousand queues that each wait for a slow peer
   * must not hold many times what waits in it. @default {false}
   */
  readonly fits?: boolean;
  /** Whether small pieces wait for the end of the engine's pass, to leave in one write. @default {false} */
  readonly joins?: boolean;
  /** Called once, when a write fails; what waited is dropped. */
  onError(error: unknown): void;
  /** Called after each write, with less pending than before; also before the call that queued it returns. It may write. */
  onProgress?(): void;
}

const NOTHING = (): void => {};

/** A bounded-by-its-owner queue of bytes in front of a {@linkcode Duplex}; watch `pending`. */
export class WriteQueue {
  readonly #options: WriteQueueOptions;
  #duplex: Duplex | undefined;

  // What waits, oldest first.
  #segments: Segment[] = [];
  #queued = 0; // bytes ever given
  #gone = 0; // bytes ever written or dropped

  // The write under way.
  #current: Uint8Array | undefined;
  #release: (() => void) | undefined;
  #small: Uint8Array | undefined;
  #writing = false;
  #writes = 0;
  #joined = false; // what waits leaves at the end of the pass
  #moved = false; // that some was written at once is still to be told

  // The end.
  #failure: { readonly error: unknown } | undefined; // of a write that was tried at once, and is still to be told
  #failed = false;
  #waiting: { readonly position: number; readonly resolve: () => void }[] = [];

  /** A queue in front of `duplex`; without one it gathers until {@linkcode WriteQueue.attach}. */
  constructor(duplex: Duplex | undefined, options: WriteQueueOptions) {
    this.#duplex = duplex;
    this.#options = options;
  }

  /** Bytes given to the queue that the kernel has not taken. */
  get pending(): number {
    return this.#queued - this.#gone;
  }

  /** Bytes ever given to the queue. */
  get queued(): number {
    return this.#queued;
  }

  /** Bytes ever written, or dropped after a failure. */
  get written(): number {
    return this.#gone;
  }

  /** Writes that have come back; while `pending` is not 0 and this stands still, the peer takes nothing. */
  get progress(): number {
    return this.#writes;
  }

  /** Gives the queue what it writes to. */
  attach(duplex: Duplex): void {
    this.#duplex = duplex;
    if (!this.#failed) this.#next();
  }

  /**
   * Queues `bytes`.
   *
   * @param release Called when the bytes may be touched again, if they were borrowed.
   * @returns whether they were borrowed; if not, they were written or copied (or dropped, after a failure).
   */
  write(bytes: Uint8Array, release: () => void): boolean {
    const isBorrowed = this.#add(bytes, release);
    this.#tell();
    return isBorrowed;
  }

  #add(bytes: Uint8Array, release: () => void): boolean {
    if (this.#failed || bytes.length === 0) return false;
    this.#queued += bytes.length;
    if (this.#joins(bytes)) return false;
    const taken = this.#writeNow(bytes);
    if (taken === bytes.length) return false;
    if (taken > 0) bytes = bytes.subarray(taken);
    const busy = this.#writing || this.#duplex === undefined;
    if (bytes.length <= (busy ? this.#options.busyCopyMax : this.#options.copyMax)) {
      if (busy) this.#gather(bytes);
      else this.#startCopy(bytes);
      return false;
    }
    if (busy) this.#segments.push(Segment.borrowed(bytes, release));
    else this.#start(bytes, release);
    return true;
  }

  /** Queues `bytes` that stay as they are until they are long written; what stands together is written together. */
  keep(bytes: Uint8Array): void {
    if (bytes.length <= this.#options.copyMax) return void this.write(bytes, NOTHING);
    this.#addKept(bytes);
    this.#tell();
  }

  #addKept(bytes: Uint8Array): void {
    if (this.#failed) return;
    this.#queued += bytes.length;
    const taken = this.#writeNow(bytes);
    if (taken === bytes.length) return;
    if (taken > 0) bytes = bytes.subarray(taken);
    if (!this.#writing && this.#duplex) return this.#start(bytes, undefined);
    if (!this.#segments.at(-1)?.extend(bytes)) this.#segments.push(Segment.kept(bytes));
  }

  /** Queues a copy of `bytes`, whatever their size. */
  copy(bytes: Uint8Array): void {
    this.#addCopy(bytes);
    this.#tell();
  }

  #addCopy(bytes: Uint8Array): void {
    if (this.#failed) return;
    this.#queued += bytes.length;
    if (this.#joins(bytes)) return;
    const taken = this.#writeNow(bytes);
    if (taken === bytes.length) return;
    this.#gather(taken > 0 ? bytes.subarray(taken) : bytes);
    if (!this.#writing && this.#duplex) this.#next();
  }

  /**
   * Resolves when everything that was given to the queue before this call is written, or the queue has failed. What is
   * given later does not matter, so nobody waits longer because others go on.
   */
  flushed(): Promise<void> {
    if (this.pending === 0) return Promise.resolve();
    return new Promise((resolve) => this.whenFlushed(resolve));
  }

  /** Calls `fn` then, without a promise; something has to be pending. */
  whenFlushed(fn: () => void): void {
    this.#waiting.push({ position: this.#queued, resolve: fn });
  }

  /** Drops what waits for a peer, and takes nothing more. Idempotent. */
  abandon(): void {
    if (this.#failed) return;
    if (this.#joined) this.#leaveNow(); // it waits for this side alone
    this.#failed = true;
    this.#gone = this.#queued;
    for (const segment of this.#segments.splice(0)) segment.done();
    this.#wake();
    // A write under way keeps its bytes until the socket is closed under it, and releases them then.
  }

  /** Bytes that wait for the write under way: what is gathered, and what else was queued. */
  get #gathered(): number {
    return this.pending - (this.#current?.length ?? 0);
  }

  /** Whether a small piece is gathered, to leave with others at the end of the pass. */
  #joins(bytes: Uint8Array): boolean {
    if (bytes.length > JOIN_MAX) return false;
    if (!this.#joined) {
      if (!this.#options.joins || this.#writing || !this.#duplex?.afterPass?.(this.#leave)) return false;
      this.#joined = true;
    }
    this.#gather(bytes);
    return true;
  }

  readonly #leave = (): void => {
    if (!this.#joined) return; // it has left ahead of something large
    this.#leaveNow();
    this.#tell();
  };

  /** What was gathered in the pass is written, as far as the system takes it. */
  #leaveNow(): void {
    this.#joined = false;
    for (let segment = this.#segments.shift(); segment; segment = this.#segments.shift()) {
      const { bytes } = segment;
      const taken = this.#writeNow(bytes);
      if (taken < bytes.length) return this.#start(taken > 0 ? bytes.subarray(taken) : bytes, segment.done);
      segment.done();
    }
  }

  /** Tells that some was written at once: when all is in its place, as whoever hears of it may write more. */
  #tell(): void {
    if (!this.#moved) return;
    this.#moved = false;
    this.#options.onProgress?.();
    this.#wake();
  }

  /** What of `bytes` is written without a wait, when nothing else waits. */
  #writeNow(bytes: Uint8Array): number {
    if (this.#joined) this.#leaveNow();
    const duplex = this.#duplex;
    if (this.#writing || !duplex?.writeNow || this.#failure) return 0;
    let count: number;
    try {
      count = duplex.writeNow(bytes);
    } catch (error) {
      this.#failure = { error }; // told by the write that is to come, when whoever calls has returned
      return 0;
    }
    if (count === 0) return 0;
    this.#writes++;
    this.#gone += count;
    this.#moved = true;
    return count;
  }

  #gather(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      let last = this.#segments.at(-1);
      if (!last || last.room === 0) {
        const rest = bytes.length - at;
        last = this.#options.fits ? Segment.sized(Math.max(rest, this.#gathered)) : Segment.pooled();
        this.#segments.push(last);
      }
      at += last.append(bytes, at);
    }
  }

  #next(): void {
    const segment = this.#segments.shift();
    if (segment) this.#start(segment.bytes, segment.done);
  }

  /** The common case of a keystroke: no segment, no closure, one copy of a few bytes. */
  #startCopy(bytes: Uint8Array): void {
    const buffer = bytes.length <= SMALL_SIZE ? takeSmall() : undefined;
    if (!buffer) {
      this.#gather(bytes);
      return this.#next();
    }
    buffer.set(bytes);
    this.#small = buffer;
    this.#start(buffer.subarray(0, bytes.length), undefined);
  }

  #start(bytes: Uint8Array, release: (() => void) | undefined): void {
    this.#writing = true;
    this.#current = bytes;
    this.#release = release;
    this.#continue();
  }

  #continue(): void {
    const write = this.#failure ? Promise.reject(this.#failure.error) : this.#duplex!.write(this.#current!);
    (write instanceof Promise ? write : Promise.resolve(write)).then(this.#written, this.#broken);
  }

  readonly #written = (count: number): void => {
    const current = this.#current!;
    this.#writes++;
    if (!this.#failed) this.#gone += count;
    if (count < current.length && !this.#failed) {
      this.#current = current.subarray(count);
      this.#continue();
    } else {
      this.#settle();
      if (!this.#failed) this.#next();
    }
    this.#options.onProgress?.();
    this.#wake();
  };

  readonly #broken = (error: unknown): void => {
    const first = !this.#failed;
    this.#settle();
    this.abandon();
    if (first) this.#options.onError(error);
  };

  #settle(): void {
    const release = this.#release;
    this.#current = undefined;
    this.#release = undefined;
    if (this.#small) {
      giveSmall(this.#small);
      this.#small = undefined;
    }
    release?.(); // what it writes goes behind what waits
    this.#writing = false;
  }

  #wake(): void {
    while (this.#waiting.length > 0 && this.#waiting[0]!.position <= this.#gone) this.#waiting.shift()!.resolve();
  }
}
