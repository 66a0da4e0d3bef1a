/**
 * The chunks that a link reads into. Receivers write views of them, so a chunk is used again only when nobody needs it.
 *
 * @module
 */

import { MAX_LINK_CHUNK, MIN_LINK_CHUNK } from "./limits.ts";

/** Reads in a row that must use less than a quarter of a chunk before it shrinks. */
const SHRINK_AFTER = 16;

/** One chunk, and how many writes still need its bytes. */
export class ReceiveChunk {
  /** Where a read goes. */
  readonly bytes: Uint8Array;
  #pins = 0;

  /** A chunk of `size` bytes. */
  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  /** Whether a write still needs the bytes. */
  get pinned(): boolean {
    return this.#pins > 0;
  }

  /** Keeps the bytes until {@linkcode ReceiveChunk.unpin}. */
  pin(): void {
    this.#pins++;
  }

  /** Lets go of the bytes; a bound function, to be handed out without a closure. */
  readonly unpin = (): void => {
    this.#pins--;
  };
}

/** The chunk for a link's next read, as large as its reads need. */
export class ReceiveChunks {
  #current: ReceiveChunk = new ReceiveChunk(MIN_LINK_CHUNK);
  #spare: ReceiveChunk | undefined;
  #small = 0;

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
    this.#current = fits ? spare : new ReceiveChunk(left.bytes.length);
    this.#spare = left;
    return this.#current;
  }

  /** Learns from a read of `count` bytes. */
  learn(count: number): void {
    const size = this.#current.bytes.length;
    if (count === size && size < MAX_LINK_CHUNK) return this.#resize(size * 4);
    if (count * 4 > size || size === MIN_LINK_CHUNK) {
      this.#small = 0;
    } else if (++this.#small >= SHRINK_AFTER) {
      this.#resize(size / 4);
    }
  }

  #resize(size: number): void {
    this.#small = 0;
    this.#current = new ReceiveChunk(Math.min(MAX_LINK_CHUNK, Math.max(MIN_LINK_CHUNK, size)));
    this.#spare = undefined;
  }
}
