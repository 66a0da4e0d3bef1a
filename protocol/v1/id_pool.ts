/**
 * The client ids of one v1 link, handed out so that an id comes back as late as can be.
 *
 * @module
 */

import { CROSSED_ID_REST_MS, V1_MAX_CHANNELS } from "./limits.ts";

/**
 * Client ids in the order of the original server (1, 2, … 255, 0), then the one that was given back first.
 *
 * An id that the device may still answer for rests a while, and is taken earlier only when no other is left.
 */
export class IdPool {
  readonly #ready: number[] = [];
  readonly #resting: { id: number; until: number }[] = [];

  /** All ids of a v1 link, none of them in use. */
  constructor(size: number = V1_MAX_CHANNELS) {
    for (let n = 1; n <= size; n++) this.#ready.push(n % size);
  }

  /** Ids that can be taken. */
  get free(): number {
    return this.#ready.length + this.#resting.length;
  }

  /** Takes an id, or `undefined` when all are in use. `now` in milliseconds. */
  take(now: number): number | undefined {
    while (this.#resting.length > 0 && this.#resting[0]!.until <= now) {
      this.#ready.push(this.#resting.shift()!.id);
    }
    return this.#ready.shift() ?? this.#resting.shift()?.id;
  }

  /** Gives back an id that the peer is done with. */
  release(id: number): void {
    this.#ready.push(id);
  }

  /** Gives back an id for which frames crossed: the peer may still send a CLOSE for it. */
  rest(id: number, now: number): void {
    this.#resting.push({ id, until: now + CROSSED_ID_REST_MS });
  }
}
