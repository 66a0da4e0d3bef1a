/**
 * Frames as slcan (Lawicel's ASCII protocol) writes them, on either side of it.
 *
 * @module
 */

import { BRS, type CanFrame, ERROR, EXTENDED, FD, FD_LENGTHS, frameFault, NO_DATA, REMOTE } from "../frame.ts";
import { MAX_FD_DATA } from "../limits.ts";
import { putAscii, putHex, unhexText } from "../text.ts";

/** Bits per second that `S` and a digit stand for. */
export const SLCAN_BITRATES: readonly number[] = [
  10_000,
  20_000,
  50_000,
  100_000,
  125_000,
  250_000,
  500_000,
  750_000,
  1_000_000,
  83_300,
];

/** The longest line of a frame, with its time and its end. */
export const MAX_FRAME_LINE = 1 + 8 + 1 + 2 * MAX_FD_DATA + 4 + 1;

const FORM = /^([tTrRdDbB])([\da-f]+)$/i;

/**
 * Reads a line without its end.
 *
 * @param withTime Whether four digits of a time may stand behind the frame.
 * @returns the frame, with the time 0; `undefined` if it is none.
 */
export function readSlcanFrame(line: string, withTime: boolean): CanFrame | undefined {
  const [, kind, rest] = FORM.exec(line) ?? [];
  if (kind === undefined || rest === undefined) return undefined;
  const extended = kind === kind.toUpperCase();
  const idDigits = extended ? 8 : 3;
  const isFd = /[db]/i.test(kind);
  const isRemote = /r/i.test(kind);
  const code = parseInt(rest[idDigits] ?? "", 16);
  const length = isFd ? FD_LENGTHS[code] : code;
  if (length === undefined || Number.isNaN(length)) return undefined;
  const start = idDigits + 1;
  const end = start + (isRemote ? 0 : 2 * length);
  const over = rest.length - end;
  if (over !== 0 && !(withTime && over === 4)) return undefined;
  const data = isRemote || length === 0 ? NO_DATA : unhexText(rest.slice(start, end));
  if (!data) return undefined;
  const flags = (extended ? EXTENDED : 0) | (isRemote ? REMOTE : 0) | (isFd ? FD : 0) | (/b/i.test(kind) ? BRS : 0);
  const frame = { id: parseInt(rest.slice(0, idDigits), 16), flags, length, data, time: 0 };
  return frameFault(frame) === undefined ? frame : undefined;
}

/**
 * Writes a frame with the end of its line.
 *
 * @param millis Time behind it, in milliseconds of a minute; `undefined` for none.
 * @returns where it ends; `at` for a frame that tells of an error, which slcan has no words for.
 */
export function writeSlcanFrame(frame: CanFrame, into: Uint8Array, at: number, millis?: number): number {
  const { id, flags, length, data } = frame;
  if (flags & ERROR) return at;
  const kind = flags & FD ? (flags & BRS ? "b" : "d") : flags & REMOTE ? "r" : "t";
  const extended = (flags & EXTENDED) !== 0;
  at = putAscii(extended ? kind.toUpperCase() : kind, into, at);
  at = putHex(id, extended ? 8 : 3, into, at);
  at = putHex(flags & FD ? FD_LENGTHS.indexOf(length as never) : length, 1, into, at);
  for (const byte of data) at = putHex(byte, 2, into, at);
  if (millis !== undefined) at = putHex(millis, 4, into, at);
  into[at] = 13;
  return at + 1;
}

/** Puts bytes together to lines, which end with CR; LF counts for nothing. Lines that are too long are lost whole. */
export class SlcanLines {
  #line = "";
  #lost = false;
  readonly #max: number;

  /** Lines of at most `max` characters. */
  constructor(max: number) {
    this.#max = max;
  }

  /** The lines in `chunk`, without their ends, as they come; `undefined` stands for one that was too long, `"\x07"` for BEL. */
  *push(chunk: Uint8Array): Generator<string | undefined, void, void> {
    for (const byte of chunk) {
      if (byte === 13) {
        const line = this.#lost ? undefined : this.#line;
        this.#line = "";
        this.#lost = false;
        yield line;
      } else if (byte === 7) { // an adapter's "no", which has no end
        this.#line = "";
        this.#lost = false;
        yield "\x07";
      } else if (byte !== 10) {
        if (this.#line.length >= this.#max) this.#lost = true;
        else this.#line += String.fromCharCode(byte);
      }
    }
  }
}
