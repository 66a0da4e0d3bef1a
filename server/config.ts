/**
 * The server's options, on the command line and in its file.
 *
 * @module
 */

import { formatAddress, parseAddress } from "../protocol/address.ts";
import { COMMON_OPTIONS } from "../app/command.ts";
import { ConfigError } from "../app/config_error.ts";
import { type OptionTable, type OptionValues, required } from "../app/options.ts";
import type { TomlTable } from "../app/toml_table.ts";
import { oneOf, parseDuration, parseDurationOrNever, parsePositiveDuration } from "../app/values.ts";
import type { Forward, ListenOptions, ServeOptions, V1ListenOptions } from "./options.ts";

const LISTEN_OPTIONS = {
  profile: {
    value: "PROFILE",
    help: "wire profile of --listen: v1, which has neither authentication nor encryption and so has to be asked for",
    parse: oneOf("v1"),
  },
  forward: {
    value: "HOST=LOCAL",
    help:
      "HOST_ADDRESS:HOST_PORT=LOCAL_ADDRESS:LOCAL_PORT, any number of times; host port 0 picks a free one, then keeps it",
    parse: parseForward,
    many: true,
  },
} as const satisfies OptionTable;

/** The server's table of options. */
export const SERVER_OPTIONS = {
  listen: {
    value: "ADDRESS",
    help: "where the device dials in; v1's usual port is 2065",
    parse: parseAddress,
    sections: true,
  },
  ...LISTEN_OPTIONS,
  "stall-timeout": {
    value: "TIME",
    help: "end a client that holds its link this long by not reading",
    parse: parsePositiveDuration,
    preset: "10s",
  },
  "half-close-timeout": {
    value: "TIME",
    help: "keep a client that finished writing until nothing came for it this long; 0 ends it at once",
    parse: parseDuration,
    preset: "5s",
  },
  "link-write-timeout": {
    value: "TIME",
    help: "give a link up when its device takes nothing this long, or never",
    parse: parseDurationOrNever,
    preset: "60s",
  },
  ...COMMON_OPTIONS,
} as const satisfies OptionTable;

/** Parses `HOST_ADDRESS:HOST_PORT=LOCAL_ADDRESS:LOCAL_PORT`. */
export function parseForward(text: string): Forward {
  const [host, local, ...rest] = text.split("=");
  if (!host || !local || rest.length > 0) {
    throw new SyntaxError(`"${text}" is not a forward; write HOST_ADDRESS:HOST_PORT=LOCAL_ADDRESS:LOCAL_PORT`);
  }
  const localAddress = parseAddress(local);
  if (localAddress.port === 0) throw new SyntaxError(`the local port in "${text}" is 0; write one from 1 to 65535`);
  return { hostAddress: parseAddress(host), localAddress };
}

/**
 * Turns what was given into options for `serve`.
 *
 * @throws {ConfigError} with what was wrong and what would do.
 */
export function serverConfig(values: OptionValues<typeof SERVER_OPTIONS>, file: TomlTable | undefined): ServeOptions {
  const sections = readSections(values, file);
  const listen = sections ? sections.map(listenFromSection) : [listenFromOptions(values)];
  file?.rejectUnknown();
  checkAddresses(listen);
  return {
    listen,
    ...(values["stall-timeout"] !== undefined && { stallTimeout: values["stall-timeout"] }),
    ...(values["half-close-timeout"] !== undefined && { halfCloseTimeout: values["half-close-timeout"] }),
    ...(values["link-write-timeout"] !== undefined && { linkWriteTimeout: values["link-write-timeout"] }),
  };
}

/** For messages. */
const FORWARD_EXAMPLE = "0.0.0.0:2201=127.0.0.1:22";

/** The `[[listen]]` sections of the file, unless `--listen` goes first. */
function readSections(
  values: OptionValues<typeof SERVER_OPTIONS>,
  file: TomlTable | undefined,
): TomlTable[] | undefined {
  if (!file?.hasTables("listen")) return undefined;
  if (values.listen !== undefined) {
    file.ignore("listen");
    return undefined;
  }
  for (const name of ["profile", "forward"] as const) {
    if (values[name] === undefined) continue;
    throw file.error(
      name,
      `"${name}" beside [[listen]] would belong to no listener; write it in a section, or use --listen`,
    );
  }
  return file.tables("listen");
}

function listenFromOptions(values: OptionValues<typeof SERVER_OPTIONS>): V1ListenOptions {
  return checkForwards({
    address: required(values.listen, "listen", "--listen 0.0.0.0:2065"),
    profile: required(
      values.profile,
      "profile",
      "--profile v1 (no authentication, no encryption: say that you want it)",
    ),
    forwards: required(values.forward, "forward", `--forward ${FORWARD_EXAMPLE}`),
  });
}

function listenFromSection(section: TomlTable): V1ListenOptions {
  const need = <T>(value: T | undefined, name: string, example: string): T => {
    if (value === undefined) throw section.error(undefined, `"${name}" is missing; for example: ${name} = ${example}`);
    return value;
  };
  const { profile, forward } = LISTEN_OPTIONS;
  return checkForwards({
    address: need(section.one("address", parseAddress), "address", '"0.0.0.0:2065"'),
    profile: need(section.one("profile", profile.parse), "profile", '"v1"'),
    forwards: need(section.list("forward", forward.parse), "forward", `["${FORWARD_EXAMPLE}"]`),
  });
}

function checkForwards(listen: V1ListenOptions): V1ListenOptions {
  if (listen.forwards.length > 0) return listen;
  throw new ConfigError(`no forward is given; for example: --forward ${FORWARD_EXAMPLE}`);
}

/** Two listeners on one address would never both open. */
function checkAddresses(listen: readonly ListenOptions[]): void {
  const seen = new Set<string>();
  const all = listen.flatMap((each) => [each.address, ...forwardsOf(each).map((forward) => forward.hostAddress)]);
  for (const address of all.filter(({ port }) => port !== 0)) {
    const text = formatAddress(address);
    if (seen.has(text)) throw new ConfigError(`${text} is to be listened on twice; give each listener its own address`);
    seen.add(text);
  }
}

/** What is in force, a line each, for `--check`. */
export function describeServer(options: ServeOptions): string[] {
  return options.listen.flatMap((listen) => [
    `listen ${formatAddress(listen.address)} profile=${listen.profile}`,
    ...forwardsOf(listen).map((forward) => `  forward ${describeForward(forward)}`),
  ]);
}

function forwardsOf(listen: ListenOptions): readonly Forward[] {
  return listen.profile === "v1" ? listen.forwards : [];
}

function describeForward({ hostAddress, localAddress }: Forward): string {
  return `${formatAddress(hostAddress)} -> ${formatAddress(localAddress)}`;
}
