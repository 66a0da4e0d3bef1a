/**
 * The options of a daemon's metrics.
 *
 * @module
 */

import { type Address, formatAddress, parseAddress } from "../../protocol/address.ts";
import type { OptionSpec } from "../options.ts";
import { oneOf } from "../values.ts";

/** The option `--metrics`. */
export const METRICS_OPTION = {
  value: "ADDRESS",
  help: "HOST:PORT for /metrics, /healthz and /readyz, to whoever can connect: no token, no TLS, nothing else",
  parse: (text: string): Address => parseAddress(text),
  write: formatAddress,
} as const satisfies OptionSpec<Address>;

/** The option `--metrics-per-device`. */
export const PER_DEVICE_OPTION = {
  value: "WORD",
  help: "metrics of each device by its name: on (up to 4,096 devices; beyond, none have them) or off",
  parse: oneOf("on", "off"),
  preset: "on",
} as const satisfies OptionSpec<"on" | "off">;
