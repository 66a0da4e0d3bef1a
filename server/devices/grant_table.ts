/**
 * Services that are granted, as TOML files have them.
 *
 * @module
 */

import { formatAddress, parseAddress } from "../../protocol/address.ts";
import { V2_MAX_TEXT } from "../../protocol/v2/limits.ts";
import { parseNetwork } from "../../protocol/ip.ts";
import { parseName } from "../../protocol/name.ts";
import { tomlKey, tomlString } from "../../app/toml/scan.ts";
import type { TomlTable } from "../../app/toml/table.ts";
import { formatRules, readRules } from "../access/rules_table.ts";
import {
  checkGrant,
  checkGrants,
  eachService,
  formatGrantedAddress,
  namesOf,
  parseGrantedAddress,
  type ServiceGrant,
} from "./service_grant.ts";

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
  const { listen, local, proxyFrom } = grant;
  return [
    `listen = ${tomlString(formatGrantedAddress(listen))}`,
    ...(local === undefined ? [] : [`local = ${tomlString(local)}`]),
    ...formatRules(grant),
    ...(proxyFrom ? [`proxy-from = [${proxyFrom.map(tomlString).join(", ")}]`] : []),
  ];
}

/** Reads the services of the table `services`: for each its address, or a table with `listen` and limits. */
export function readGrants(services: TomlTable): ServiceGrant[] {
  const grants = services.names.map((name) => {
    try {
      parseName(name);
    } catch (error) {
      throw error instanceof SyntaxError ? services.error(name, error.message) : error;
    }
    return services.isTable(name)
      ? readGrant(name, services.table(name)!)
      : { name, listen: services.one(name, parseGrantedAddress)! };
  });
  try {
    checkGrants(grants);
  } catch (error) {
    throw error instanceof SyntaxError ? services.error(undefined, error.message) : error;
  }
  return grants;
}

/** Parses what a device is to dial. @throws {SyntaxError} with what would do. */
export function parseLocal(text: string): string {
  const address = parseAddress(text);
  if (address.port === 0) throw new SyntaxError(`the port in "${text}" is 0; write one from 1 to 65535`);
  const local = formatAddress(address);
  if (new TextEncoder().encode(local).length > V2_MAX_TEXT) throw new SyntaxError(`"${text}" is too long`);
  return local;
}

/** The same for each of a range, too: `HOST:FROM-TO`. @throws {SyntaxError} with what would do. */
export function parseLocals(text: string): string {
  const [, host, from, to] = /^(.+):(\d+)-(\d+)$/.exec(text) ?? [];
  if (host === undefined) return parseLocal(text);
  const [first, last] = [`${host}:${from}`, `${host}:${to}`].map(parseLocal);
  if (Number(from) >= Number(to)) {
    throw new SyntaxError(`"${from}-${to}" in "${text}" is not a range; write one as in 9000-9010`);
  }
  return `${first}-${last!.slice(last!.lastIndexOf(":") + 1)}`;
}

function readGrant(name: string, table: TomlTable): ServiceGrant {
  const listen = table.one("listen", parseGrantedAddress);
  if (!listen) throw table.error(undefined, `"listen" is missing; for example: listen = "0.0.0.0:2201"`);
  const local = table.one("local", parseLocals);
  const proxyFrom = table.list("proxy-from", (text) => (parseNetwork(text), text));
  const grant = {
    name,
    listen,
    ...(local !== undefined && { local }),
    ...readRules(table),
    ...(proxyFrom && { proxyFrom }),
  };
  try {
    return checkGrant(grant);
  } catch (error) {
    throw error instanceof SyntaxError ? table.error("listen", error.message) : error;
  }
}

/** What there is to say of a service that a device does not have. */
export function unknownServiceText(device: string, service: string, known: readonly ServiceGrant[]): string {
  return `"${device}" has no service "${service}"; ${
    known.length > 0 ? `there are: ${namesOf(known)}` : "it has none"
  }`;
}

/** Why a service cannot be opened for a time that is not closed, and what has it closed: it, or the range that it is of. */
export function notClosedText(
  device: string,
  service: string,
  known: readonly ServiceGrant[],
  file = "devices.toml",
): string {
  const grant = known.find((each) => eachService([each]).some(({ name }) => name === service));
  if (!grant) return unknownServiceText(device, service, known);
  return `${device}/${service} is not closed, so it takes no opening; to have it open for a time alone, write ` +
    `${tomlKey(grant.name)} = ${formatGrant({ ...grant, closed: true })} among the services of "${device}" in ${file}`;
}
