/**
 * The services that a device may dial, as its owner names them: nothing else is ever dialled.
 *
 * @module
 */

import { ipBytes, samePrefix } from "../protocol/ip.ts";
import { type Address, isHost, notAHost, parsePort, splitHostPort } from "../protocol/address.ts";
import type { ServiceStatus } from "./v2/service_board.ts";
import { kindOf, parseEndpoint } from "./endpoints/registry.ts";

/** One allowed service, or a range of them. */
export interface ServiceRule {
  /** As it was written. */
  readonly text: string;
  /** Whether a CONNECT to `target` is covered. Names are compared as text: nothing is resolved to decide. */
  allows(target: Address): boolean;
  /** What is reached in place of the target; the target itself by default. */
  readonly endpoint?: string | undefined;
}

/**
 * Parses `HOST:PORT`, where HOST is a name, an IP, a network (`10.0.0.0/24`, `[fd00::/8]`) or `*`, and PORT is a number,
 * a range (`8000-8099`) or `*`; behind it may stand `=ENDPOINT`, as in `127.0.0.1:2375=unix:/run/docker.sock`: then that is
 * reached in place of what the server names.
 *
 * @throws {SyntaxError} with what was wrong and what would do.
 *
 * @example
 * ```ts
 * import { parseService } from "@sallyport/sallyport";
 * import assert from "node:assert/strict";
 *
 * const rule = parseService("10.0.0.0/24:*");
 * assert(rule.allows({ host: "10.0.0.7", port: 23 }));
 * assert(!rule.allows({ host: "10.0.1.7", port: 23 }));
 * ```
 */
export function parseService(text: string): ServiceRule {
  const equals = text.indexOf("=");
  if (equals >= 0) {
    const endpoint = text.slice(equals + 1).trim();
    if (parseEndpoint(endpoint).isUdp) throw new SyntaxError(`"${text}" is one of UDP, which takes a v2 server`);
    const { allows } = parseService(text.slice(0, equals).trim());
    return { text, allows, endpoint };
  }
  const [host, port] = splitHostPort(text);
  const allowsHost = parseHostPattern(host, text);
  const allowsPort = parsePortPattern(port, text);
  return { text, allows: (target) => allowsPort(target.port) && allowsHost(target.host) };
}

/** A rule as the status has it: its name is what the server may ask for, and `localAddress` what is reached then. */
export function describeRule({ text, endpoint }: ServiceRule): Pick<ServiceStatus, "name" | "localAddress" | "kind"> {
  if (endpoint === undefined) return { name: text, localAddress: text, kind: "tcp" };
  const name = text.split("=", 1)[0]!.trim();
  return { name, localAddress: parseEndpoint(endpoint).address, kind: kindOf(endpoint).name };
}

function parseHostPattern(pattern: string, text: string): (host: string) => boolean {
  if (pattern === "*") return () => true;
  const slash = pattern.indexOf("/");
  const base = slash < 0 ? pattern : pattern.slice(0, slash);
  const bytes = ipBytes(base);
  if (bytes) {
    const length = slash < 0 ? bytes.length * 8 : parsePrefixLength(pattern.slice(slash + 1), bytes.length * 8, text);
    return (host) => {
      const other = ipBytes(host);
      return other !== undefined && samePrefix(bytes, other, length);
    };
  }
  if (slash >= 0) throw new SyntaxError(`"${pattern}" in "${text}" is not a network; write one as in 10.0.0.0/24`);
  if (!isHost(pattern)) throw notAHost(pattern, text, "not a host; write a name, an IP, a network or *");
  const name = pattern.toLowerCase();
  return (host) => host.toLowerCase() === name;
}

function parsePortPattern(pattern: string, text: string): (port: number) => boolean {
  if (pattern === "*") return () => true;
  const [from = "", to = from, ...rest] = pattern.split("-");
  const low = parsePort(from, text);
  const high = parsePort(to, text);
  if (rest.length > 0 || low === 0 || low > high) {
    throw new SyntaxError(`"${pattern}" in "${text}" is not a port from 1 to 65535, a range as in 8000-8099, or *`);
  }
  return (port) => port >= low && port <= high;
}

function parsePrefixLength(length: string, max: number, text: string): number {
  const bits = /^\d{1,3}$/.test(length) ? Number(length) : NaN;
  if (!(bits <= max)) throw new SyntaxError(`"/${length}" in "${text}" is not a prefix length from 0 to ${max}`);
  return bits;
}
