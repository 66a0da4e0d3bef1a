/**
 * Ed25519 (RFC 8032) and HMAC-SHA-256 (RFC 2104) on the spot, in less than a tenth of a millisecond for what a handshake
 * signs. Web Crypto does the same on the runtime's few threads for work that blocks, where each end of a TLS connection
 * sleeps for 100 ms, too: where many links end at once, nobody would get through a handshake for seconds.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";

export type { KeyObject };

/** What stands in front of the 32 bytes of an Ed25519 public key in a SubjectPublicKeyInfo (RFC 8410 §4). */
const PUBLIC_KEY_HEAD = Uint8Array.of(0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00);

/** What SHA-256 takes at a time, in bytes; HMAC makes every key that long. */
const HASH_BLOCK = 64;

/**
 * A private key to sign with.
 *
 * @param pkcs8 PKCS #8 as DER, as Web Crypto exports it.
 * @throws {Error} if it is none.
 */
export function signingKey(pkcs8: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" });
}

/** The signature over `bytes`, 64 bytes. */
export function signNow(key: KeyObject, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(sign(null, bytes, key));
}

/**
 * Whether `signature` is that of a public key over `bytes`; whatever is malformed is not. A key for which anybody can sign
 * is taken: `publicKeyFault` knows those.
 */
export function verifyNow(publicKey: Uint8Array, signature: Uint8Array, bytes: Uint8Array): boolean {
  try {
    const key = createPublicKey({ key: Buffer.concat([PUBLIC_KEY_HEAD, publicKey]), format: "der", type: "spki" });
    return verify(null, bytes, key, signature);
  } catch {
    return false;
  }
}

/** SHA-256, 32 bytes. */
export function sha256Now(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return Uint8Array.from(hash.digest());
}

/** HMAC-SHA-256, 32 bytes. From hashes, as `createHmac` prints a warning on some runtimes. */
export function hmacNow(key: Uint8Array, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(HASH_BLOCK);
  block.set(key.length > HASH_BLOCK ? sha256Now(key) : key);
  const inner = sha256Now(block.map((byte) => byte ^ 0x36), bytes);
  return sha256Now(block.map((byte) => byte ^ 0x5c), inner);
}
