/**
 * The device's options, on the command line and in its file.
 *
 * @module
 */

import { type Address, formatAddress, parseAddress } from "../protocol/address.ts";
import { COMMON_OPTIONS } from "../app/command.ts";
import { ConfigError } from "../app/config_error.ts";
import { type OptionTable, type OptionValues, required } from "../app/options.ts";
import type { TomlTable } from "../app/toml_table.ts";
import { oneOf, parseDurationOrNever, parsePositiveDuration, wholeNumber } from "../app/values.ts";
import { type V1DeviceOptions, V1_KEEP_ALIVE } from "./options.ts";
import { parseService } from "./services.ts";
import { DEFAULT_SERVER_PORT } from "./tcp_remote_connect.ts";

/** The device's table of options. */
export const DEVICE_OPTIONS = {
  server: {
    value: "ADDRESS",
    help: `where to dial; without a port, ${DEFAULT_SERVER_PORT}`,
    parse: parseServer,
  },
  profile: {
    value: "PROFILE",
    help: "wire profile: v1, which has neither authentication nor encryption and so has to be asked for",
    parse: oneOf("v1"),
  },
  service: {
    value: "ADDRESS",
    help: "what may be dialled for clients, any number of times: HOST, NETWORK or *, and a port, a range or *",
    parse: parseService,
    many: true,
  },
  "connect-timeout": {
    value: "TIME",
    help: "how long reaching a service may take",
    parse: parsePositiveDuration,
    preset: "10s",
  },
  "stall-timeout": {
    value: "TIME",
    help: "end a client whose service holds the link this long by not reading",
    parse: parsePositiveDuration,
    preset: "10s",
  },
  "link-write-timeout": {
    value: "TIME",
    help: "give the link up when the server takes nothing this long, or never",
    parse: parseDurationOrNever,
    preset: "60s",
  },
  "idle-timeout": {
    value: "TIME",
    help: "silence of the server before the first keep-alive probe, or never",
    parse: parseDurationOrNever,
    preset: "15s",
  },
  "probe-interval": {
    value: "TIME",
    help: "silence between probes, and after the last",
    parse: parsePositiveDuration,
    preset: "5s",
  },
  "probe-count": {
    value: "N",
    help: "probes before the link is given up, 0 to 127; 0 sends none",
    parse: wholeNumber(0, 127),
    preset: "3",
  },
  ...COMMON_OPTIONS,
} as const satisfies OptionTable;

/** Parses `HOST:PORT`, or `HOST` with the usual port. */
function parseServer(text: string): Address {
  const address = parseAddress(/[^:]:[^:]*$|\]:|\/\//.test(text) ? text : `${text}:${DEFAULT_SERVER_PORT}`);
  if (address.port === 0) throw new SyntaxError(`the port in "${text}" is 0; write one from 1 to 65535`);
  return address;
}

/**
 * Turns what was given into options for `connectDevice`.
 *
 * @throws {ConfigError} with what was wrong and what would do.
 */
export function deviceConfig(values: OptionValues<typeof DEVICE_OPTIONS>, file: TomlTable | undefined): V1DeviceOptions {
  file?.rejectUnknown();
  const services = required(values.service, "service", "--service 127.0.0.1:22");
  if (services.length === 0) throw new ConfigError("no service is given; for example: --service 127.0.0.1:22");
  return {
    server: required(values.server, "server", `--server relay.example:${DEFAULT_SERVER_PORT}`),
    profile: required(
      values.profile,
      "profile",
      "--profile v1 (no authentication, no encryption: say that you want it)",
    ),
    services,
    keepAlive: {
      idleTimeout: values["idle-timeout"] ?? V1_KEEP_ALIVE.idleTimeout,
      probeInterval: values["probe-interval"] ?? V1_KEEP_ALIVE.probeInterval,
      probeCount: values["probe-count"] ?? V1_KEEP_ALIVE.probeCount,
    },
    ...(values["connect-timeout"] !== undefined && { connectTimeout: values["connect-timeout"] }),
    ...(values["stall-timeout"] !== undefined && { stallTimeout: values["stall-timeout"] }),
    ...(values["link-write-timeout"] !== undefined && { linkWriteTimeout: values["link-write-timeout"] }),
  };
}

/** What is in force, a line each, for `--check`. */
export function describeDevice(options: V1DeviceOptions): string[] {
  return [
    `server ${formatAddress(options.server)} profile=${options.profile}`,
    ...options.services.map((service) => `service ${service.text}`),
  ];
}
