/**
 * Where a server listens for devices, and at which port devices find it if nobody says so.
 *
 * @module
 */

import type { Command } from "commander";
import { type Address, DEFAULT_PORTS, parseAddress } from "../protocol/address.ts";
import { fromEnvironment, onCommandLine, variable } from "../app/options.ts";
import { loadConfig } from "../app/files/state_version.ts";
import type { ServerFacts } from "./state/facts.ts";

/** Parses `HOST:PORT`, or a port alone. */
export function parseListen(text: string): Address {
  return parseAddress(/^\d+$/.test(text) ? `0.0.0.0:${text}` : text);
}

/**
 * The port that devices dial: where a running server really listens, else what the server's options say, else where it
 * listened when it ran, else the usual one.
 *
 * @param server The command of the server, whose options count.
 */
export function portToDial(server: Command | null, facts: ServerFacts | undefined, isRunning: boolean): number {
  const last = facts && portOf(facts.addresses);
  const configured = isRunning ? undefined : server && portOf(configuredAddresses(server));
  return configured ?? last ?? DEFAULT_PORTS.v2;
}

/** Of several listeners, one that others can reach. */
function portOf(addresses: readonly Address[]): number | undefined {
  const fixed = addresses.filter(({ port }) => port !== 0);
  return (fixed.find(({ host }) => !/^(?:127\.|::1$|localhost$)/.test(host)) ?? fixed[0])?.port;
}

/** What the server's own options say, on the command line, in the environment or in its file. */
function configuredAddresses(server: Command): Address[] {
  const given = onCommandLine(server, "listen") ?? fromEnvironment(server, "listen");
  if (given !== undefined) return [given as Address];
  const { config = variable("SALLYPORT_CONFIG") } = server.opts<{ config?: string }>();
  const file = config === undefined ? undefined : loadConfig(config);
  if (!file) return [];
  if (!file.hasTables("listen")) return [file.one("listen", parseListen)].filter((address) => address !== undefined);
  return (file.tables("listen") ?? []).flatMap((section) => {
    const address = section.one("profile", String) === "v1" ? undefined : section.one("address", parseListen);
    return address ? [address] : [];
  });
}
