/**
 * Bytes that wait, up to a bound.
 *
 * @module
 */

const FIRST_SIZE = 1024;

/** A ring of bytes that grows up to `limit`; beyond, the oldest go. */
export class ByteQueue {
  /** Bytes that were lost. */
  lost = 0;
  readonly #limit: number;
  #ring = new Uint8Array(0);
  #from = 0;
  #length = 0;

  /** @param limit in bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes that wait. */
  get length(): number {
    return this.#length;
  }

  /** Bytes that there is room for without a loss. */
  get room(): number {
    return this.#limit - this.#length;
  }

  /** Takes a copy of `bytes`, all of them. @returns how many bytes were lost for it. */
  push(bytes: Uint8Array): number {
    const { lost } = this;
    if (bytes.length > this.#limit) {
      this.lost += bytes.length - this.#limit;
      bytes = bytes.subarray(bytes.length - this.#limit);
    }
    const over = bytes.length - this.room;
    if (over > 0) {
      this.lost += over;
      this.skip(over);
    }
    this.#grow(this.#length + bytes.length);
    const ring = this.#ring;
    const at = (this.#from + this.#length) % ring.length;
    const first = Math.min(bytes.length, ring.length - at);
    ring.set(bytes.subarray(0, first), at);
    ring.set(bytes.subarray(first), 0);
    this.#length += bytes.length;
    return this.lost - lost;
  }

  /** The oldest bytes, as many as lie together; a view until something is pushed. */
  peek(): Uint8Array {
    return this.#ring.subarray(this.#from, Math.min(this.#from + this.#length, this.#ring.length));
  }

  /** Drops the oldest bytes. */
  skip(count: number): void {
    this.#length -= count;
    this.#from = this.#length === 0 ? 0 : (this.#from + count) % this.#ring.length;
  }

  /** Drops everything, and the room for it. */
  clear(): void {
    this.#ring = new Uint8Array(0);
    this.#from = this.#length = 0;
  }

  #grow(size: number): void {
    if (size <= this.#ring.length && this.#ring.length > 0) return;
    let next = Math.max(FIRST_SIZE, this.#ring.length);
    while (next < size) next *= 2;
    const ring = new Uint8Array(Math.min(next, Math.max(size, this.#limit)));
    const head = this.peek();
    ring.set(head);
    ring.set(this.#ring.subarray(0, this.#length - head.length), head.length);
    this.#ring = ring;
    this.#from = 0;
  }
}
