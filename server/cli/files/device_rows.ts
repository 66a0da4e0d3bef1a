/**
 * The lines of `server devices`: what the files say of each device, and what the server knows of it that runs.
 *
 * @module
 */

import { fingerprint, parsePublicKey } from "../../../net/tls/identity.ts";
import { timeOrNull } from "../../../app/admin/shared.ts";
import type { AuthorizedDevice } from "../../devices/authorized_devices.ts";
import { eachService, formatGrantedAddress, type ServiceGrant } from "../../devices/service_grant.ts";
import type { PendingEnrolment } from "../../state/enrolments.ts";
import type { LiveDevice } from "../../state/live_state.ts";

/** One line of `devices`, an object of `--json`. Times are texts, as in 2026-01-31T12:00:00.000Z. */
export interface Row {
  /** Its name. */
  readonly name: string;
  /** Its public key; of an enrolment that waits, none yet. */
  readonly key: string | null;
  /** That of the key, for people. */
  readonly fingerprint: string | null;
  /** Whether it may link up. */
  readonly state: "active" | "disabled" | "expired" | "enrolling";
  /** Whether it has a link; `null` if that is not known, as the server does not run. */
  readonly online: boolean | null;
  /** Whether its session waits for another link, with its clients. */
  readonly interrupted: boolean;
  /** Since when, if the running server has seen it. */
  readonly since: string | null;
  /** Where it dialled from, if it has a link. */
  readonly remote: string | null;
  /** Whether it takes no new clients, since when, and when those who are there are ended, if they are. */
  readonly draining: { readonly since: string; readonly until: string | null } | null;
  /** Its mode, `run` or `config`; with what follows `null` if that is not known. */
  readonly mode: string | null;
  /** Its program, as it said. */
  readonly software: string | null;
  /** The lowest and the highest version of the wire that it speaks. */
  readonly versions: readonly [number, number] | null;
  /** Its wall clock less the server's, in milliseconds. */
  readonly clockOffset: number | null;
  /** When it came last with versions that the server does not speak, if it did. */
  readonly incompatible: string | null;
  /** Where clients may reach its services, by their names: what was granted. */
  readonly services: Record<string, string>;
  /** Where they do: what is bound now. */
  readonly bound: Record<string, string>;
  /** Why some are not bound, of a device that has a link. */
  readonly unbound: Record<string, string>;
  /** Until when it may link up; `null`: for ever. */
  readonly expires: string | null;
  /** Of an enrolment that waits: until when its string is good. */
  readonly validUntil: string | null;
  /** What it is selected by beside its name. */
  readonly tags: readonly string[];
  /** What its owner wrote of it. */
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
    since: timeOrNull(seen?.since),
    remote: seen?.remote ?? null,
    draining: seen?.draining ?? null,
    mode: seen?.mode ?? null,
    software: seen?.software ?? null,
    versions: seen?.versions ?? null,
    clockOffset: seen?.clockOffset ?? null,
    incompatible: timeOrNull(seen?.incompatible?.at),
    services: addressesOf(services),
    bound,
    unbound: seen?.online ? whyUnbound(services, seen) : {},
    expires: timeOrNull(expires),
    validUntil: null,
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
    expires: timeOrNull(expires),
    validUntil: timeOrNull(validUntil),
    tags: [],
    comment: comment ?? null,
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
