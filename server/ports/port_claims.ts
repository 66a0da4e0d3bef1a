/**
 * Which host addresses with a fixed port are whose: a question that costs the same however many there are.
 *
 * @module
 */

import { parseIPv6 } from "../../protocol/ip.ts";
import type { GrantedAddress, ServiceGrant } from "../devices/service_grant.ts";

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
    const { listen } = service;
    if (!isFixed(listen)) return;
    const hosts = this.#ports.get(listen.from) ?? new Map<string, PortClaim[]>();
    this.#ports.set(listen.from, hosts);
    const host = canonicalHost(listen.host);
    const claims = hosts.get(host);
    const own = claims?.findIndex((claim) => claim.device === device) ?? -1;
    if (!claims) hosts.set(host, [{ device, service }]);
    else if (own < 0) claims.push({ device, service });
    else claims[own] = { device, service };
  }

  /** Who has an address, or one that no other listener can have beside it; what `except` has does not count. */
  find(address: GrantedAddress, except?: string): PortClaim | undefined {
    const hosts = isFixed(address) ? this.#ports.get(address.from) : undefined;
    if (!hosts) return undefined;
    const host = canonicalHost(address.host);
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

function isFixed({ from, to }: GrantedAddress): boolean {
  return from === to && from !== 0;
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
