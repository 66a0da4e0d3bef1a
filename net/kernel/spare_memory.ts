/**
 * Gives memory back to the system that the C library keeps after a load: OpenSSL's, and much of the runtime's. By itself
 * the library gives back the end of its heap alone.
 *
 * @module
 */

import { QUIET_PASSES, SPARE_LOOKS, WORKED_PASSES } from "../limits.ts";
import type { Calls } from "./libc.ts";

/** Looks whether there is a pause after work, and gives back then: it takes milliseconds. */
export class SpareMemory {
  readonly #calls: Pick<Calls, "malloc_trim">;
  #looks = 0;
  #seen = 0; // passes at the last look of these
  #given = -WORKED_PASSES; // passes when it was given back last: a start is work

  /** `calls`: the system's. */
  constructor(calls: Pick<Calls, "malloc_trim">) {
    this.#calls = calls;
  }

  /** To be called four times a second, with the passes of the loop so far. */
  look(passes: number): void {
    if (++this.#looks % SPARE_LOOKS !== 0) return;
    const fresh = passes - this.#seen;
    this.#seen = passes;
    if (fresh > QUIET_PASSES || passes - this.#given < WORKED_PASSES) return;
    this.#given = passes;
    this.#calls.malloc_trim(0n);
  }
}
