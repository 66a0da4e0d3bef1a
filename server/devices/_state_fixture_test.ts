/**
 * Keys for the tests of the server's files. No tests here.
 *
 * @module
 */

import { formatPublicKey } from "../../net/tls/identity.ts";

/** The raw public key of a number; no private key belongs to it. */
export function rawKey(n: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(32).fill(n);
}

/** The same as text. */
export function key(n: number): string {
  return formatPublicKey(rawKey(n));
}
