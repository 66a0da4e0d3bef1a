/**
 * Bytes to send, and digests to compare.
 *
 * @module
 */

/** Bytes that look random and are the same for the same seed. */
export function noise(size: number, seed: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(size / 4));
  let state = (seed * 2654435761 + 1) >>> 0 || 1;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, size);
}

/** SHA-256, in hex without spaces. */
export async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))).replaceAll(" ", "");
}

/** Bytes as hexadecimal text, as in `00 00 04 00`. */
export function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/** The inverse of {@linkcode hex}; spaces need not be there. */
export function unhex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text.match(/[\da-f]{1,2}/gi) ?? [], (part) => parseInt(part, 16));
}

/** The bytes of an ASCII text. */
export function ascii(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Copies of `bytes` in pieces whose sizes are `sizes`, over and over; a size below 1 counts as 1. */
export function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = Math.max(1, sizes[turn % sizes.length] ?? bytes.length);
    pieces.push(bytes.slice(at, at + size));
    at += size;
  }
  return pieces;
}
