/**
 * Services that are granted, as TOML files have them.
 *
 * @module
 */

import { V2_MAX_SERVICES } from "../../protocol/v2/limits.ts";
import { parseNetwork } from "../../protocol/ip.ts";
import { parseName } from "../../protocol/name.ts";
import { tomlKey, tomlString } from "../../app/toml/scan.ts";
import type { TomlTable } from "../../app/toml/table.ts";
import { formatRules, readRules } from "../access/rules_table.ts";
import { formatGrantedAddress, parseGrantedAddress, type ServiceGrant } from "./service_grant.ts";

/** Writes services as an inline table, `{ ssh = "0.0.0.0:2201" }`. */
export function formatGrants(services: readonly ServiceGrant[]): string {
  return `{ ${services.map((service) => `${tomlKey(service.name)} = ${formatGrant(service)}`).join(", ")} }`;
}

/** Writes what a service is granted: its address, or an inline table with its limits. */
export function formatGrant(grant: ServiceGrant): string {
  const lines = grantLines(grant);
  return lines.length === 1 ? tomlString(formatGrantedAddress(grant.listen)) : `{ ${lines.join(", ")} }`;
}

/** Writes it as the lines of a table of its own. */
export function grantLines(grant: ServiceGrant): string[] {
  const { listen, proxyFrom } = grant;
  return [
    `listen = ${tomlString(formatGrantedAddress(listen))}`,
    ...formatRules(grant),
    ...(proxyFrom ? [`proxy-from = [${proxyFrom.map(tomlString).join(", ")}]`] : []),
  ];
}

/** Reads the services of the table `services`: for each its address, or a table with `listen` and limits. */
export function readGrants(services: TomlTable): ServiceGrant[] {
  const { names } = services;
  if (names.length > V2_MAX_SERVICES) {
    throw services.error(undefined, `${names.length} services are too many; a device can have ${V2_MAX_SERVICES}`);
  }
  return names.map((name) => {
    try {
      parseName(name);
    } catch (error) {
      throw error instanceof SyntaxError ? services.error(name, error.message) : error;
    }
    return services.isTable(name)
      ? readGrant(name, services.table(name)!)
      : { name, listen: services.one(name, parseGrantedAddress)! };
  });
}

function readGrant(name: string, table: TomlTable): ServiceGrant {
  const listen = table.one("listen", parseGrantedAddress);
  if (!listen) throw table.error(undefined, `"listen" is missing; for example: listen = "0.0.0.0:2201"`);
  const proxyFrom = table.list("proxy-from", (text) => (parseNetwork(text), text));
  return {
    name,
    listen,
    ...readRules(table),
    ...(proxyFrom && { proxyFrom }),
  };
}
