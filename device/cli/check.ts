/**
 * `device --check`: what a device would run with, and whether it could.
 *
 * @module
 */

import { type Address, formatAddress } from "../../protocol/address.ts";
import { chooseEngine, describeEngine } from "../../net/engines.ts";
import { settledKeepAlive, unsaidKeepAlive } from "../../app/link_options.ts";
import { describeHooks } from "../../app/hooks/config.ts";
import { printLine } from "../../app/command.ts";
import { describeOptions } from "../../app/options.ts";
import { stderr } from "../../app/output.ts";
import { adminWish } from "../../app/admin/options.ts";
import { readIdentity, stateFolder } from "../../app/files/state.ts";
import { demandWayOf } from "./ca.ts";
import { DEVICE_OPTIONS, type DeviceConfig } from "./config.ts";
import { notServed } from "./service_option.ts";
import type { Told } from "./reload.ts";

/** Prints it, with the warnings there are. @throws {ConfigError} for what cannot be. */
export async function checkDevice(
  { values, config }: Pick<Told, "values" | "config">,
  warnings: readonly string[],
): Promise<void> {
  const isV2 = config.profile === "v2";
  await adminWish(values, isV2 ? "unix" : "off");
  for (const warning of [...warnings, ...notServed(config)]) stderr.write(`warning: ${warning}`);
  const lines = describeDevice(config);
  if (isV2) {
    const folder = stateFolder(values.state, "device");
    await readIdentity(folder);
    lines.push(`state ${folder}`);
  }
  const chosen = chooseEngine(config.engine);
  if (config.profile === "v2") demandWayOf(config, chosen.engine.tls);
  const inForce = { ...values, ...settledKeepAlive(config.keepAlive!) };
  lines.push(`engine ${describeEngine(chosen)}`);
  if (values.metrics) lines.push(`metrics ${formatAddress(values.metrics)}`);
  const without = [
    ...["profile", "engine"] as const, // stand above
    ...(isV2 ? ["stall-timeout"] as const : ["mode", "expiration"] as const),
    ...(isV2 || values.admin !== undefined ? [] : ["admin"] as const),
    ...unsaidKeepAlive(config.keepAlive, false),
  ];
  for (const line of [...lines, ...describeOptions(DEVICE_OPTIONS, inForce, without)]) printLine(line);
}

/** What is in force, a line each, for `--check`. */
function describeDevice(config: DeviceConfig): string[] {
  const servers = "host" in config.server ? [config.server] : config.server;
  const security = config.profile === "v1" ? "plain" : config.security;
  return [
    ...servers.map((server) =>
      `server ${formatAddress(server)} profile=${config.profile} security=${security}${describeWay(config, server)}`
    ),
    ...config.services.map((service) => `service ${service.text}`),
    ...(config.profile === "v2" ? config.allow ?? [] : []).map(({ text }) => `allow ${text}`),
    ...describeHooks(config.hooks),
  ];
}

/** What else there is to a server, if there is: the CA, the name in the TLS hello, the proxy without its credentials. */
function describeWay(config: DeviceConfig, server: Address): string {
  const via = config.via ? ` via=${config.via.join(",")}` : "";
  if (config.profile === "v1") return via;
  const { ca, sni, binding } = config;
  const proxy = config.proxyFor?.(server);
  return (ca === undefined ? "" : ` ca=${ca}`) + (sni === undefined ? "" : ` sni=${sni}`) +
    (binding === "required" ? " binding=required" : "") +
    (proxy ? ` proxy=http://${proxy.credentials ? "…@" : ""}${formatAddress(proxy.address)}` : "") + via;
}

/** What there is to say of stored services that are left out. */
export function notOffered(names: readonly string[]): string {
  return `${names.join(", ")}: stored, and not offered, as --service stands in place of all that is stored; ` +
    "`device service add` adds to it";
}
