/**
 * The frames that ask for an acknowledgement and have none yet.
 *
 * @module
 */

/** As many as are remembered; with a flag for each quarter of what may be on the way, about 8 are in use. */
const CAPACITY = 16;

// A frame is a row of numbers.
/** Position behind it. */
export const END = 0;
/** When it was sent, in milliseconds. */
export const AT = 1;
/** Position that was acknowledged then, and the time of that. */
export const FROM = 2;
export const FROM_AT = 3;
/** Position behind the flagged frame that was acknowledged last then, and when that one had been sent. */
export const OPEN = 4;
export const OPEN_AT = 5;
/** {@linkcode UNDEMANDING}, {@linkcode CLEAN}, or both. */
export const MARKS = 6;
const FIELDS = 7;

/** In MARKS: the sender had too little to send, or was held for a probe: the rate seen is no bound of the path's. */
export const UNDEMANDING = 1;
/** In MARKS: it met no queue of ours: its round trip is that of the path. */
export const CLEAN = 2;

/** A ring of such frames in the order of their sending. Nothing is allocated after its construction. */
export class FlaggedFrames {
  /** The newest frame that {@linkcode FlaggedFrames.take} took. */
  readonly taken = new Float64Array(FIELDS);
  readonly #rows = Array.from({ length: CAPACITY }, () => new Float64Array(FIELDS));
  #first = 0;
  #count = 0;

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** Whether no other can be remembered now. */
  get full(): boolean {
    return this.#count === CAPACITY;
  }

  /** Adds a frame, unless it is full. @returns its row, to be filled in. */
  add(): Float64Array {
    return this.#rows[(this.#first + this.#count++) % CAPACITY]!;
  }

  /** Takes those that end at `position` or before it. @returns whether there were any. */
  take(position: number): boolean {
    let any = false;
    while (this.#count > 0 && this.#rows[this.#first]![END]! <= position) {
      this.taken.set(this.#rows[this.#first]!);
      this.#first = (this.#first + 1) % CAPACITY;
      this.#count--;
      any = true;
    }
    return any;
  }
}
