/**
 * The lines of `server devices`: what the files say of each device, and what the server knows of it that runs.
 *
 * @module
 */

import { fingerprint, parsePublicKey } from "../../../net/tls/identity.ts";
import type { AuthorizedDevice } from "../../devices/authorized_devices.ts";
import { formatPastTime, formatTime } from "../../devices/edits.ts";
import { eachService, formatGrantedAddress, type ServiceGrant } from "../../devices/service_grant.ts";
import type { PendingEnrolment } from "../../state/enrolments.ts";
import type { LiveDevice } from "../../state/live_state.ts";

/** One line of `devices`. */
export interface Row {
  readonly name: string;
  readonly key: string | null;
  readonly fingerprint: string | null;
  readonly state: "active" | "disabled" | "expired" | "enrolling";
  /** Whether it has a link; `null` if that is not known, as the server does not run. */
  readonly online: boolean | null;
  /** Whether its session waits for another link, with its clients. */
  readonly interrupted: boolean;
  /** Since when, if the running server has seen it. */
  readonly since: string | null;
  /** Where it dialled from, if it has a link. */
  readonly remote: string | null;
  /** Whether it takes no new clients, and when those who are there are ended, if they are. */
  readonly draining: { readonly since: string; readonly until: string | null } | null;
  /** Its mode; with what follows `null` if that is not known. */
  readonly mode: string | null;
  /** Its program, as it said. */
  readonly software: string | null;
  /** The lowest and the highest version of the wire that it speaks. */
  readonly versions: readonly [number, number] | null;
  /** Its wall clock less the server's, in milliseconds. */
  readonly clockOffset: number | null;
  /** When it came last with versions that the server does not speak, if it did. */
  readonly incompatible: string | null;
  /** Where clients may reach its services: what was granted. */
  readonly services: Record<string, string>;
  /** Where they do: what is bound now. */
  readonly bound: Record<string, string>;
  /** Why some are not bound, of a device that has a link. */
  readonly unbound: Record<string, string>;
  readonly expires: string | null;
  readonly tags: readonly string[];
  readonly comment: string | null;
}

/** The line of a device. */
export async function rowOf(
  device: AuthorizedDevice,
  now: number,
  live: ReadonlyMap<string, LiveDevice> | undefined,
): Promise<Row> {
  const { name, key, services, expires, disabled, tags = [], comment } = device;
  const expired = expires !== undefined && expires <= now;
  const seen = live?.get(key);
  const open = seen?.services.filter((service) => service.open) ?? [];
  const bound = Object.fromEntries(open.map((service) => [service.name, service.hostAddress]));
  return {
    name,
    key,
    fingerprint: await fingerprint(parsePublicKey(key)),
    state: disabled ? "disabled" : expired ? "expired" : "active",
    online: live ? seen?.online ?? false : null,
    interrupted: seen?.interrupted ?? false,
    since: seen?.since === undefined ? null : formatPastTime(seen.since),
    remote: seen?.remote ?? null,
    draining: seen?.draining ?? null,
    mode: seen?.mode ?? null,
    software: seen?.software ?? null,
    versions: seen?.versions ?? null,
    clockOffset: seen?.clockOffset ?? null,
    incompatible: seen?.incompatible ? formatPastTime(seen.incompatible.at) : null,
    services: addressesOf(services),
    bound,
    unbound: seen?.online ? whyUnbound(services, seen) : {},
    expires: expires === undefined ? null : formatTime(expires),
    tags,
    comment: comment ?? null,
  };
}

/** The line of a string that waits. */
export function waitingRow({ device, services, expires, validUntil, comment }: PendingEnrolment, now: number): Row {
  return {
    name: device,
    key: null,
    fingerprint: null,
    state: expires !== undefined && expires <= now ? "expired" : "enrolling", // what would be let in could not come
    online: false,
    interrupted: false,
    since: null,
    remote: null,
    draining: null,
    mode: null,
    software: null,
    versions: null,
    clockOffset: null,
    incompatible: null,
    services: addressesOf(services ?? []),
    bound: {},
    unbound: {},
    expires: expires === undefined ? null : formatTime(expires),
    tags: [],
    comment: [`until ${formatTime(validUntil)}`, comment].filter(Boolean).join("; "),
  };
}

/** What a device in that mode offers: nothing. */
export const IN_CONFIG = "not offered in mode config";

/** The device alone knows which. */
export const NOT_OFFERED = "not offered now: down, with down=refuse, or not a service of the device";

/** Granted services of a device that is online, which clients cannot reach all the same. */
function whyUnbound(granted: readonly ServiceGrant[], { services, mode }: LiveDevice): Record<string, string> {
  return Object.fromEntries(
    eachService(granted).flatMap(({ name }) => {
      const service = services.find((candidate) => candidate.name === name);
      return service?.open
        ? []
        : [[name, service ? service.error ?? "not open yet" : mode === "config" ? IN_CONFIG : NOT_OFFERED]];
    }),
  );
}

function addressesOf(services: readonly ServiceGrant[]): Record<string, string> {
  return Object.fromEntries(eachService(services).map(({ name, listen }) => [name, formatGrantedAddress(listen)]));
}
