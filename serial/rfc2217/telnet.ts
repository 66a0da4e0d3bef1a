/**
 * Telnet (RFC 854) as it is read: data, and what is said in between. Incremental: bytes may be split anywhere.
 *
 * @module
 */

import { MAX_SUBNEGOTIATION } from "../limits.ts";

/** Begins whatever is no data. */
export const IAC = 255;
/** Verbs of negotiation. */
export const WILL = 251;
/** See {@linkcode WILL}. */
export const WONT = 252;
/** See {@linkcode WILL}. */
export const DO = 253;
/** See {@linkcode WILL}. */
export const DONT = 254;
/** Begins a subnegotiation. */
export const SB = 250;
/** Ends a subnegotiation. */
export const SE = 240;
/** The Break key. */
export const BRK = 243;
/** Are you there? */
export const AYT = 246;

/** Options: 8 bits, as they are (RFC 856). */
export const BINARY = 0;
/** Options: who echoes (RFC 857). */
export const ECHO = 1;
/** Options: no turns (RFC 858). */
export const SGA = 3;
/** Options: the serial line (RFC 2217). */
export const COM_PORT = 44;

const CR = 13;

/** What came. Bytes are views, for as long as what they were read from stays. */
export type TelnetEvent =
  | { readonly type: "data"; readonly bytes: Uint8Array }
  | { readonly type: "negotiation"; readonly verb: number; readonly option: number }
  | { readonly type: "subnegotiation"; readonly option: number; readonly payload: Uint8Array }
  | { readonly type: "command"; readonly code: number };

type State = "data" | "cr" | "iac" | "verb" | "sub" | "sub-iac";

/** Reads telnet, one event after the other, so that whoever asks may stop between two. */
export class TelnetReader {
  /** Whether data is 8 bits, as they are; otherwise the zero byte behind a carriage return is padding. */
  binary = false;
  /** Where {@linkcode TelnetReader.next} came to. */
  at = 0;
  #state: State = "data";
  #verb = 0;
  readonly #sub = new Uint8Array(1 + MAX_SUBNEGOTIATION);
  #fill = 0;

  /** The next event of `bytes` from `from` on; `undefined`: there is no whole one any more. */
  next(bytes: Uint8Array, from: number): TelnetEvent | undefined {
    let at = from;
    while (at < bytes.length) {
      if (this.#state === "data") {
        const end = this.#endOfData(bytes, at);
        this.at = end;
        if (end > at) return { type: "data", bytes: bytes.subarray(at, end) };
        at = end; // it is an IAC
      }
      const event = this.#step(bytes[at]!);
      if (event === "again") continue;
      at++;
      this.at = at;
      if (event) return event;
    }
    this.at = at;
    return undefined;
  }

  /** Where data ends that needs no look: before an IAC, or behind a carriage return that may be padded. */
  #endOfData(bytes: Uint8Array, at: number): number {
    const iac = bytes.indexOf(IAC, at);
    const end = iac < 0 ? bytes.length : iac;
    if (this.binary) return end;
    const cr = bytes.indexOf(CR, at);
    if (cr < 0 || cr >= end) return end;
    this.#state = "cr";
    return cr + 1;
  }

  #step(byte: number): TelnetEvent | "again" | undefined {
    switch (this.#state) {
      case "data":
        this.#state = "iac";
        return undefined;
      case "cr":
        this.#state = "data";
        return byte === 0 ? undefined : "again";
      case "iac":
        return this.#command(byte);
      case "verb":
        if (this.#verb === SB) {
          this.#state = "sub";
          this.#sub[0] = byte;
          this.#fill = 1;
          return undefined;
        }
        this.#state = "data";
        return { type: "negotiation", verb: this.#verb, option: byte };
      case "sub":
        if (byte === IAC) this.#state = "sub-iac";
        else this.#keep(byte);
        return undefined;
      case "sub-iac":
        return this.#endOfSub(byte);
    }
  }

  #command(byte: number): TelnetEvent | undefined {
    if (byte >= SB && byte !== IAC) {
      this.#verb = byte;
      this.#state = "verb";
      return undefined;
    }
    this.#state = "data";
    if (byte === IAC) return { type: "data", bytes: ONE_IAC };
    return { type: "command", code: byte };
  }

  #endOfSub(byte: number): TelnetEvent | "again" | undefined {
    if (byte === IAC) {
      this.#state = "sub";
      this.#keep(IAC);
      return undefined;
    }
    if (byte === SE) {
      this.#state = "data";
      if (this.#fill > this.#sub.length) return undefined;
      return { type: "subnegotiation", option: this.#sub[0]!, payload: this.#sub.subarray(1, this.#fill) };
    }
    this.#state = "iac"; // without its end; what comes now is a command of its own
    return "again";
  }

  #keep(byte: number): void {
    if (this.#fill < this.#sub.length) this.#sub[this.#fill] = byte;
    if (this.#fill <= this.#sub.length) this.#fill++; // one more than there is room for: too long
  }
}

const ONE_IAC = Uint8Array.of(IAC);

/** A subnegotiation as it is written. */
export function subnegotiation(option: number, payload: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const bytes = [IAC, SB, option];
  for (const byte of Array.from(payload)) {
    if (byte === IAC) bytes.push(IAC);
    bytes.push(byte);
  }
  return Uint8Array.of(...bytes, IAC, SE);
}
