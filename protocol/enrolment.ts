/**
 * The enrolment string: all that a device needs to reach its server and to be let in, as one word to paste.
 *
 * `sp2_` and, in base64url without padding: version (1 byte), the server's public key (32), token id (8), token secret
 * (16), how TLS proves the server (1), the number of addresses (1), for each its size (1) and its text; a CRC-32 of all
 * this (4).
 *
 * @module
 */

import { MAX_ENROLMENT_ADDRESSES, MAX_ENROLMENT_LENGTH } from "./limits.ts";
import { type Address, formatAddress, parseAddress } from "./address.ts";
import { PUBLIC_KEY_SIZE, publicKeyFault } from "./public_key.ts";

/** How a device knows that it talks to its server: a certificate of the server's key, a CA, or not before the handshake. */
export const SECURITY_MODES = ["pinned", "pki", "plain"] as const;

/** One of {@linkcode SECURITY_MODES}. */
export type Security = typeof SECURITY_MODES[number];

/** Bytes of a token's id. */
export const TOKEN_ID_SIZE = 8;

/** Bytes of a token's secret. */
export const TOKEN_SECRET_SIZE = 16;

/** What an enrolment string says. */
export interface Enrolment {
  /** The server's public key, 32 bytes. */
  readonly serverKey: Uint8Array;
  /** Which enrolment it is, 8 bytes. */
  readonly tokenId: Uint8Array;
  /** What proves that the device was given the string, 16 bytes; it is never sent. */
  readonly tokenSecret: Uint8Array;
  /** How TLS proves the server. */
  readonly security: Security;
  /** Where the server may be reached, 1–4, in the order to try. */
  readonly addresses: readonly Address[];
}

const PREFIX = "sp2_";
const VERSION = 1;
const FIXED_SIZE = 1 + PUBLIC_KEY_SIZE + TOKEN_ID_SIZE + TOKEN_SECRET_SIZE + 1 + 1;
const CHECKSUM_SIZE = 4;
const DAMAGED = "the enrolment string is damaged or cut short; copy all of it";

/**
 * Writes an enrolment string.
 *
 * @throws {RangeError} if a part has not its size.
 */
export function encodeEnrolment(enrolment: Enrolment): string {
  const { serverKey, tokenId, tokenSecret, security, addresses } = enrolment;
  const fault = publicKeyFault(serverKey);
  if (fault) throw new RangeError(`Cannot encode a server key: ${fault}`);
  if (tokenId.length !== TOKEN_ID_SIZE) throw new RangeError(`Cannot encode a token id of ${tokenId.length} bytes`);
  if (tokenSecret.length !== TOKEN_SECRET_SIZE) throw new RangeError("Cannot encode a token secret of another size");
  if (addresses.length < 1 || addresses.length > MAX_ENROLMENT_ADDRESSES) {
    throw new RangeError(`Cannot encode ${addresses.length} addresses: 1 to ${MAX_ENROLMENT_ADDRESSES} have room`);
  }
  const texts = addresses.map((address) => new TextEncoder().encode(formatAddress(address)));
  if (texts.some((text) => text.length > 255)) throw new RangeError("Cannot encode an address of more than 255 bytes");
  const body = Uint8Array.from([
    VERSION,
    ...serverKey,
    ...tokenId,
    ...tokenSecret,
    SECURITY_MODES.indexOf(security),
    texts.length,
    ...texts.flatMap((text) => [text.length, ...text]),
  ]);
  return PREFIX + toBase64Url([...body, ...bigEndian(crc32(body))]);
}

/**
 * The inverse of {@linkcode encodeEnrolment}; blanks and line breaks of a terminal do no harm.
 *
 * @throws {SyntaxError} with what was wrong and what would do, without the string itself, which is a secret.
 */
export function decodeEnrolment(text: string): Enrolment {
  const word = text.slice(0, 2 * MAX_ENROLMENT_LENGTH).replace(/\s+/g, "");
  if (!word.startsWith(PREFIX)) {
    throw new SyntaxError(`this is not an enrolment string; it begins with ${PREFIX}, as "server enroll" prints it`);
  }
  if (word.length > MAX_ENROLMENT_LENGTH) throw new SyntaxError("this is too long for an enrolment string");
  const bytes = fromBase64Url(word.slice(PREFIX.length));
  if (!bytes || bytes.length < FIXED_SIZE + CHECKSUM_SIZE) throw new SyntaxError(DAMAGED);
  const body = bytes.subarray(0, -CHECKSUM_SIZE);
  if (bytes.subarray(-CHECKSUM_SIZE).join() !== bigEndian(crc32(body)).join()) throw new SyntaxError(DAMAGED);
  if (body[0] !== VERSION) {
    throw new SyntaxError(`the enrolment string is of version ${body[0]}, made by a newer server; update this program`);
  }
  return readBody(body);
}

function readBody(body: Uint8Array): Enrolment {
  let at = 1;
  const take = (size: number): Uint8Array => {
    if (at + size > body.length) throw new SyntaxError(DAMAGED);
    return body.slice(at, at += size);
  };
  const [serverKey, tokenId, tokenSecret] = [take(PUBLIC_KEY_SIZE), take(TOKEN_ID_SIZE), take(TOKEN_SECRET_SIZE)];
  const fault = publicKeyFault(serverKey);
  if (fault) {
    throw new SyntaxError(`the enrolment string has a server key that is nobody's: ${fault}; ask for a new one`);
  }
  const [mode = 0, count = 0] = take(2);
  const security = SECURITY_MODES[mode];
  if (!security || count < 1 || count > MAX_ENROLMENT_ADDRESSES) throw new SyntaxError(DAMAGED);
  const addresses = Array.from({ length: count }, () => readAddress(take(take(1)[0]!)));
  if (at !== body.length) throw new SyntaxError(DAMAGED);
  return { serverKey, tokenId, tokenSecret, security, addresses };
}

function readAddress(bytes: Uint8Array): Address {
  try {
    return parseAddress(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new SyntaxError(DAMAGED, { cause: error });
  }
}

function toBase64Url(bytes: readonly number[]): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The bytes of a text in its one proper spelling, or `undefined`. */
function fromBase64Url(text: string): Uint8Array | undefined {
  if (!/^[\w-]*$/.test(text) || text.length % 4 === 1) return undefined;
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0));
  return toBase64Url([...bytes]) === text ? bytes : undefined;
}

/** CRC-32 (IEEE 802.3): finds every slip within 4 bytes for sure, which a cryptographic sum of that size would not. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc >>> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

function bigEndian(value: number): number[] {
  return [value >>> 24, value >>> 16 & 255, value >>> 8 & 255, value & 255];
}
