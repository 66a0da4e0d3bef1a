/**
 * Who may reach a service, from where, how often, how fast and for how long: as its owner writes it.
 *
 * @module
 */

import type { ClientRate } from "./client_rates.ts";

/** The rules of a service, of all services of a device, or of all. Without any, everybody may come. */
export interface AccessRules {
  /** Networks that may reach it, `10.0.0.0/8`; every one by default. */
  readonly allowFrom?: readonly string[];
  /** Networks that may not, also if they are within those that may. */
  readonly denyFrom?: readonly string[];
  /** Clients at once at most. */
  readonly maxClients?: number;
  /** Clients at once from one address, or one /56 of IPv6, at most. */
  readonly maxClientsPerAddress?: number;
  /** New clients at most. */
  readonly clientRate?: ClientRate;
  /** New clients from one address, or one /56 of IPv6, at most. */
  readonly clientRatePerAddress?: ClientRate;
  /** Bytes a second from all its clients to the service at most. */
  readonly bandwidthUp?: number;
  /** Bytes a second from the service to all its clients at most; not on v1, where nothing else can be slowed down than the link. */
  readonly bandwidthDown?: number;
  /** Milliseconds without a byte in either direction after which a client is ended. */
  readonly idleTimeout?: number;
  /** Milliseconds after which a client is ended. */
  readonly timeLimit?: number;
  /** When clients may be there, as `parseHours` has it; always by default. */
  readonly hours?: readonly string[];
  /** Whether its host port is closed until somebody opens it for a time. @default {false} */
  readonly closed?: boolean;
}

/** What there is to rule, by its name here. */
export const RULE_NAMES = [
  "allowFrom",
  "denyFrom",
  "maxClients",
  "maxClientsPerAddress",
  "clientRate",
  "clientRatePerAddress",
  "bandwidthUp",
  "bandwidthDown",
  "idleTimeout",
  "timeLimit",
  "hours",
  "closed",
] as const satisfies readonly (keyof AccessRules)[];

/** What holds for a service: each rule as it stands nearest to it, the last of `layers` being the nearest. */
export function mergeRules(...layers: readonly (AccessRules | undefined)[]): AccessRules {
  const merged: Record<string, unknown> = {};
  for (const layer of layers) {
    for (const name of RULE_NAMES) if (layer?.[name] !== undefined) merged[name] = layer[name];
  }
  return merged;
}
