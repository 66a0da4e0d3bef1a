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
import { parseName } from "../../protocol/name.ts";
import type { AccessRules } from "../access/rules.ts";

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
}

/** Where clients reach a service: by TCP, or at a Unix socket of the server's machine. */
export type GrantedPlace = GrantedAddress | UnixHostAddress;

/** One service that a device may offer, with what rules it has of its own. */
export interface ServiceGrant extends AccessRules {
  /** Its name, which the device asks for. */
  readonly name: string;
  /** Where clients reach it. */
  readonly listen: GrantedPlace;
  /** What the device dials, `HOST:PORT`, if the server defines the service; the device's owner has to allow that. */
  readonly local?: string;
  /** Networks whose connections begin with a PROXY header, as they were written. */
  readonly proxyFrom?: readonly string[];
}

/**
 * Parses `HOST:PORT`, `HOST:FROM-TO` or `HOST:0`; without a host, clients reach it at every IPv4 address of the server. Behind `udp:`
 * that is one of UDP. Or
 * `unix:PATH[,mode=0660][,group=NAME]`: only users of the server's machine reach that.
 */
export function parseGrantedAddress(text: string): GrantedPlace {
  if (looksLikeUnixHost(text)) return parseUnixHost(text);
  if (looksLikeUdp(text)) {
    const [address, udp] = parseUdp(text);
    return { ...parsePorts(address), udp };
  }
  return parsePorts(text);
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
  const { host, from, to, udp } = address;
  const ports = from === to ? `${from}` : `${from}-${to}`;
  const place = host.includes(":") ? `[${host}]:${ports}` : `${host}:${ports}`;
  return udp ? formatUdp(place, udp) : place;
}

/** Whether clients reach it by UDP. */
export function isUdp(address: GrantedPlace): boolean {
  return !isUnixHost(address) && address.udp !== undefined;
}

/** Demands that a service can be had as it is granted. @throws {SyntaxError} with what was wrong and what would do. */
export function checkGrant<G extends ServiceGrant>(grant: G): G {
  if (!isUdp(grant.listen)) return grant;
  const { name, proxyFrom, local } = grant;
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
  return { name: parseName(name), listen: parseGrantedAddress(address) };
}
