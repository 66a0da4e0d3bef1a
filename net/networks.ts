/**
 * Networks as in `10.0.0.0/8`, `[fd00::]/8` or a single IP.
 *
 * @module
 */

import { parseIPv4, parseIPv6 } from "../protocol/address.ts";

/** The bytes of an IP; an IPv4 address mapped into IPv6 (RFC 4291 §2.5.5.2) counts as the IPv4 address that it means. */
export function ipBytes(host: string): number[] | undefined {
  const v4 = parseIPv4(host);
  if (v4) return v4;
  const v6 = host.includes(":") ? parseIPv6(host) : undefined;
  if (!v6) return undefined;
  const mapped = v6.slice(0, 10).every((byte) => byte === 0) && v6[10] === 255 && v6[11] === 255;
  return mapped ? v6.slice(12) : v6;
}

/** Whether the first `bits` bits of two IPs are the same. */
export function samePrefix(a: readonly number[], b: readonly number[], bits: number): boolean {
  if (a.length !== b.length) return false;
  return a.every((byte, at) => {
    const counted = Math.min(8, Math.max(0, bits - at * 8));
    return (byte ^ b[at]!) >> (8 - counted) === 0;
  });
}

/** Whether the IP `host` is in `network`, which has been checked before. */
export function isInNetwork(host: string, network: string): boolean {
  const [base = "", length] = network.split("/");
  const bytes = ipBytes(base.replace(/^\[|\]$/g, ""));
  const other = ipBytes(host);
  if (!bytes || !other) return false;
  return samePrefix(bytes, other, length === undefined ? bytes.length * 8 : Number(length));
}

/**
 * Parses a network, `10.0.0.0/8`, or a single IP.
 *
 * @returns whether it contains an IP.
 * @throws {SyntaxError} with what would do.
 */
export function parseNetwork(text: string): (ip: string) => boolean {
  const [base = "", length, ...rest] = text.split("/");
  const bytes = ipBytes(base);
  const bits = bytes && length === undefined ? bytes.length * 8 : /^\d{1,3}$/.test(length ?? "") ? Number(length) : NaN;
  if (!bytes || rest.length > 0 || !(bits <= bytes.length * 8)) {
    throw new SyntaxError(`"${text}" is not a network; write one as in 10.0.0.0/8`);
  }
  return (ip) => {
    const other = ipBytes(ip);
    return other !== undefined && samePrefix(bytes, other, bits);
  };
}
