/**
 * Data as telnet writes it.
 *
 * @module
 */

import { IAC } from "./telnet.ts";

const CR = 13;
const LF = 10;

/** Writes data: each IAC twice, and, unless it is binary, a zero byte behind a carriage return alone. */
export class TelnetWriter {
  /** Whether data is 8 bits, as they are. */
  binary = false;
  /** Bytes of data that the last {@linkcode TelnetWriter.write} has taken. */
  taken = 0;
  #afterCr = false;
  #owesIac = false;

  /** Whether an IAC is half written: nothing else may come in between. */
  get isAmid(): boolean {
    return this.#owesIac;
  }

  /** Writes as much of `data` into `into`, from `at` on, as there is room for. @returns where it ends. */
  write(data: Uint8Array, into: Uint8Array, at: number): number {
    let from = 0;
    if (this.#owesIac && at < into.length) {
      into[at++] = IAC;
      this.#owesIac = false;
    }
    for (; from < data.length && at < into.length; from++) {
      const byte = data[from]!;
      if (this.#afterCr) {
        this.#afterCr = false;
        if (byte !== LF && !this.binary) {
          into[at++] = 0;
          if (at === into.length) break;
        }
      }
      into[at++] = byte;
      if (byte === IAC) {
        if (at < into.length) into[at++] = IAC;
        else this.#owesIac = true;
      } else if (byte === CR) this.#afterCr = !this.binary;
    }
    this.taken = from;
    return at;
  }
}
