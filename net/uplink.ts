/**
 * From where a connection is dialled, on a machine with several ways out: one of its addresses, or an interface.
 *
 * @module
 */

import { parseIP } from "../protocol/ip.ts";
import { MAX_INTERFACE_NAME } from "./limits.ts";

/**
 * Parses an address of this machine, or the name of an interface; neither has to be there yet.
 *
 * @throws {SyntaxError} with what was wrong.
 */
export function parseUplink(text: string): string {
  if (uplinkAddress(text)) return text;
  // As the kernel takes names of interfaces. One with a colon is an address gone wrong.
  const isName = text !== "" && text !== "." && text !== ".." && !/[\s/:%]/.test(text);
  if (isName && new TextEncoder().encode(text).length <= MAX_INTERFACE_NAME && !/^[\d.]+$/.test(text)) return text;
  throw new SyntaxError(`"${text}" is neither an IP address nor an interface; write one as in 192.0.2.7 or wwan0`);
}

/** The bytes of an uplink that is an address; `undefined` for an interface. */
export function uplinkAddress(uplink: string): Uint8Array | undefined {
  const ip = parseIP(uplink.split("%", 1)[0]!);
  return ip && Uint8Array.from(ip);
}

/** The name of a family of addresses, by an address of it. */
export function familyName(ip: { readonly length: number }): "IPv4" | "IPv6" {
  return ip.length === 4 ? "IPv4" : "IPv6";
}
