/**
 * Random choices that a seed repeats.
 *
 * @module
 */

/** A small generator with a seed (mulberry32), and the choices made from it. */
export class Random {
  #state: number;

  /** The same `seed` gives the same choices. */
  constructor(seed: number) {
    this.#state = seed | 0;
    for (let n = 0; n < 4; n++) this.fraction(); // neighbouring seeds begin alike
  }

  /** A number from 0 to 1, which it does not reach. */
  fraction(): number {
    this.#state = this.#state + 0x6d2b79f5 | 0;
    let t = Math.imul(this.#state ^ this.#state >>> 15, 1 | this.#state);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 to `max`. */
  upTo(max: number): number {
    return Math.floor(this.fraction() * (max + 1));
  }

  /** True once in `n` times. */
  oneIn(n: number): boolean {
    return this.upTo(n - 1) === 0;
  }

  /** One of several. */
  of<T>(first: T, ...others: T[]): T {
    return others[this.upTo(others.length) - 1] ?? first;
  }

  /** Bytes from 0 to `max`. */
  bytes(length: number, max = 255): Uint8Array {
    return Uint8Array.from({ length }, () => this.upTo(max));
  }
}
