/**
 * Which host addresses with a fixed port are whose: a question that costs the same however many there are.
 *
 * @module
 */

import {
  canonicalHost,
  type GrantedAddress,
  isEveryHost,
  isIPv6Host,
  type ServiceGrant,
} from "../devices/service_grant.ts";

/** A fixed host address that a device has. */
export interface PortClaim {
  /** The device's name. */
  readonly device: string;
  /** What has the address. */
  readonly service: ServiceGrant;
}

/** The fixed host addresses of many devices. */
export class PortClaims {
  /** By port, then by host. */
  readonly #ports = new Map<number, Map<string, PortClaim>>();

  /** Whether a port is somebody's for good, at any host. */
  has(port: number): boolean {
    return this.#ports.has(port);
  }

  /** Notes a service; one without a fixed port claims nothing. */
  add(device: string, service: ServiceGrant): void {
    const { listen } = service;
    if (!isFixed(listen)) return;
    const hosts = this.#ports.get(listen.from) ?? new Map<string, PortClaim>();
    hosts.set(canonicalHost(listen.host), { device, service });
    this.#ports.set(listen.from, hosts);
  }

  /** Who has an address, or one that no other listener can have beside it; what `except` has does not count. */
  find(address: GrantedAddress, except?: string): PortClaim | undefined {
    const hosts = isFixed(address) ? this.#ports.get(address.from) : undefined;
    if (!hosts) return undefined;
    const host = canonicalHost(address.host);
    const counts = (claim: PortClaim | undefined) => claim && claim.device !== except ? claim : undefined;
    if (!isEveryHost(host)) {
      const everywhere = EVERY_HOST.filter((every) => isIPv6Host(every) || !isIPv6Host(host));
      return [host, ...everywhere].map((each) => counts(hosts.get(each))).find((claim) => claim !== undefined);
    }
    for (const [other, claim] of hosts) {
      if (isIPv6Host(host) || isEveryHost(other) || !isIPv6Host(other)) {
        if (counts(claim)) return claim;
      }
    }
    return undefined;
  }
}

const EVERY_HOST = ["0.0.0.0", canonicalHost("::")];

function isFixed({ from, to }: GrantedAddress): boolean {
  return from === to && from !== 0;
}
