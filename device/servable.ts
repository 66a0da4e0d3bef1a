/**
 * Services that can never be served here, as what stands behind them takes more than there is.
 *
 * @module
 */

import { EngineError } from "../net/engines.ts";
import type { Engine } from "../net/socket.ts";
import { parseEndpoint } from "./endpoints/registry.ts";

/** A service of either profile, as far as it matters here. */
export interface Servable {
  /** Its name, */
  readonly name?: string | undefined;
  /** or on v1 how it was written. */
  readonly text?: string | undefined;
  /** What stands behind it, if that is no address alone. */
  readonly endpoint?: string | undefined;
}

/** What a service takes that is not to be had with `engine`, in one line with what would do; `undefined`: nothing. */
export function lackOf({ endpoint }: Servable, engine: Engine): string | undefined {
  return endpoint === undefined ? undefined : parseEndpoint(endpoint).lacks?.(engine);
}

/**
 * Demands that services can be served with `engine`.
 *
 * @param mistake Makes the error out of the first that cannot, and why.
 * @throws {EngineError} or what `mistake` makes.
 */
export function demandServable(
  services: readonly Servable[],
  engine: Engine,
  mistake: (message: string) => Error = (message) => new EngineError(`the service ${message}`),
): void {
  for (const service of services) {
    const lacks = lackOf(service, engine);
    if (lacks !== undefined) throw mistake(`${service.name ?? service.text}: ${lacks}`);
  }
}

/** The error of a service that is not offered for what it `lacks`. */
export function notOffered(lacks: string): string {
  return `${NOT_OFFERED}: ${lacks}`;
}

/** What the error of a service says that it lacks, if it is of that kind. */
export function lackIn(error: string | null): string | undefined {
  return error?.startsWith(`${NOT_OFFERED}: `) ? error.slice(NOT_OFFERED.length + 2) : undefined;
}

/** The first word of the error of a service that is not offered for that. */
const NOT_OFFERED = "not-offered";
