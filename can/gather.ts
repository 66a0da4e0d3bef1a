/**
 * Gathers what comes in pieces, up to a size that is known before.
 *
 * @module
 */

/** A bounded buffer in front of a parser. */
export class Gather {
  #bytes: Uint8Array;
  #start = 0;
  #end = 0;

  /** Room for `size` bytes at first; it grows as far as what is asked for. */
  constructor(size: number) {
    this.#bytes = new Uint8Array(size);
  }

  /** Bytes that are there. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** What is there; valid until the next call of anything else. */
  get view(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  /** Adds as much of `chunk`, from `at` on, as makes `size` bytes in all. @returns how far it was taken. */
  fill(chunk: Uint8Array, at: number, size: number): number {
    const count = Math.min(size - this.length, chunk.length - at);
    if (count <= 0) return at;
    this.#room(count, size);
    this.#bytes.set(chunk.subarray(at, at + count), this.#end);
    this.#end += count;
    return at + count;
  }

  /** Forgets what is there. */
  clear(): void {
    this.#start = this.#end = 0;
  }

  #room(count: number, size: number): void {
    if (this.#end + count <= this.#bytes.length) return;
    const rest = this.view;
    if (size > this.#bytes.length) {
      this.#bytes = new Uint8Array(Math.max(Math.min(2 * this.#bytes.length, size), rest.length + count));
    }
    this.#bytes.set(rest, 0);
    this.#end -= this.#start;
    this.#start = 0;
  }
}
