/**
 * Which bytes are no public key of anybody: Ed25519 points that verify signatures which nobody made, and spellings of a
 * point that are not the one of RFC 8032.
 *
 * @module
 */

/** Bytes of an Ed25519 public key. */
export const PUBLIC_KEY_SIZE = 32;

/** The prime 2^255 - 19, little-endian. */
const PRIME = Uint8Array.from({ length: 32 }, (_, at) => at === 0 ? 0xed : at === 31 ? 0x7f : 0xff);

/**
 * The y of the points whose order divides 8, little-endian; y = 0, 1 and p - 1, and the two of order 8. Either sign of x
 * goes with each, and each has a second spelling with y + p where that has room, which {@linkcode PRIME} rules out.
 */
const LOW_ORDER = [
  y(0x00),
  y(0x01),
  Uint8Array.from(PRIME, (byte, at) => at === 0 ? byte - 1 : byte),
  fromHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
  fromHex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
];

/**
 * What is wrong with a public key, as a clause of a sentence; `undefined` if nothing is that can be seen from outside.
 * Against a point of low order some signatures verify that its owner never made; a second spelling of a key would be a
 * second device.
 */
export function publicKeyFault(raw: Uint8Array): string | undefined {
  if (raw.length !== PUBLIC_KEY_SIZE) return `it has ${raw.length} bytes, and has to have ${PUBLIC_KEY_SIZE}`;
  const bytes = Uint8Array.from(raw);
  bytes[31]! &= 0x7f; // the sign of x
  if (!isBelow(bytes, PRIME)) return "it is not spelled as RFC 8032 has it";
  if (LOW_ORDER.some((point) => point.every((byte, at) => byte === bytes[at]))) {
    return "it is a point of low order, for which anybody can sign";
  }
  return undefined;
}

/** Whether one little-endian number is less than another of the same size. */
function isBelow(a: Uint8Array, b: Uint8Array): boolean {
  for (let at = a.length - 1; at >= 0; at--) if (a[at] !== b[at]) return a[at]! < b[at]!;
  return false;
}

function y(value: number): Uint8Array {
  const bytes = new Uint8Array(PUBLIC_KEY_SIZE);
  bytes[0] = value;
  return bytes;
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g)!, (pair) => parseInt(pair, 16));
}
