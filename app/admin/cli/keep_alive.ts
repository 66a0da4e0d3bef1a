/**
 * `keepalive` of either daemon: its options, and what it asks for.
 *
 * @module
 */

import type { Command } from "commander";
import { type KeepAliveSettings, V2_KEEP_ALIVE } from "../../../protocol/keep_alive.ts";
import { MAX_PROBES } from "../../../protocol/limits.ts";
import { taskOptions } from "../../command.ts";
import type { OptionTable } from "../../options.ts";
import { ConfigError } from "../../toml/config_error.ts";
import { oneOf, parseDurationOrNever, wholeNumber } from "../../values.ts";
import { ASK_OPTIONS } from "./ask.ts";

/** The options. */
export const KEEP_ALIVE_OPTIONS = {
  endpoint: {
    value: "END",
    help: "whose: device (it watches the server), server (it watches the device), or both",
    parse: oneOf("device", "server", "both"),
    preset: "both",
  },
  "idle-timeout": { value: "TIME", help: "silence before the first probe, or never", parse: parseDurationOrNever },
  "probe-interval": { value: "TIME", help: "silence between probes, and after the last", parse: parseDurationOrNever },
  "probe-count": {
    value: "N",
    help: "probes before the other side is taken for lost; 0 sends none",
    parse: wholeNumber(0, MAX_PROBES),
  },
  ...ASK_OPTIONS,
} as const satisfies OptionTable;

/**
 * The body of the act: what was given behind the command's name, and for the rest what is in force at that end.
 *
 * @throws {ConfigError} if nothing was given.
 */
export function keepAliveBody(
  command: Command,
  before: Readonly<Record<"device" | "server", KeepAliveSettings | null>>,
): Record<string, unknown> {
  const { endpoint = "both" } = taskOptions(KEEP_ALIVE_OPTIONS, command);
  // Those of the daemon's own command stand for its start; here only what stands behind the name counts.
  const { idleTimeout, probeInterval, probeCount } = command.opts<Partial<KeepAliveSettings>>();
  if (idleTimeout === undefined && probeInterval === undefined && probeCount === undefined) {
    throw new ConfigError("nothing is set; say one of --idle-timeout, --probe-interval and --probe-count");
  }
  const given = Object.entries({ idleTimeout, probeInterval, probeCount }).filter(([, value]) => value !== undefined);
  return {
    endpoint,
    ...(before[endpoint === "device" ? "device" : "server"] ?? V2_KEEP_ALIVE),
    ...Object.fromEntries(given),
  };
}
