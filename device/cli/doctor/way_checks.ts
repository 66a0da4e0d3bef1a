/**
 * What `device doctor` finds on the way to a server: by which family of addresses it answers, the proxy, and the uplinks.
 *
 * @module
 */

import type { Check, Finding } from "../../../app/doctor/doctor.ts";
import { systemClock } from "../../../base/clock.ts";
import { describeError } from "../../../base/errors.ts";
import { type Address, formatAddress } from "../../../protocol/address.ts";
import { ipBytes } from "../../../protocol/ip.ts";
import { dial } from "../../../net/dial/dial.ts";
import { lookup } from "../../../net/dial/lookup.ts";
import { chooseEngine } from "../../../net/engines.ts";
import { DOCTOR_FAMILY_MS } from "../../limits.ts";
import type { DeviceConfig } from "../config.ts";

/** What would do about a server that does not answer. */
export const UNREACHED = "see whether the server runs, and what firewalls let through";

/** What would do about a name that leads nowhere. */
export const NAME_LOST = "correct the name, or mend the name server";

/** One try to connect. */
export interface Try {
  /** The address that was tried. */
  readonly address: string;
  /** Milliseconds until it answered, */
  readonly ms?: number;
  /** or why it did not. */
  readonly error?: string;
}

/** The checks, for one server. */
export function wayChecks(config: DeviceConfig, server: Address): Check[] {
  const proxy = config.profile === "v2" ? config.proxyFor?.(server)?.address : undefined;
  const via = (config.via ?? []).map((uplink): Check => ({
    name: `via ${uplink} to ${formatAddress(proxy ?? server)}`,
    async look(signal) {
      const found = await reach(config, proxy ?? server, signal, uplink);
      if (found.error === undefined) return { level: "ok", text: `answers in ${found.ms} ms` };
      return { level: "warn", text: found.error, advice: "see whether it is up, or leave it out of --via" };
    },
  }));
  if (!proxy) return [...(ipBytes(server.host) === undefined ? [familiesCheck(config, server)] : []), ...via];
  return [{
    name: `proxy ${formatAddress(proxy)}`,
    async look(signal) {
      const found = await reach(config, proxy, signal);
      if (found.error === undefined) {
        return { level: "ok", text: `answers in ${found.ms} ms; it looks up the name of the server` };
      }
      return {
        level: "fail",
        text: found.error,
        advice: "--proxy none dials directly; without --proxy, HTTPS_PROXY and NO_PROXY say which one it is",
      };
    },
  }, ...via];
}

/** Whether a server answers at all, by TCP alone and directly, for a device of which the options are not known. */
export function connectCheck(server: Address): Check {
  return {
    name: `server ${formatAddress(server)}`,
    async look(signal) {
      const found = await reach({ engine: "auto" }, server, signal);
      if (found.error === undefined) {
        return {
          level: "ok",
          text: `answers in ${found.ms} ms by TCP; for TLS, give the device's options in front of the word`,
        };
      }
      return {
        level: "fail",
        text: found.error,
        advice: `${UNREACHED}; if a proxy is between, give the device's options in front of the word`,
      };
    },
  };
}

/** IPv4 beside IPv6: one that does not answer costs time at each dial, and hides as long as the other does. */
function familiesCheck(config: DeviceConfig, server: Address): Check {
  return {
    name: `families ${formatAddress(server)}`,
    async look(signal) {
      const { host, port } = server;
      const all = await lookup(host, systemClock).catch(() => undefined); // the check of the name itself says why
      if (!all) return { level: "warn", text: "not known: the name leads nowhere" };
      const [six, four] = [all.find((address) => address.includes(":")), all.find((each) => !each.includes(":"))];
      const first = [four, six].filter((address) => address !== undefined);
      return familiesFinding(await Promise.all(first.map((host) => reach(config, { host, port }, signal))));
    },
  };
}

/** What there is to say of one address of each family. */
export function familiesFinding(tries: readonly Try[]): Finding {
  const text = tries.map(({ address, ms, error }) => {
    const family = address.startsWith("[") ? "IPv6" : "IPv4";
    return `${family} ${address} ${error === undefined ? `answers in ${ms} ms` : `does not answer: ${error}`}`;
  }).join("; ") + (tries.length === 1 ? ", and there is no other" : "");
  const failed = tries.filter(({ error }) => error !== undefined);
  if (failed.length === 0) return { level: "ok", text };
  if (failed.length === tries.length) {
    return { level: "fail", text, advice: UNREACHED };
  }
  const family = failed[0]!.address.startsWith("[") ? "IPv6" : "IPv4";
  return {
    level: "warn",
    text,
    advice: `have the server listen by ${family}, too, mend the route, or take that address from its name`,
  };
}

async function reach(
  config: Pick<DeviceConfig, "engine">,
  at: Address,
  signal: AbortSignal,
  uplink?: string,
): Promise<Try> {
  const address = formatAddress(at);
  const since = systemClock.now();
  try {
    const { engine } = chooseEngine(config.engine);
    (await dial(at, { engine, clock: systemClock, timeout: DOCTOR_FAMILY_MS, signal, uplink })).close();
    return { address, ms: Math.round(systemClock.now() - since) };
  } catch (error) {
    return { address, error: describeError(error) };
  }
}
