/**
 * Which host addresses with a fixed port are whose: a question that costs the same however many there are.
 *
 * @module
 */

import { parseIPv6 } from "../../protocol/ip.ts";
import type { GrantedPlace, ServiceGrant } from "../devices/service_grant.ts";
import { isUnixHost } from "./unix_host.ts";

/** A fixed host address that a device has. */
export interface PortClaim {
  /** The device's name. */
  readonly device: string;
  /** What has the address. */
  readonly service: ServiceGrant;
}

/** The fixed host addresses of many devices. */
export class PortClaims {
  /** By port, then by host. Where several have one, as enrolments can that wait, it is the first one's. */
  readonly #ports = new Map<number, Map<string, PortClaim[]>>();

  /** Whether a port is somebody's for good, at any host. */
  has(port: number): boolean {
    return this.#ports.has(port);
  }

  /** Notes a service; one without a fixed port claims nothing. */
  add(device: string, service: ServiceGrant): void {
    for (const place of fixedPlaces(service.listen)) this.#add(place, { device, service });
  }

  #add({ host, port }: Place, claim: PortClaim): void {
    const { device } = claim;
    const hosts = this.#ports.get(port) ?? new Map<string, PortClaim[]>();
    this.#ports.set(port, hosts);
    const claims = hosts.get(host);
    const own = claims?.findIndex((claim) => claim.device === device) ?? -1;
    if (!claims) hosts.set(host, [claim]);
    else if (own < 0) claims.push(claim);
    else claims[own] = claim;
  }

  /** Who has an address, or one that no other listener can have beside it; what `except` has does not count. */
  find(address: GrantedPlace, except?: string): PortClaim | undefined {
    for (const place of fixedPlaces(address)) {
      const claim = this.#find(place, except);
      if (claim) return claim;
    }
    return undefined;
  }

  #find({ host, port }: Place, except: string | undefined): PortClaim | undefined {
    const hosts = this.#ports.get(port);
    if (!hosts) return undefined;
    const first = (claims: readonly PortClaim[] = []) => claims.find(({ device }) => device !== except);
    if (!isEveryHost(host)) {
      const everywhere = EVERY_HOST.filter((every) => isIPv6Host(every) || !isIPv6Host(host));
      return [host, ...everywhere].map((each) => first(hosts.get(each))).find((claim) => claim !== undefined);
    }
    for (const [other, claims] of hosts) {
      if (!isIPv6Host(host) && !isEveryHost(other) && isIPv6Host(other)) continue;
      const claim = first(claims);
      if (claim) return claim;
    }
    return undefined;
  }
}

/** Unix sockets have paths in place of ports: all of them stand below this one. */
const NO_PORT = -1;

/** Ports of UDP are others than those of TCP: they stand above these. */
const UDP_PORTS = 65_536;

/** A host, in the one way of writing, and a port. */
interface Place {
  readonly host: string;
  readonly port: number;
}

/** The places of an address that are its own: none of one that takes a free port. */
function fixedPlaces(address: GrantedPlace): Place[] {
  if (isUnixHost(address)) return [{ host: address.unix, port: NO_PORT }];
  const { from, to, udp, each } = address;
  if (from === 0 || from !== to && !each) return [];
  const host = canonicalHost(address.host);
  const first = udp ? UDP_PORTS + from : from;
  return Array.from({ length: to - from + 1 }, (_, n) => ({ host, port: first + n }));
}

const ANY_6 = `6 ${Array(16).fill(0).join()}`;
const EVERY_HOST = ["0.0.0.0", ANY_6];

/** A host in the one way of writing that compares equal for equal hosts. */
function canonicalHost(host: string): string {
  const bytes = host.includes(":") ? parseIPv6(host) : undefined;
  return bytes ? `6 ${bytes.join()}` : host.toLowerCase();
}

/** Whether a canonical host stands for all of this machine's addresses. */
function isEveryHost(canonical: string): boolean {
  return canonical === ANY_6 || canonical === "0.0.0.0";
}

/** Whether a canonical host is an IPv6 address. */
function isIPv6Host(canonical: string): boolean {
  return canonical.startsWith("6 ");
}
