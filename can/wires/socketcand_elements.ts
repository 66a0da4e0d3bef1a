/**
 * Elements of socketcand's protocol: text between `< ` and ` >`.
 *
 * @module
 */

import { type CanFrame, ERROR, EXTENDED, frameFault, NO_DATA } from "../frame.ts";
import { MAX_CAN_DATA, MAX_ELEMENT } from "../limits.ts";
import { putAscii, putHex } from "../text.ts";
import { WireError } from "../wire.ts";

/** The longest element that is written: an extended id, a time, eight bytes. */
export const MAX_FRAME_ELEMENT = "< frame 1FFFFFFF 9999999999.999999 0011223344556677 >".length + 8;

/** Puts pieces of text together to elements. */
export class Elements {
  #element: string | undefined;

  /**
   * The elements in `chunk`, as lists of words. What stands between elements counts for nothing.
   *
   * @throws {WireError} for one that is too long.
   */
  *push(chunk: Uint8Array): Generator<string[], void, void> {
    for (const byte of chunk) {
      if (byte === 0x3c) {
        this.#element = "";
      } else if (this.#element === undefined) {
        continue;
      } else if (byte === 0x3e) {
        const words = this.#element.trim().split(/\s+/);
        this.#element = undefined;
        yield words;
      } else {
        if (this.#element.length >= MAX_ELEMENT) {
          throw new WireError(`an element longer than ${MAX_ELEMENT} characters`);
        }
        this.#element += String.fromCharCode(byte);
      }
    }
  }
}

/** Reads `id length bytes…`; `undefined` if it is no frame. */
export function readFrameWords(words: readonly string[]): CanFrame | undefined {
  const id = readId(words[0]);
  const length = readNumber(words[1], MAX_CAN_DATA);
  if (!id || length === undefined) return undefined;
  const bytes = words.slice(2);
  if (bytes.length !== length || !bytes.every((word) => /^[\da-f]{1,2}$/i.test(word))) return undefined;
  const data = length === 0 ? NO_DATA : Uint8Array.from(bytes, (word) => parseInt(word, 16));
  const frame = { ...id, length, data, time: 0 };
  return frameFault(frame) === undefined ? frame : undefined;
}

/** Reads an id: three digits, or eight if it has 29 bits. */
export function readId(word: string | undefined): { readonly id: number; readonly flags: number } | undefined {
  if (!/^[\da-f]{1,8}$/i.test(word ?? "")) return undefined;
  const id = parseInt(word!, 16);
  if (id > 0x1fff_ffff) return undefined;
  return { id, flags: word!.length > 3 ? EXTENDED : 0 };
}

/** Reads a whole number up to `max`. */
export function readNumber(word: string | undefined, max: number): number | undefined {
  if (!/^\d{1,10}$/.test(word ?? "")) return undefined;
  return Number(word) <= max ? Number(word) : undefined;
}

/** Writes `< frame ID TIME DATA >`, or `< error CLASS TIME >`; two spaces stand where there is no data. */
export function writeElement({ id, flags, data, time }: CanFrame, into: Uint8Array, at: number): number {
  const isError = (flags & ERROR) !== 0;
  at = putAscii(isError ? "< error " : "< frame ", into, at);
  const digits = flags & EXTENDED || id > 0xfff ? 8 : 3;
  at = putHex(id, digits, into, at);
  at = putAscii(` ${time.toFixed(6)} `, into, at);
  if (isError) return putAscii(">", into, at);
  for (const byte of data) at = putHex(byte, 2, into, at);
  return putAscii(" >", into, at);
}
