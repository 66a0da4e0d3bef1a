/**
 * A device as the admin API shows it: what the file says of it, and what is known of its link.
 *
 * @module
 */

import type { AuthorizedDevice } from "../devices/authorized_devices.ts";
import { eachService, formatGrantedAddress, type ServiceGrant } from "../devices/service_grant.ts";
import type { ServedDevice } from "../handle/device_status.ts";
import type { Opening } from "../access/openings.ts";
import { mergeRules } from "../access/rules.ts";
import { KnownDevices } from "../handle/known_devices.ts";
import type { Drain } from "../ports/drains.ts";
import type { ServerSettings } from "../options.ts";
import type { ServedService } from "../v2/open_service.ts";
import type { AdminContext } from "./context.ts";
import { tcpFacts, timeOrNull } from "../../app/admin/shared.ts";
import type { Device } from "./schemas.ts";

/** The device. */
export function deviceFacts({ core, history }: AdminContext, device: AuthorizedDevice, now: number): Device {
  const { drains } = core.settings;
  const served = new KnownDevices(core.registry, core.settings).describe(device.key);
  const { name, key, expires, expiration, tags = [], comment } = device;
  return {
    name,
    key,
    state: stateOf(device, now),
    link: linkOf(served),
    since: timeOrNull(served?.since),
    losses: history.losses.of(name, core.settings.clock.now()),
    sessionSince: timeOrNull(served?.sessionSince),
    remote: served?.remote ?? null,
    security: served?.security ?? null,
    bound: served?.bound ?? null,
    software: served?.software ?? null,
    versions: served?.versions ? [...served.versions] : null,
    incompatible: incompatibleOf(served),
    mode: served?.mode ?? "init",
    modeChange: served?.modeChange ?? null,
    draining: drainFacts(drains.of(name)),
    services: servicesOf(core.settings, device, served?.services ?? []),
    clients: served?.clients ?? 0,
    clockOffset: served?.clockOffset ?? null,
    roundTrip: served?.roundTrip ?? null,
    tcp: tcpFacts(served?.tcp),
    keepAlive: served?.keepAlive ?? null,
    deviceKeepAlive: served?.deviceKeepAlive ?? null,
    bytesToday: served?.bytesToday ?? null,
    bytesBefore: served?.bytesBefore ?? null,
    conflict: served?.conflict ?? null,
    expires: timeOrNull(expires),
    expiration: expiration ?? null,
    tags: [...tags],
    comment: comment ?? null,
  };
}

/** A drain, for people. */
export function drainFacts(drain: Drain | undefined): Device["draining"] {
  return drain ? { since: new Date(drain.since).toISOString(), until: timeOrNull(drain.until) } : null;
}

/** Whether a device may link up. */
export function stateOf({ disabled, expires }: AuthorizedDevice, now: number): Device["state"] {
  if (disabled) return "disabled";
  return expires !== undefined && expires <= now ? "expired" : "active";
}

function incompatibleOf(served: ServedDevice | undefined): Device["incompatible"] {
  if (!served?.incompatible) return null;
  const { versions, software, remote, at } = served.incompatible;
  return { versions: [...versions], software, remote, at: new Date(at).toISOString() };
}

function linkOf(served: ServedDevice | undefined): Device["link"] {
  if (served?.online) return "online";
  return served?.interrupted ? "interrupted" : "offline";
}

/** Those that are granted, and those that are still open as the grant has just gone. */
function servicesOf(
  { openings, v2 }: ServerSettings,
  device: AuthorizedDevice,
  served: readonly ServedService[],
): Device["services"] {
  const granted: readonly ServiceGrant[] = eachService(device.services);
  const more = served.filter(({ name }) => !granted.some((grant) => grant.name === name));
  return [...granted, ...more].map(({ name }) => {
    const grant = granted.find((each) => each.name === name);
    const found = served.find((each) => each.name === name);
    const opening = openings.get(device.name, name);
    return {
      name,
      granted: grant ? formatGrantedAddress(grant.listen) : null,
      hostAddress: found?.open ? found.hostAddress : null,
      open: found?.open ?? false,
      error: found?.error ?? null,
      maxClients: grant?.maxClients ?? null,
      idleTimeout: grant?.idleTimeout ?? null,
      closed: opening?.to !== undefined || mergeRules(v2?.devices.defaults, device.access, grant).closed === true,
      opening: opening ? openingFacts(opening) : null,
      datagrams: found?.datagrams ?? null,
    };
  });
}

/** What is open for a time, for people. */
export function openingFacts({ since, until, from = [], reason, by, keepClients = false }: Opening) {
  return {
    since: new Date(since).toISOString(),
    until: new Date(until).toISOString(),
    from: [...from],
    reason: reason ?? null,
    by: by ?? null,
    keepClients,
  };
}
