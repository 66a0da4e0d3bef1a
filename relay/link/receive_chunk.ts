/**
 * The chunks that a link reads into. Receivers write views of them, so a chunk is used again only when nobody needs it.
 *
 * @module
 */

import { COPY_MAX, MAX_LEFT_CHUNKS, MAX_LINK_CHUNK, MAX_PIECES_A_READ, MIN_LINK_CHUNK } from "../limits.ts";

/** Reads in a row that must use less than a quarter of a chunk before it shrinks. */
const SHRINK_AFTER = 16;

/** What the chunks of a link are counted against. */
export interface ChunkBudget {
  /** Bytes that may still be held, about; 0 or less: none. */
  readonly largest: number;
  /** Counts bytes that are held. */
  charge(size: number): void;
  /** They are not any more. */
  give(size: number): void;
}

/** Where there is no credit, the bounds of the receivers' backlog are all that counts. */
const AMPLE: ChunkBudget = { largest: Infinity, charge() {}, give() {} };

/** What chunks that reading went on without come to. */
class LeftChunks {
  bytes = 0;
  readonly budget: ChunkBudget;

  constructor(budget: ChunkBudget) {
    this.budget = budget;
  }

  count(size: number): void {
    this.bytes += size;
    this.budget.charge(size);
  }
}

/** One chunk, and how many writes still need its bytes. */
export class ReceiveChunk {
  /** Where a read goes. */
  readonly bytes: Uint8Array;
  /** Pieces of the last read that were delivered. */
  pieces = 0;
  #pins = 0;
  #isLeft = false;
  readonly #left: LeftChunks;

  /** A chunk of `size` bytes. */
  constructor(size: number, left = new LeftChunks(AMPLE)) {
    this.bytes = new Uint8Array(size);
    this.#left = left;
  }

  /** Whether a write still needs the bytes. */
  get pinned(): boolean {
    return this.#pins > 0;
  }

  /**
   * Whether a view of `size` bytes may be written from where it stands. While its write is blocked the whole chunk is
   * held: that may be many times what any window counts, so it is allowed for a link's first few, or for a large part
   * of a chunk, and as long as there is room for both. A piece up to {@linkcode COPY_MAX} is copied anyway. It is counted.
   */
  lends(size: number): boolean {
    this.pieces++;
    if (size <= COPY_MAX) return true;
    const { bytes, budget } = this.#left;
    const whole = this.bytes.length;
    return (bytes < MAX_LEFT_CHUNKS || size * 2 >= whole) && budget.largest >= whole;
  }

  /** Keeps the bytes until {@linkcode ReceiveChunk.unpin}. */
  pin(): void {
    this.#pins++;
  }

  /** Lets go of the bytes; a bound function, to be handed out without a closure. */
  readonly unpin = (): void => {
    if (--this.#pins > 0 || !this.#isLeft) return;
    this.#isLeft = false;
    this.#left.count(-this.bytes.length);
  };

  /** Reading goes on elsewhere: what is still pinned counts as held from now on. */
  leave(): void {
    if (this.#pins === 0 || this.#isLeft) return;
    this.#isLeft = true;
    this.#left.count(this.bytes.length);
  }
}

/** The chunk for a link's next read, as large as its reads need. */
export class ReceiveChunks {
  /** Control frames that were sent since the last read: its owner counts them. */
  answers = 0;
  readonly #left: LeftChunks;
  #current: ReceiveChunk;
  #spare: ReceiveChunk | undefined;
  #small = 0;

  /** A small chunk at first. `budget`: what pinned chunks count against. */
  constructor(budget: ChunkBudget = AMPLE) {
    this.#left = new LeftChunks(budget);
    this.#current = new ReceiveChunk(MIN_LINK_CHUNK, this.#left);
  }

  /** The chunk of the last {@linkcode ReceiveChunks.next}. */
  get current(): ReceiveChunk {
    return this.#current;
  }

  /** A chunk that nobody needs. A pinned one is left to its writers, and kept as a spare for later. */
  next(): ReceiveChunk {
    if (!this.#current.pinned) return this.#current;
    const left = this.#current;
    const spare = this.#spare;
    const fits = spare !== undefined && !spare.pinned && spare.bytes.length === left.bytes.length;
    this.#current = fits ? spare : new ReceiveChunk(left.bytes.length, this.#left);
    this.#spare = left;
    left.leave();
    return this.#current;
  }

  /** Learns from a read of `count` bytes. What is many pieces, or asks for many answers, costs time: less is read at once. */
  learn(count: number): void {
    const size = this.#current.bytes.length;
    const isCostly = this.answers + this.#current.pieces > MAX_PIECES_A_READ;
    this.answers = this.#current.pieces = 0;
    if (isCostly) return size > MIN_LINK_CHUNK ? this.#resize(size / 4) : undefined;
    if (count === size && size < MAX_LINK_CHUNK) return this.#resize(size * 4);
    if (count * 4 > size || size === MIN_LINK_CHUNK) {
      this.#small = 0;
    } else if (++this.#small >= SHRINK_AFTER) {
      this.#resize(size / 4);
    }
  }

  #resize(size: number): void {
    this.#small = 0;
    this.#current.leave();
    this.#current = new ReceiveChunk(Math.min(MAX_LINK_CHUNK, Math.max(MIN_LINK_CHUNK, size)), this.#left);
    this.#spare = undefined;
  }
}

/** Where a pump's bytes come from: the link that is up. */
export interface ChunkSource {
  /** The chunk that is being decoded. */
  readonly chunk: ReceiveChunk;
  /** Pauses the link's reading until as many {@linkcode ChunkSource.unhold} have come. */
  hold(): void;
  /** See {@linkcode ChunkSource.hold}. */
  unhold(): void;
  /** Resolves when everything that was sent so far has been taken by the kernel, or the link has ended. */
  flushed(): Promise<void>;
}
