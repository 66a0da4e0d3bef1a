/**
 * One bound on memory that many links share, so that none can take what is another's.
 *
 * @module
 */

import { FEWEST_SHARES } from "../limits.ts";

/**
 * Half of the bound is divided evenly: so much a member may always hold, whatever the others do. The other half is for
 * whoever needs more, as long as it lasts. With fewer than {@linkcode FEWEST_SHARES} members it is divided as if there
 * were so many, so that one who comes later still finds its share.
 */
export class SharedBound {
  /** Bytes that all hold. */
  held = 0;

  readonly #bound: number;
  #members = 0;

  /** A bound of `bound` bytes. */
  constructor(bound: number) {
    this.#bound = bound;
  }

  /** A member comes. */
  join(): void {
    this.#members++;
  }

  /** A member goes; what it held was given back before. */
  leave(): void {
    this.#members--;
  }

  /** Whether the bound is reached. */
  get spent(): boolean {
    return this.held >= this.#bound;
  }

  /** Bytes that any member may hold, whatever the others hold. */
  get share(): number {
    return Math.floor(this.#bound / 2 / Math.max(FEWEST_SHARES, this.#members));
  }

  /** Bytes that a member that holds `own` may hold in all: its share, or what the others leave of the common half. */
  limit(own: number): number {
    return Math.max(this.share, Math.floor(this.#bound / 2) - (this.held - own));
  }

  /** Bytes that a member that holds `own` may take at most, when what it takes does not grow. */
  room(own: number): number {
    return Math.max(0, this.#bound - this.held, this.share - own);
  }
}
