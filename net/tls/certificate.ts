/**
 * The certificate by which a server proves its identity key to TLS, and the anchor by which a device pins that key.
 *
 * Both are the same certificate: what a TLS library takes from a trust anchor is its name and its key alone, so a device
 * that knows the 32 bytes of the key can write the anchor itself, with zeros for the signature.
 *
 * @module
 */

import { sameBytes } from "../../protocol/bytes.ts";

/** The name in such a certificate. No public CA can certify it (RFC 6761 §6.4), so only the pinned key can prove it. */
export const PINNED_NAME = "relay.sallyport.invalid";

/** Where the key stands in a certificate's body, its version left out: behind number, algorithm, issuer, dates and subject. */
const SUBJECT_PUBLIC_KEY_INFO = 5;

/** Length of an Ed25519 public key, in bytes. */
const KEY_SIZE = 32;

/** Length of an Ed25519 signature, in bytes. */
const SIGNATURE_SIZE = 64;

// DER tags (ITU-T X.690 §8), the context-specific ones as X.509 uses them (RFC 5280 §4.1, §4.2.1.6).
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OID = 0x06;
const UTF8_STRING = 0x0c;
export const UTC_TIME = 0x17;
export const GENERALIZED_TIME = 0x18;
export const SEQUENCE = 0x30;
const SET = 0x31;
const DNS_NAME = 0x82;
export const VERSION = 0xa0;
const EXTENSIONS = 0xa3;

const COMMON_NAME = [0x55, 4, 3];
const SUBJECT_ALT_NAME = [0x55, 0x1d, 17];
const BASIC_CONSTRAINTS = [0x55, 0x1d, 19];
const ED25519 = [0x2b, 0x65, 0x70];

/** One DER element: its tag, its length, and `parts` one after the other. */
export function der(tag: number, ...parts: ArrayLike<number>[]): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head = [tag, ...derLength(length)];
  const out = new Uint8Array(head.length + length);
  let at = 0;
  for (const part of [head, ...parts]) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** `bytes` as a PEM block (RFC 7468). */
export function pem(label: string, bytes: Uint8Array): string {
  const lines = btoa(String.fromCharCode(...bytes)).replace(/.{64}(?=.)/g, "$&\n");
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

/**
 * The self-signed certificate of an Ed25519 key pair and the key itself, as PEM, for a TLS listener.
 *
 * @param keyPair Its private key has to be extractable.
 */
export async function pinnedCertificate(keyPair: CryptoKeyPair): Promise<{ cert: string; key: string }> {
  const publicKey = new Uint8Array(await crypto.subtle.exportKey("raw", keyPair.publicKey));
  const key = new Uint8Array(await crypto.subtle.exportKey("pkcs8", keyPair.privateKey));
  const body = pinnedBody(publicKey);
  const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", keyPair.privateKey, body));
  return { cert: pem("CERTIFICATE", signed(body, signature)), key: pem("PRIVATE KEY", key) };
}

/**
 * The trust anchor that lets a TLS client take `publicKey` for {@linkcode PINNED_NAME}, as PEM.
 *
 * @throws {RangeError} if it is not 32 bytes long.
 */
export function pinnedAnchor(publicKey: Uint8Array): string {
  return pem("CERTIFICATE", signed(pinnedBody(publicKey), new Uint8Array(SIGNATURE_SIZE)));
}

/**
 * The Ed25519 public key of a certificate as DER (RFC 5280 §4.1); `undefined` if it has none, or is damaged. Its signature
 * is not looked at.
 */
export function certificateKey(certificate: Uint8Array): Uint8Array | undefined {
  const body = contentsOf(contentsOf([certificate], 0, SEQUENCE), 0, SEQUENCE);
  const fields = body?.[0]?.[0] === VERSION ? body.slice(1) : body; // left out in X.509 v1
  const info = contentsOf(fields, SUBJECT_PUBLIC_KEY_INFO, SEQUENCE);
  const algorithm = info?.[0];
  const bits = info?.[1];
  const wanted = der(SEQUENCE, der(OID, ED25519));
  if (info?.length !== 2 || !algorithm || !bits || !sameBytes(algorithm, wanted)) return undefined;
  const head = [BIT_STRING, 1 + KEY_SIZE, 0];
  return bits.length === head.length + KEY_SIZE && head.every((byte, at) => bits[at] === byte)
    ? bits.slice(head.length)
    : undefined;
}

/** The elements in the element at `index` of `elements`, if that has the tag `tag` and all of them are whole. */
export function contentsOf(elements: Uint8Array[] | undefined, index: number, tag: number): Uint8Array[] | undefined {
  const element = elements?.[index];
  const own = element && element[0] === tag ? elementAt(element, 0) : undefined;
  if (!element || own?.end !== element.length) return undefined;
  const inside: Uint8Array[] = [];
  for (let at = own.start; at < own.end;) {
    const next = elementAt(element, at);
    if (!next || next.end > own.end) return undefined;
    inside.push(element.subarray(at, next.end));
    at = next.end;
  }
  return inside;
}

/** Where the contents of the element at `at` start and end; lengths of up to 65,535 bytes (ITU-T X.690 §8.1.3). */
function elementAt(bytes: Uint8Array, at: number): { readonly start: number; readonly end: number } | undefined {
  const first = bytes[at + 1];
  if (first === undefined) return undefined;
  const more = first < 0x80 ? 0 : first - 0x80;
  if (more > 2 || first === 0x80) return undefined;
  let length = more === 0 ? first : 0;
  for (let n = 0; n < more; n++) length = length << 8 | (bytes[at + 2 + n] ?? 0);
  const start = at + 2 + more;
  return start + length <= bytes.length ? { start, end: start + length } : undefined;
}

function derLength(length: number): number[] {
  if (length < 0x80) return [length];
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 255];
}

function pinnedBody(publicKey: Uint8Array): Uint8Array<ArrayBuffer> {
  if (publicKey.length !== KEY_SIZE) {
    throw new RangeError(`Cannot pin a key of ${publicKey.length} bytes: an Ed25519 public key has ${KEY_SIZE}`);
  }
  const text = (value: string) => new TextEncoder().encode(value);
  const algorithm = der(SEQUENCE, der(OID, ED25519));
  const name = der(SEQUENCE, der(SET, der(SEQUENCE, der(OID, COMMON_NAME), der(UTF8_STRING, text(PINNED_NAME)))));
  const extension = (id: number[], value: Uint8Array) => der(SEQUENCE, der(OID, id), der(OCTET_STRING, value));
  return der(
    SEQUENCE,
    der(VERSION, der(INTEGER, [2])), // X.509 v3
    der(INTEGER, [1]), // serial number
    algorithm,
    name,
    // It lives as long as the key is pinned (RFC 5280 §4.1.2.5), so that no device is locked out by a date:
    // not even by its own clock, which may begin in 1970 until somebody sets it.
    der(SEQUENCE, der(UTC_TIME, text("700101000000Z")), der(GENERALIZED_TIME, text("99991231235959Z"))),
    name,
    der(SEQUENCE, algorithm, der(BIT_STRING, [0], publicKey)),
    der(
      EXTENSIONS,
      der(
        SEQUENCE,
        extension(SUBJECT_ALT_NAME, der(SEQUENCE, der(DNS_NAME, text(PINNED_NAME)))),
        extension(BASIC_CONSTRAINTS, der(SEQUENCE)), // CA:FALSE: with TRUE it could not be a server's own
      ),
    ),
  );
}

function signed(body: Uint8Array, signature: Uint8Array): Uint8Array {
  return der(SEQUENCE, body, der(SEQUENCE, der(OID, ED25519)), der(BIT_STRING, [0], signature));
}
