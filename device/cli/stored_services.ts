/**
 * The services that a device which has joined keeps, as they were written: one more, another endpoint, one less.
 *
 * @module
 */

import { ConfigError } from "../../app/toml/config_error.ts";
import { ownOptions } from "../v2/named_service.ts";
import { checkNames, parseServiceText } from "./service_option.ts";

/** The name of a service as it was written. */
export function nameOf(service: string): string {
  return service.split("=", 1)[0]!.trim();
}

/** Those of `before`, and one more. @throws {ConfigError} if there is one of its name, or they cannot be offered together. */
export function addStored(before: readonly string[], text: string): readonly string[] {
  const there = before.find((service) => nameOf(service) === nameOf(text));
  if (there === undefined) return offerable([...before, text]);
  throw new ConfigError(
    `the service "${nameOf(text)}" is there already, as ${there}; "service move" gives it another endpoint`,
  );
}

/** The same, with `text` in the place of that of its name. @throws {ConfigError} if there is none, or they cannot be offered together. */
export function moveStored(before: readonly string[], text: string): readonly string[] {
  const at = demandAt(before, nameOf(text), '; "service add" offers one more');
  return offerable(before.with(at, text));
}

/** The same without one. @throws {ConfigError} if there is none of that name, or no other. */
export function removeStored(before: readonly string[], name: string): readonly string[] {
  const at = demandAt(before, name);
  if (before.length > 1) return before.toSpliced(at, 1);
  throw new ConfigError(
    `"${name}" is the only service; "service move" gives it another endpoint, and to offer others, add one of them first`,
  );
}

/** The service's own options that were written, and are not any more. */
export function optionsLost(before: string, after: string): readonly string[] {
  const kept = new Set(ownOptions(after).map((option) => option.split("=", 1)[0]));
  return ownOptions(before).filter((option) => !kept.has(option.split("=", 1)[0]));
}

function demandAt(services: readonly string[], name: string, more = ""): number {
  const at = services.findIndex((service) => nameOf(service) === name);
  if (at >= 0) return at;
  throw new ConfigError(`there is no service "${name}"; there are: ${services.map(nameOf).join(", ")}${more}`);
}

/** What could not run is not stored: a range may have a name that another has. */
function offerable(services: readonly string[]): readonly string[] {
  checkNames(services.map(parseServiceText), (message) => new ConfigError(`not stored: ${message}`));
  return services;
}
