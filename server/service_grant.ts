/**
 * What a device may offer: services by name, and the host addresses at which clients reach them.
 *
 * @module
 */

import { isHost, parseIPv4, parseIPv6, parsePort, splitHostPort } from "../protocol/address.ts";
import { V2_MAX_CHANNELS, V2_MAX_SERVICES } from "../protocol/limits.ts";
import { tomlKey, tomlString } from "../app/toml_scan.ts";
import type { TomlTable } from "../app/toml_table.ts";
import { parseName, parsePositiveDuration, wholeNumber } from "../app/values.ts";

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
  if (!isHost(host)) throw new SyntaxError(`"${host}" in "${text}" is neither a host name nor an IP address`);
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

/** Writes services as an inline table, `{ ssh = "0.0.0.0:2201" }`. */
export function formatGrants(services: readonly ServiceGrant[]): string {
  return `{ ${services.map((service) => `${tomlKey(service.name)} = ${formatGrant(service)}`).join(", ")} }`;
}

function formatGrant({ listen, maxClients, idleTimeout, proxyFrom }: ServiceGrant): string {
  const address = tomlString(formatGrantedAddress(listen));
  if (maxClients === undefined && idleTimeout === undefined && !proxyFrom) return address;
  const parts = [`listen = ${address}`];
  if (maxClients !== undefined) parts.push(`max-clients = ${maxClients}`);
  if (idleTimeout !== undefined) parts.push(`idle-timeout = "${idleTimeout}ms"`);
  if (proxyFrom) parts.push(`proxy-from = [${proxyFrom.map(tomlString).join(", ")}]`);
  return `{ ${parts.join(", ")} }`;
}

/** Reads the services of the table `services`: for each its address, or a table with `listen` and limits. */
export function readGrants(services: TomlTable): ServiceGrant[] {
  const { names } = services;
  if (names.length > V2_MAX_SERVICES) {
    throw services.error(undefined, `${names.length} services are too many; a device can have ${V2_MAX_SERVICES}`);
  }
  return names.map((name) => {
    try {
      parseName(name);
    } catch (error) {
      throw error instanceof SyntaxError ? services.error(name, error.message) : error;
    }
    return services.isTable(name)
      ? readGrant(name, services.table(name)!)
      : { name, listen: services.one(name, parseGrantedAddress)! };
  });
}

function readGrant(name: string, table: TomlTable): ServiceGrant {
  const listen = table.one("listen", parseGrantedAddress);
  if (!listen) throw table.error(undefined, `"listen" is missing; for example: listen = "0.0.0.0:2201"`);
  const maxClients = table.one("max-clients", wholeNumber(1, V2_MAX_CHANNELS));
  const idleTimeout = table.one("idle-timeout", parsePositiveDuration);
  const proxyFrom = table.list("proxy-from", (text) => (parseNetwork(text), text));
  return {
    name,
    listen,
    ...(maxClients !== undefined && { maxClients }),
    ...(idleTimeout !== undefined && { idleTimeout }),
    ...(proxyFrom && { proxyFrom }),
  };
}

/** Whether no two listeners can have both addresses: one fixed port of the same host, or of all hosts. */
export function overlaps(a: GrantedAddress, b: GrantedAddress): boolean {
  if (a.from !== a.to || b.from !== b.to || a.from !== b.from || a.from === 0) return false;
  const [first, second] = [canonicalHost(a.host), canonicalHost(b.host)];
  if (first === second || first === ANY_6 || second === ANY_6) return true;
  const other = first === "0.0.0.0" ? second : second === "0.0.0.0" ? first : undefined;
  return other !== undefined && !other.startsWith("6 ");
}

const ANY_6 = `6 ${Array(16).fill(0).join()}`;

function canonicalHost(host: string): string {
  const bytes = host.includes(":") ? parseIPv6(host) : undefined;
  return bytes ? `6 ${bytes.join()}` : host.toLowerCase();
}

/** Parses a network, `10.0.0.0/8`, or a single IP. @returns whether it contains an IP. */
export function parseNetwork(text: string): (ip: string) => boolean {
  const [base = "", length, ...rest] = text.split("/");
  const bytes = ipBytes(base);
  const bits = bytes && length === undefined ? bytes.length * 8 : /^\d{1,3}$/.test(length ?? "") ? Number(length) : NaN;
  if (!bytes || rest.length > 0 || !(bits <= bytes.length * 8)) {
    throw new SyntaxError(`"${text}" is not a network; write one as in 10.0.0.0/8`);
  }
  return (ip) => {
    const other = ipBytes(ip);
    return other?.length === bytes.length && bytes.every((byte, at) => {
      const counted = Math.min(8, Math.max(0, bits - at * 8));
      return (byte ^ other[at]!) >> (8 - counted) === 0;
    });
  };
}

/** The bytes of an IP; an IPv4 address mapped into IPv6 counts as the IPv4 address that it means. */
function ipBytes(host: string): number[] | undefined {
  const bytes = parseIPv4(host) ?? (host.includes(":") ? parseIPv6(host) : undefined);
  const mapped = bytes?.length === 16 && bytes.slice(0, 12).join() === "0,0,0,0,0,0,0,0,0,0,255,255";
  return mapped ? bytes.slice(12) : bytes;
}
