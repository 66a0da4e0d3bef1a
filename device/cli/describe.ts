/**
 * What a device's configuration comes to, for `--check`.
 *
 * @module
 */

import { type Address, formatAddress } from "../../protocol/address.ts";
import { describeHooks } from "../../app/hooks/config.ts";
import type { DeviceConfig } from "./config.ts";

/** What is in force, a line each, for `--check`. */
export function describeDevice(config: DeviceConfig): string[] {
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
