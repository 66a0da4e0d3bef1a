/**
 * A duplex of which some bytes were read already.
 *
 * @module
 */

import { forgetSocket } from "./kernel/descriptors.ts";
import type { Duplex } from "./transport.ts";

/** Reads what was read before, then what follows. */
export class PrefixedDuplex implements Duplex {
  readonly #duplex: Duplex;
  #prefix: Uint8Array;

  /** `prefix` comes first. */
  constructor(duplex: Duplex, prefix: Uint8Array) {
    this.#duplex = duplex;
    this.#prefix = prefix;
  }

  read(into: Uint8Array): Promise<number | null> {
    if (this.#prefix.length === 0) return this.#duplex.read(into);
    const count = Math.min(into.length, this.#prefix.length);
    into.set(this.#prefix.subarray(0, count));
    this.#prefix = this.#prefix.subarray(count);
    return Promise.resolve(count);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#duplex.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.#duplex.closeWrite();
  }

  /** What is behind the prefix. */
  get inner(): Duplex {
    return this.#duplex;
  }

  close(): void {
    forgetSocket(this.#duplex);
    this.#duplex.close();
  }
}
