/**
 * The gates of a device's services: they stay while its links and host ports come and go.
 *
 * @module
 */

import { UDP_IDLE_TIMEOUT_MS } from "../limits.ts";
import { AccessGate } from "../access/gate.ts";
import type { Opening } from "../access/openings.ts";
import { type AccessRules, mergeRules } from "../access/rules.ts";
import type { AuthorizedDevice } from "../devices/authorized_devices.ts";
import { isUdp, type ServiceGrant } from "../devices/service_grant.ts";
import type { ServerSettings } from "../options.ts";

/** One for each service to which clients came. */
export class ServiceGates {
  readonly #settings: ServerSettings;
  readonly #gates = new Map<string, AccessGate>();

  /** None yet. */
  constructor(settings: ServerSettings) {
    this.#settings = settings;
  }

  /** The rules of a service: its own, else its device's, else those for all. */
  rules(device: AuthorizedDevice, grant: ServiceGrant): AccessRules {
    const rules = mergeRules(this.#settings.v2?.devices.defaults, device.access, grant);
    // Nobody says when a client of UDP has gone.
    return isUdp(grant.listen) ? { idleTimeout: UDP_IDLE_TIMEOUT_MS, ...rules } : rules;
  }

  /** The gate of a service. */
  of(device: AuthorizedDevice, grant: ServiceGrant): AccessGate {
    let gate = this.#gates.get(grant.name);
    if (gate) return gate;
    const { clock, refusalCounts } = this.#settings;
    gate = new AccessGate(this.rules(device, grant), clock, refusalCounts.add);
    gate.openTo = this.#opening(device, grant)?.from;
    this.#gates.set(grant.name, gate);
    return gate;
  }

  /** Whether a service is closed until somebody opens it for a time. */
  isShut(device: AuthorizedDevice, grant: ServiceGrant): boolean {
    return this.rules(device, grant).closed === true && this.#opening(device, grant) === undefined;
  }

  /** A service was opened for a time, or is closed again. @returns whether it is shut now. */
  accessChanged(device: AuthorizedDevice, grant: ServiceGrant, keepClients: boolean): boolean {
    const isShut = this.isShut(device, grant);
    const gate = this.of(device, grant);
    if (isShut && !keepClients) gate.endAll("access-closed");
    if (!isShut) gate.openTo = this.#opening(device, grant)?.from;
    return isShut;
  }

  #opening({ name }: AuthorizedDevice, grant: ServiceGrant): Opening | undefined {
    return this.#settings.openings.get(name, grant.name);
  }

  /** A service is not there any more. */
  forget(name: string): void {
    this.#gates.delete(name);
  }

  /** Other rules may hold, and other grants, by their names. Those who may not be there any more are ended. */
  update(device: AuthorizedDevice, grantFor: (name: string) => ServiceGrant | undefined): void {
    for (const [name, gate] of this.#gates) {
      const grant = grantFor(name);
      if (grant) gate.rules = this.rules(device, grant);
      else this.#gates.delete(name);
    }
  }
}
