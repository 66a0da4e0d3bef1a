/**
 * Which services of a configuration can be served by the engine that it says.
 *
 * @module
 */

import { chooseEngine } from "../../net/engines.ts";
import { optionMistake } from "../../app/options.ts";
import { demandServable, lackOf, type Servable } from "../servable.ts";
import type { DeviceConfig } from "./config.ts";
import type { ServiceText } from "./service_option.ts";

/**
 * Demands that what options offer can be served. What is stored is not refused: a device that would not start for it, as its
 * engine is another one since, could not be reached any more; such a service is kept, and not offered.
 *
 * @throws {ConfigError} with what is in the way.
 */
export function demandServed(
  values: { readonly service?: readonly ServiceText[] | undefined },
  config: Pick<DeviceConfig, "services" | "engine">,
): void {
  if (values.service === undefined) return;
  demandServable(
    allServices(config),
    chooseEngine(config.engine).engine,
    (message) => optionMistake(values, "service", (it) => `${it} ${message}`),
  );
}

/** A line for each service that is stored, and can never be served. */
export function notServed(config: Pick<DeviceConfig, "services" | "engine">): string[] {
  const { engine } = chooseEngine(config.engine);
  return allServices(config).flatMap((service) => {
    const lacks = lackOf(service, engine);
    return lacks === undefined ? [] : [`service ${service.name} is stored, and not offered: ${lacks}`];
  });
}

function allServices({ services }: Pick<DeviceConfig, "services">): Servable[] {
  return services.flatMap((service): readonly Servable[] => "named" in service ? service.named! : [service]);
}
