/**
 * The option `--service` of a device: what it means on either profile, and whether its engine can serve that.
 *
 * @module
 */

import { V2_MAX_SERVICES } from "../../protocol/v2/limits.ts";
import { chooseEngine, type EngineChoice } from "../../net/engines.ts";
import { optionMistake } from "../../app/options.ts";
import { ConfigError } from "../../app/toml/config_error.ts";
import { demandServable, lackOf, type Servable } from "../endpoints/registry.ts";
import { type NamedService, parseNamedServices, splitServices } from "../v2/named_service.ts";
import { parseService, type ServiceRule } from "../services.ts";

/** A service as it was written: by name for v2, or what may be dialled for v1. */
export interface ServiceText {
  /** The text itself. */
  readonly text: string;
  /** What it means on v2, if it has a name: several, if it is a range of ports. */
  readonly named: readonly NamedService[] | undefined;
  /** What it means on v1, if it has none. */
  readonly rule: ServiceRule | undefined;
}

/** The option `--service`. */
export const SERVICE_OPTION = {
  value: "SERVICE",
  help:
    "v2: NAME=HOST:PORT, NAME=HOST:9000-9010 for as many services, or NAME=ENDPOINT (unix:PATH, and others), any number of times, with [,proxy=v1|v2] [,down=refuse] [,max-clients=N] " +
    "[,connect-timeout=TIME] [,idle-timeout=TIME]; v1: what may be dialled: HOST, NETWORK or *, and a port, a range or *, and =ENDPOINT",
  parse: parseServiceText,
  many: true,
  split: splitServices,
} as const;

/** Parses what a profile makes of `--service`; which profile it is, is known later. */
export function parseServiceText(text: string): ServiceText {
  const isNamed = /^[^:[]*=/.test(text); // what v1 maps begins with an address
  if (isNamed) return { text, named: parseNamedServices(text), rule: undefined };
  return { text, named: undefined, rule: parseService(text) };
}

/** Demands that every service has a name of its own; `mistake` makes an error of what is wrong with the option. */
export function checkNames(
  services: readonly ServiceText[],
  mistake = (message: string) => new ConfigError(`--service ${message}`),
): void {
  const names = new Set<string>();
  for (const { text, named } of services) {
    if (!named) throw mistake(`${text} has no name; on v2 write one in front: ssh=${text}`);
    for (const { name } of named) {
      if (names.has(name)) throw mistake(`${name} is given twice; give each its own name`);
      names.add(name);
    }
  }
  if (names.size > V2_MAX_SERVICES) {
    throw mistake(`has ${names.size} services, which are too many; a device can offer ${V2_MAX_SERVICES}`);
  }
}

/** What a device is told of its services, and of its engine. */
interface Served {
  readonly services: readonly (ServiceText | ServiceRule)[];
  readonly engine: EngineChoice;
}

/**
 * Demands that what options offer can be served. What is stored is not refused: a device that would not start for it, as its
 * engine is another one since, could not be reached any more; such a service is kept, and not offered.
 *
 * @throws {ConfigError} with what is in the way.
 */
export function demandServed(
  values: { readonly service?: readonly ServiceText[] | undefined },
  config: Served,
): void {
  if (values.service === undefined) return;
  demandServable(
    allServices(config),
    chooseEngine(config.engine).engine,
    (message) => optionMistake(values, "service", (it) => `${it} ${message}`),
  );
}

/** A line for each service that is stored, and can never be served. */
export function notServed(config: Served): string[] {
  const { engine } = chooseEngine(config.engine);
  return allServices(config).flatMap((service) => {
    const lacks = lackOf(service, engine);
    return lacks === undefined ? [] : [`service ${service.name} is stored, and not offered: ${lacks}`];
  });
}

function allServices({ services }: Served): Servable[] {
  return services.flatMap((service): readonly Servable[] => "named" in service ? service.named! : [service]);
}
