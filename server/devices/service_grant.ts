/**
 * What a device may offer: services by name, and the host addresses at which clients reach them.
 *
 * @module
 */

import {
  formatUnixHost,
  isUnixHost,
  looksLikeUnixHost,
  parseUnixHost,
  type UnixHostAddress,
} from "../ports/unix_host.ts";
import { formatUdp, looksLikeUdp, parseUdp, type UdpDetails } from "../../net/udp/address.ts";
import type { PortPlace } from "../ports/host_port.ts";
import { isHost, notAHost, parsePort, splitHostPort } from "../../protocol/address.ts";
import { V2_MAX_SERVICES } from "../../protocol/v2/limits.ts";
import { parseName } from "../../protocol/name.ts";
import type { AccessRules } from "../access/rules.ts";
import { MAX_FORWARD_RANGE } from "../limits.ts";

/** A host address with one port, with a range to take a free one from, or with 0 (0–0) for any free one. */
export interface GrantedAddress {
  /** Where to listen for clients. */
  readonly host: string;
  /** First port. */
  readonly from: number;
  /** Last port; equal to `from` for a fixed one. */
  readonly to: number;
  /** Given if it is one of UDP, and not of TCP. */
  readonly udp?: UdpDetails | undefined;
  /** Whether a range is that of as many services, one for each port, and not one to take a free port from. @default {false} */
  readonly each?: true;
}

/** Where clients reach a service: by TCP, or at a Unix socket of the server's machine. */
export type GrantedPlace = GrantedAddress | UnixHostAddress;

/** One service that a device may offer, with what rules it has of its own. */
export interface ServiceGrant extends AccessRules {
  /** Its name, which the device asks for. */
  readonly name: string;
  /** Where clients reach it. */
  readonly listen: GrantedPlace;
  /** What the device dials, `HOST:PORT`, or `HOST:FROM-TO` for each of a range, if the server defines the service; the device's owner has to allow that. */
  readonly local?: string;
  /** Networks whose connections begin with a PROXY header, as they were written. */
  readonly proxyFrom?: readonly string[];
}

/**
 * Parses `HOST:PORT`, `HOST:FROM-TO` or `HOST:0`; without a host, clients reach it at every IPv4 address of the server. Behind `udp:`
 * that is one of UDP. Or
 * `unix:PATH[,mode=0660][,group=NAME]`: only users of the server's machine reach that. `HOST:FROM-TO,each` is a range for as many
 * services, see {@linkcode eachService}.
 */
export function parseGrantedAddress(text: string): GrantedPlace {
  if (looksLikeUnixHost(text)) return parseUnixHost(text);
  const [, range] = /^(.*?) *, *each$/.exec(text) ?? [];
  if (range !== undefined) return { ...demandRange(parseGrantedAddress(range), text), each: true };
  if (looksLikeUdp(text)) {
    const [address, udp] = parseUdp(text);
    return { ...parsePorts(address), udp };
  }
  return parsePorts(text);
}

function demandRange(place: GrantedPlace, text: string): GrantedAddress {
  if (isUnixHost(place) || place.from === place.to) {
    throw new SyntaxError(`"each" in "${text}" is for a range of ports, as in 0.0.0.0:8000-8010,each`);
  }
  const count = place.to - place.from + 1;
  if (count <= MAX_FORWARD_RANGE) return place;
  throw new SyntaxError(`"${text}" has ${count} ports; ${MAX_FORWARD_RANGE} can be in a range for each of them`);
}

function parsePorts(text: string): GrantedAddress {
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
export function formatGrantedAddress(address: GrantedPlace): string {
  if (isUnixHost(address)) return formatUnixHost(address);
  const { host, from, to, udp, each } = address;
  const ports = from === to ? `${from}` : `${from}-${to}`;
  const place = host.includes(":") ? `[${host}]:${ports}` : `${host}:${ports}`;
  return `${udp ? formatUdp(place, udp) : place}${each ? ",each" : ""}`;
}

/** The same for people: with what the address does not show. */
export function describeGrantedAddress(listen: GrantedPlace): string {
  const at = formatGrantedAddress(listen);
  if (isUnixHost(listen)) return at;
  const told = [
    ...(listen.host === "0.0.0.0" || listen.host === "::" ? ["every address of this host"] : []),
    ...(listen.from === 0 ? ["a port that is free then"] : []),
  ];
  return `${at}${told.length > 0 ? ` (${told.join(", ")})` : ""}`;
}

/** The number of services that a grant stands for, if it is a range for as many. */
export function rangeOf({ listen }: ServiceGrant): number | undefined {
  return !isUnixHost(listen) && listen.each ? listen.to - listen.from + 1 : undefined;
}

const expanded = new WeakMap<readonly ServiceGrant[], readonly ServiceGrant[]>();

/**
 * Services one by one: a range for as many, `web=0.0.0.0:8000-8010,each`, is `web-1` at port 8000 to `web-11` at port 8010, all with
 * the rules of the range. A device offers the same by `web=127.0.0.1:9000-9010`.
 */
export function eachService(services: readonly ServiceGrant[]): readonly ServiceGrant[] {
  if (services.every((grant) => rangeOf(grant) === undefined)) return services;
  const known = expanded.get(services);
  if (known) return known;
  const all = services.flatMap((grant) => {
    const count = rangeOf(grant);
    return count === undefined ? [grant] : Array.from({ length: count }, (_, at) => oneOf(grant, at));
  });
  expanded.set(services, all);
  return all;
}

/** One of a range, the first is 0. */
function oneOf(grant: ServiceGrant, at: number): ServiceGrant {
  const { listen, local, name } = grant;
  const { each: _each, ...range } = listen as GrantedAddress;
  const port = range.from + at;
  const [, host, first] = /^(.*):(\d+)-\d+$/.exec(local ?? "") ?? [];
  return {
    ...grant,
    name: `${name}-${at + 1}`,
    listen: { ...range, from: port, to: port },
    ...(host !== undefined && { local: `${host}:${Number(first) + at}` }),
  };
}

/** Services as messages name them, `ssh, web-1 to web-11`. */
export function namesOf(services: readonly ServiceGrant[]): string {
  const names = services.map((grant) => {
    const count = rangeOf(grant);
    return count === undefined ? grant.name : `${grant.name}-1 to ${grant.name}-${count}`;
  });
  return names.join(", ") || "none";
}

/** Demands that a device can have all these services. @throws {SyntaxError} with what was wrong and what would do. */
export function checkGrants(services: readonly ServiceGrant[]): void {
  const all = eachService(services);
  if (all.length > V2_MAX_SERVICES) {
    throw new SyntaxError(`${all.length} services are too many; a device can have ${V2_MAX_SERVICES}`);
  }
  const names = new Set<string>();
  for (const { name } of all) {
    if (names.has(name)) throw new SyntaxError(`"${name}" is there twice; give each service its own name`);
    names.add(parseName(name)); // with the number of a range it may be too long
  }
}

/** Whether clients reach it by UDP. */
export function isUdp(address: GrantedPlace): boolean {
  return !isUnixHost(address) && address.udp !== undefined;
}

/** Demands that a service can be had as it is granted. @throws {SyntaxError} with what was wrong and what would do. */
export function checkGrant<G extends ServiceGrant>(grant: G): G {
  const { name, proxyFrom, local } = grant;
  const [, first, last] = /:(\d+)-(\d+)$/.exec(local ?? "") ?? [];
  const locals = first === undefined ? undefined : Number(last) - Number(first) + 1;
  if (local !== undefined && locals !== rangeOf(grant)) {
    throw new SyntaxError(
      `${name} has ${rangeOf(grant) ?? 1} host ports and ${locals ?? 1} local ones (${local}); write as many of each`,
    );
  }
  if (!isUdp(grant.listen)) return grant;
  if (proxyFrom) throw new SyntaxError(`${name} is one of UDP, which has no PROXY header: leave proxy-from out`);
  if (local !== undefined) {
    throw new SyntaxError(`${name} is one of UDP, which the device has to define: leave local out`);
  }
  return grant;
}

/** What a host port is opened by. */
export function placeOf(address: GrantedPlace): PortPlace | UnixHostAddress {
  if (isUnixHost(address)) return address;
  const { host, from, to, udp } = address;
  return { host, ports: [from, to], udp };
}

/** Parses `NAME=HOST:PORT`, as on the command line. */
export function parseGrant(text: string): ServiceGrant {
  const [, name, address] = /^([^=]*)=(.*)$/.exec(text) ?? [];
  if (!name || !address) {
    throw new SyntaxError(`"${text}" is not a service; write NAME=HOST:PORT, as in ssh=0.0.0.0:2201`);
  }
  const grant = { name: parseName(name), listen: parseGrantedAddress(address) };
  checkGrants([grant]);
  return grant;
}
