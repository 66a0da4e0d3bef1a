/**
 * Addresses that one party has at hand: what is bounded for each address is bounded for each of these.
 *
 * An IPv4 address is one. Of IPv6 a subscriber gets a /64 at least, and often a /56: within it whoever likes can take
 * 2^64 addresses and more. Behind a translator (NAT64, SIIT) all of IPv4 has one prefix, and each address in it is one.
 *
 * @module
 */

import { splitHostPort } from "./address.ts";
import { formatIP, ipBytes, parseIPv4 } from "./ip.ts";

/** Whom an address stands for. */
export interface AddressGroup {
  /** The IPv4 address, or the /64. */
  readonly net: string;
  /** The IPv4 address, or the /56 around the net. */
  readonly site: string;
}

/**
 * The group of `host`, an IP address, with or without brackets; IPv4 written as IPv6, or translated to it, is IPv4. What is no address (a name,
 * a path) is a group of its own.
 *
 * @example
 * ```ts
 * import { addressGroup } from "./address_group.ts";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(addressGroup("192.0.2.7"), { net: "192.0.2.7", site: "192.0.2.7" });
 * assert.deepEqual(addressGroup("2001:db8:1:2::7"), { net: "2001:db8:1:2::/64", site: "2001:db8:1::/56" });
 * ```
 */
export function addressGroup(host: string): AddressGroup {
  const text = host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
  if (parseIPv4(text)) return { net: text, site: text };
  const bytes = ipBytes(text);
  if (!bytes) return { net: text, site: text };
  const ipv4 = bytes.length === 4 ? bytes : translated(bytes);
  if (ipv4) return { net: formatIP(ipv4), site: formatIP(ipv4) };
  return { net: `${prefix(bytes, 8)}/64`, site: `${prefix(bytes, 7)}/56` };
}

/** The site of an address with its port, as logs have it; of a local client, which has none, the user. */
export function siteOf(address: string): string {
  if (address.startsWith("unix:")) return address.split(",", 1)[0]!;
  return addressGroup(splitHostPort(address)[0]).site;
}

/**
 * Networks that a site is within, the widest first: a /32 and a /48 of IPv6, a /16 and a /24 of IPv4. Whoever has one has all
 * sites in it. What is no address is within itself.
 */
export function networksAround(site: string): readonly [wide: string, near: string] {
  const [text = ""] = site.split("/", 1);
  const bytes = ipBytes(text);
  if (!bytes) return [site, site];
  if (bytes.length === 4) return [`${bytes.slice(0, 2).join(".")}/16`, `${bytes.slice(0, 3).join(".")}/24`];
  return [`${prefix(bytes, 4)}/32`, `${prefix(bytes, 6)}/48`];
}

/** What translators put in front of IPv4: the well-known prefix (RFC 6052), the local one (RFC 8215), SIIT's (RFC 2765). */
const TRANSLATED = [
  [0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0],
  [0x00, 0x64, 0xff, 0x9b, 0, 1],
  [0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0],
];

/** The IPv4 address at the end of a translated one; below the local prefix it may stand further ahead, with zeros behind. */
function translated(bytes: number[]): number[] | undefined {
  if (!TRANSLATED.some((start) => start.every((byte, at) => bytes[at] === byte))) return undefined;
  const end = bytes.slice(12);
  return end.slice(1).every((byte) => byte === 0) ? undefined : end;
}

/** The first `length` bytes of an IPv6 address, in text. */
function prefix(bytes: readonly number[], length: number): string {
  const groups: string[] = [];
  for (let at = 0; at < length; at += 2) {
    groups.push((bytes[at]! * 256 + (at + 1 < length ? bytes[at + 1]! : 0)).toString(16));
  }
  while (groups.at(-1) === "0") groups.pop();
  return `${groups.join(":")}::`;
}
