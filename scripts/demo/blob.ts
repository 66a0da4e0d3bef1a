/**
 * A file's worth of bytes that look random and are the same every time.
 *
 * @module
 */

/** `size` bytes (a multiple of 4) from a seed that is not 0, by xorshift32. */
export function seededBytes(size: number, seed: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(size / 4);
  let x = seed;
  for (let at = 0; at < words.length; at++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    words[at] = x;
  }
  return new Uint8Array(words.buffer);
}

/** The SHA-256 of `bytes`, in hexadecimal. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
