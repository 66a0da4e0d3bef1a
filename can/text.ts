/**
 * Texts as the wires carry them.
 *
 * @module
 */

const encoder = new TextEncoder();

/** A text as UTF-8 of at most `max` bytes; no character is cut in two. */
export function cutText(text: string, max: number): Uint8Array<ArrayBuffer> {
  const room = new Uint8Array(max);
  return room.subarray(0, encoder.encodeInto(text, room).written);
}

/** The bytes of a text. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** Writes ASCII into `into` from `at` on. @returns where it ends. */
export function putAscii(text: string, into: Uint8Array, at: number): number {
  for (let i = 0; i < text.length; i++) into[at++] = text.charCodeAt(i);
  return at;
}

const DIGITS = bytesOf("0123456789ABCDEF");

/** Writes the lowest `digits` hexadecimal digits of a number. @returns where it ends. */
export function putHex(value: number, digits: number, into: Uint8Array, at: number): number {
  for (let shift = 4 * (digits - 1); shift >= 0; shift -= 4) into[at++] = DIGITS[(value >>> shift) & 15]!;
  return at;
}

/** Bytes written as hexadecimal digits without anything between; `undefined` if it is something else. */
export function unhexText(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[\da-f]*$/i.test(text)) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** A text on one line, for people: what strangers said cannot look like something else. */
export function oneLine(text: string, max = 80): string {
  return text.replace(/\p{Cc}/gu, "?").slice(0, max);
}
