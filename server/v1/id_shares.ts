/**
 * Who has the client ids of a v1 link, and who may have the next: clients of one service cannot take the last of another's.
 *
 * @module
 */

import { IDS_A_SERVICE, SERVICE_IDS_PART } from "../limits.ts";
import { V1_MAX_CHANNELS } from "../../protocol/v1/limits.ts";
import type { Waiter } from "../ports/fair_line.ts";

/** Clients that have an id, by service and by where they came from. */
export class IdShares {
  readonly #held = new Map<unknown, Set<Waiter>>();

  /** One has an id. */
  add(holder: Waiter): void {
    const same = this.#held.get(holder.service);
    if (same) same.add(holder);
    else this.#held.set(holder.service, new Set([holder]));
  }

  /** One has gone. */
  delete(holder: Waiter): void {
    const same = this.#held.get(holder.service);
    same?.delete(holder);
    if (same?.size === 0) this.#held.delete(holder.service);
  }

  /** Whether a client of `service` may take one of `free` ids: what the other `services` lack of their own is left for them. */
  mayOpen(service: unknown, services: readonly unknown[], free: number): boolean {
    const own = Math.min(IDS_A_SERVICE, Math.floor(V1_MAX_CHANNELS / SERVICE_IDS_PART / services.length));
    if (free > own * (services.length - 1)) return true;
    let kept = 0;
    for (const other of services) if (other !== service) kept += Math.max(0, own - this.#count(other));
    return free > kept;
  }

  /** How much somebody has of what `services` share, in an order: first by its service, then by its address; infinite if it may have no more. */
  loads(services: readonly unknown[], free: number): (waiter: Waiter) => number {
    const known = new Map<unknown, { readonly load: number; readonly sites: ReadonlyMap<string, number> }>();
    const ofService = (service: unknown) => {
      const sites = new Map<string, number>();
      for (const { site } of this.#held.get(service) ?? []) sites.set(site, (sites.get(site) ?? 0) + 1);
      const load = this.mayOpen(service, services, free) ? this.#count(service) * V1_MAX_CHANNELS : Infinity;
      const made = { load, sites };
      known.set(service, made);
      return made;
    };
    return ({ service, site }) => {
      const { load, sites } = known.get(service) ?? ofService(service);
      return load + (sites.get(site) ?? 0);
    };
  }

  #count(service: unknown): number {
    return this.#held.get(service)?.size ?? 0;
  }
}
