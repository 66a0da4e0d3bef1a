/**
 * Streams in which every byte says where it stands.
 *
 * @module
 */

/** A byte of a stream: any that is lost, doubled or out of place shows. `salt` tells streams apart. */
export function byteAt(salt: number, at: number): number {
  return Math.imul(at + salt * 7_919, 0x9e3779b1) >>> 24;
}

/** Writes `size` bytes of a stream to `into`, from the place `from` of the stream on. */
export function fillPattern(into: Uint8Array, salt: number, from: number): void {
  for (let at = 0; at < into.length; at++) into[at] = byteAt(salt, from + at);
}

/** Where `bytes` differ from the stream that they should continue at `from`; -1: nowhere. */
export function patternBreak(bytes: Uint8Array, salt: number, from: number): number {
  for (let at = 0; at < bytes.length; at++) if (bytes[at] !== byteAt(salt, from + at)) return from + at;
  return -1;
}
