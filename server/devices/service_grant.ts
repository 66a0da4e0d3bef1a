/**
 * What a device may offer: services by name, and the host addresses at which clients reach them.
 *
 * @module
 */

import { parseIPv6 } from "../../protocol/ip.ts";
import { isHost, notAHost, parsePort, splitHostPort } from "../../protocol/address.ts";
import { parseName } from "../../protocol/name.ts";

/** A host address with one port, with a range to take a free one from, or with 0 (0–0) for any free one. */
export interface GrantedAddress {
  /** Where to listen for clients. */
  readonly host: string;
  /** First port. */
  readonly from: number;
  /** Last port; equal to `from` for a fixed one. */
  readonly to: number;
}

/** One service that a device may offer. */
export interface ServiceGrant {
  /** Its name, which the device asks for. */
  readonly name: string;
  /** Where clients reach it. */
  readonly listen: GrantedAddress;
  /** Clients at once at most. */
  readonly maxClients?: number;
  /** Milliseconds without a byte in either direction after which a client is ended. */
  readonly idleTimeout?: number;
  /** Networks whose connections begin with a PROXY header, as they were written. */
  readonly proxyFrom?: readonly string[];
}

/** Parses `HOST:PORT`, `HOST:FROM-TO` or `HOST:0`; without a host, clients reach it at every IPv4 address of the server. */
export function parseGrantedAddress(text: string): GrantedAddress {
  const [host, ports] = splitHostPort(/^[\d-]+$/.test(text) ? `0.0.0.0:${text}` : text);
  if (!isHost(host)) throw notAHost(host, text);
  const range = /^(\d+)-(\d+)$/.exec(ports);
  if (!range) {
    const port = parsePort(ports, text);
    return { host, from: port, to: port };
  }
  const [from, to] = [parsePort(range[1]!, text), parsePort(range[2]!, text)];
  if (from === 0 || from > to) {
    throw new SyntaxError(`"${ports}" in "${text}" is not a range; write one as in 8000-8099`);
  }
  return { host, from, to };
}

/** The inverse of {@linkcode parseGrantedAddress}. */
export function formatGrantedAddress({ host, from, to }: GrantedAddress): string {
  const ports = from === to ? `${from}` : `${from}-${to}`;
  return host.includes(":") ? `[${host}]:${ports}` : `${host}:${ports}`;
}

/** Parses `NAME=HOST:PORT`, as on the command line. */
export function parseGrant(text: string): ServiceGrant {
  const [, name, address] = /^([^=]*)=(.*)$/.exec(text) ?? [];
  if (!name || !address) {
    throw new SyntaxError(`"${text}" is not a service; write NAME=HOST:PORT, as in ssh=0.0.0.0:2201`);
  }
  return { name: parseName(name), listen: parseGrantedAddress(address) };
}

/** Whether no two listeners can have both addresses: one fixed port of the same host, or of all hosts. */
export function overlaps(a: GrantedAddress, b: GrantedAddress): boolean {
  if (a.from !== a.to || b.from !== b.to || a.from !== b.from || a.from === 0) return false;
  const [first, second] = [canonicalHost(a.host), canonicalHost(b.host)];
  if (first === second || first === ANY_6 || second === ANY_6) return true;
  const other = first === "0.0.0.0" ? second : second === "0.0.0.0" ? first : undefined;
  return other !== undefined && !isIPv6Host(other);
}

const ANY_6 = `6 ${Array(16).fill(0).join()}`;

/** A host in the one way of writing that compares equal for equal hosts. */
export function canonicalHost(host: string): string {
  const bytes = host.includes(":") ? parseIPv6(host) : undefined;
  return bytes ? `6 ${bytes.join()}` : host.toLowerCase();
}

/** Whether a canonical host stands for all of this machine's addresses. */
export function isEveryHost(canonical: string): boolean {
  return canonical === ANY_6 || canonical === "0.0.0.0";
}

/** Whether a canonical host is an IPv6 address. */
export function isIPv6Host(canonical: string): boolean {
  return canonical.startsWith("6 ");
}
