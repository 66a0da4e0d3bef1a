/**
 * The server's options, on the command line and in its file.
 *
 * @module
 */

import { HALF_CLOSE_TIMEOUT_MS } from "../limits.ts";
import { parseNetwork } from "../../protocol/ip.ts";
import { type Address, DEFAULT_PORTS, formatAddress, parseAddress } from "../../protocol/address.ts";
import { V1_KEEP_ALIVE, V2_KEEP_ALIVE } from "../../protocol/keep_alive.ts";
import { chooseEngine, type EngineChoice } from "../../net/engines.ts";
import type { TlsSource } from "../../net/tls/listening.ts";
import { ADMIN_OPTION, TOKEN_OPTION } from "../../app/admin/options.ts";
import { AUDIT_OPTION } from "../../app/audit/options.ts";
import {
  WEBHOOK_EVENTS_OPTION,
  WEBHOOK_GRACE_OPTION,
  WEBHOOK_OPTION,
  WEBHOOK_SECRET_OPTION,
} from "../../app/webhook/options.ts";
import { METRICS_OPTION, PER_DEVICE_OPTION } from "../../app/metrics/options.ts";
import { COMMON_OPTIONS, ENGINE_OPTION } from "../../app/command.ts";
import type { ConfigError } from "../../app/toml/config_error.ts";
import { describeHooks, readHooks } from "../../app/hooks/config.ts";
import type { Hooks } from "../../app/hooks/hooks.ts";
import {
  expirationOption,
  KEEP_ALIVE_OPTION,
  keepAliveChoiceOf,
  keepAliveOf,
  keepAliveOptions,
  keysOf,
  linkWriteOption,
  PLAIN_OPTION,
  profileOption,
  stallOption,
  tcpKeepAliveOption,
  timeOption,
  timesOf,
} from "../../app/link_options.ts";
import { fileValues, optionMistake, type OptionTable, type OptionValues } from "../../app/options.ts";
import { tomlString } from "../../app/toml/scan.ts";
import { STATE_OPTION } from "../../app/files/state.ts";
import type { TomlTable } from "../../app/toml/table.ts";
import { parseBytes, parseDuration, parsePath, writeBytes } from "../../app/values.ts";
import { DEVICES_OPTION } from "./files/enroll.ts";
import { CAPACITY_OPTIONS, describeLimits, limitsOfOptions } from "../capacity/options.ts";
import { parseListen } from "../listen_address.ts";
import { PortClaims } from "../ports/port_claims.ts";
import { formatUnixHost, isUnixHost, splitHosts } from "../ports/unix_host.ts";
import { parseForwards, readForwardRules, rejectStrays, withRules } from "./forwards.ts";
import { formatRules } from "../access/rules_table.ts";
import type { Forward, ServeOptions, V1ListenOptions } from "../options.ts";

/** Where a v2 server listens if nobody says otherwise. */
const DEFAULT_LISTEN = `0.0.0.0:${DEFAULT_PORTS.v2}`;

const LISTEN_OPTIONS = {
  profile: profileOption(" of --listen"),
  forward: {
    value: "HOST=LOCAL",
    help:
      "v1: HOST_ADDRESS:HOST_PORT=LOCAL_ADDRESS:LOCAL_PORT, any number of times; host port 0 picks a free one, then keeps it; " +
      "ranges: 8000-8010; or unix:PATH[,mode=0660][,group=NAME]=LOCAL_ADDRESS:LOCAL_PORT",
    parse: parseForwards,
    many: true,
    split: splitHosts,
  },
  "tls-cert": {
    value: "FILE",
    help: "v2: certificate of a CA for this host's name, with what leads to the CA, as PEM; reread when it changes",
    parse: parsePath,
  },
  "tls-key": { value: "FILE", help: "v2: its key, as PEM", parse: parsePath },
  "proxy-from": {
    value: "NETWORK",
    help: "load balancers in front of --listen whose connections begin with a PROXY header, any number of times",
    parse: parseProxyNetwork,
    many: true,
  },
  plain: PLAIN_OPTION,
} as const satisfies OptionTable;

const ADDRESS_OPTION = {
  value: "ADDRESS",
  help:
    `where devices dial in, or a port for every IPv4 address (default: ${DEFAULT_LISTEN} on v2); v1's usual port is ${DEFAULT_PORTS.v1}`,
  parse: parseListen,
} as const;

/** What stands in a `[[listen]]` section of the file. */
const SECTION_OPTIONS = { address: ADDRESS_OPTION, ...LISTEN_OPTIONS } as const satisfies OptionTable;

/** The server's table of options. */
export const SERVER_OPTIONS = {
  listen: { ...ADDRESS_OPTION, sections: true },
  ...LISTEN_OPTIONS,
  devices: DEVICES_OPTION,
  state: STATE_OPTION,
  admin: ADMIN_OPTION,
  "admin-token-file": TOKEN_OPTION,
  metrics: METRICS_OPTION,
  "metrics-per-device": PER_DEVICE_OPTION,
  audit: AUDIT_OPTION,
  webhook: WEBHOOK_OPTION,
  "webhook-secret-file": WEBHOOK_SECRET_OPTION,
  "webhook-events": WEBHOOK_EVENTS_OPTION,
  "webhook-grace": WEBHOOK_GRACE_OPTION,
  "keep-alive": KEEP_ALIVE_OPTION,
  ...keepAliveOptions("device", V2_KEEP_ALIVE, V1_KEEP_ALIVE),
  expiration: expirationOption(
    "v2: keep clients and host ports this long while a device has no link; 0 ends them at once",
  ),
  "warn-bytes-a-day": {
    value: "SIZE",
    help: "v2: warn once a day of a device whose links cost more than that, as in 20MB",
    parse: parseBytes,
    write: writeBytes,
  },
  ...CAPACITY_OPTIONS,
  "tcp-keep-alive": tcpKeepAliveOption("client"),
  "stall-timeout": stallOption("v1: end a client that holds its link this long by not reading"),
  "half-close-timeout": timeOption(
    "v1: keep a client that finished writing until nothing came for it this long; 0 ends it at once",
    HALF_CLOSE_TIMEOUT_MS,
    parseDuration,
  ),
  "link-write-timeout": linkWriteOption("give a link up when its device takes nothing this long, or never"),
  engine: ENGINE_OPTION,
  ...COMMON_OPTIONS,
} as const satisfies OptionTable;

function parseProxyNetwork(text: string): string {
  parseNetwork(text);
  return text;
}

/** A v2 listener, whose identity is in the state. */
export interface V2ListenConfig {
  readonly address: Address;
  readonly profile: "v2";
  readonly security: { readonly kind: "pinned" | "plain" } | Extract<TlsSource, { kind: "files" }>;
  readonly proxyFrom?: readonly string[];
}

/** What was given, checked. */
export type ServerConfig = Omit<ServeOptions, "listen"> & {
  readonly listen: readonly (V1ListenOptions | V2ListenConfig)[];
  readonly engine: EngineChoice;
  readonly hooks: Hooks;
};

/**
 * Turns what was given into options for `serve`, but for what is in the state.
 *
 * @throws {ConfigError} with what was wrong and what would do; {EngineError} for an engine that cannot be had.
 */
export function serverConfig(values: OptionValues<typeof SERVER_OPTIONS>, file: TomlTable | undefined): ServerConfig {
  const sections = readSections(values, file);
  const rules = readForwardRules(file);
  const given = sections
    ? sections.map((section) => listenFrom(fileValues(SECTION_OPTIONS, section), ofSection(section)))
    : [listenFrom({ ...values, ...(values.listen && { address: values.listen }) }, ofOptions(values))];
  const listen = given.map(({ listen }) =>
    listen.profile === "v1"
      ? { ...listen, forwards: withRules(listen.forwards, rules), keepAlive: keepAliveOf(values, V1_KEEP_ALIVE) }
      : listen
  );
  rejectStrays(rules, listen.flatMap(forwardsOf));
  const hooks = readHooks(file);
  file?.rejectUnknown(ELSEWHERE);
  checkAddresses(given);
  const { engine = "auto" } = values;
  chooseEngine(engine); // now, before the state is opened
  const limits = limitsOfOptions(values);
  const warnAt = values["warn-bytes-a-day"];
  const bytes = warnAt !== undefined && { warnBytesADay: warnAt };
  return { listen, engine, hooks, limits, keepAlive: keepAliveChoiceOf(values), ...bytes, ...timesOf(values) };
}

/** Keys of a section, and of a device's file. */
const ELSEWHERE = {
  address: 'it belongs in a [[listen]] section; for a single listener, write listen = "0.0.0.0:7443"',
  ...keysOf("device", "server", "service", "server-key"),
};

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
  for (const name of Object.keys(LISTEN_OPTIONS) as (keyof typeof LISTEN_OPTIONS)[]) {
    if (values[name] === undefined) continue;
    throw file.error(
      name,
      `"${name}" beside [[listen]] would belong to no listener; write it in a section, or use --listen`,
    );
  }
  return file.tables("listen");
}

/** What was given for one listener, wherever it stands. */
type Given = OptionValues<typeof SECTION_OPTIONS>;

/** For the one listener of options. */
function ofOptions(values: OptionValues<typeof SERVER_OPTIONS>): Complaints {
  const optionOf = (name: keyof Given) => name === "address" ? "listen" : name;
  return {
    error: (name, message) => optionMistake(values, optionOf(name), (it) => `${it}: ${message}`),
    missing(name, example) {
      const option = optionOf(name);
      const where = values[option] === undefined ? "profile" : option; // v1 was asked for, which takes more than v2 does
      return optionMistake(
        values,
        where,
        (it) =>
          it.startsWith("--")
            ? `--${option} is missing; for example: --${option} ${example}`
            : `"${option}" is missing; for example: ${tomlExample(option, example)}`,
      );
    },
  };
}

/** For the listener of a section. */
function ofSection(section: TomlTable): Complaints {
  return {
    error: (name, message) => section.error(name, `"${name}": ${message}`),
    missing: (name, example) =>
      section.error(
        section.names.includes(name) ? name : undefined,
        `"${name}" is missing; for example: ${tomlExample(name, example)}`,
      ),
  };
}

function tomlExample(name: string, value: string): string {
  return `${name} = ${name === "forward" ? `[${tomlString(value)}]` : tomlString(value)}`;
}

/** What is wrong with a listener, said for where it stands. */
interface Complaints {
  error(name: keyof Given, message: string): ConfigError;
  missing(name: "address" | "forward", example: string): ConfigError;
}

/** A listener, and what to say of its mistakes. */
interface PlacedListen {
  readonly listen: V1ListenOptions | V2ListenConfig;
  readonly complaints: Complaints;
}

function listenFrom(given: Given, complaints: Complaints): PlacedListen {
  const { error, missing } = complaints;
  const { profile = "v2", forward, plain } = given;
  const networks = given["proxy-from"];
  const proxy = networks && networks.length > 0 ? { proxyFrom: networks } : {};
  if (profile === "v1") {
    for (const name of ["tls-cert", "tls-key", "plain"] as const) {
      if (given[name] !== undefined) throw error(name, "v1 is always plain; leave it out, or use profile v2");
    }
    if (!given.address) throw missing("address", "0.0.0.0:2065");
    if (!forward || forward.length === 0) throw missing("forward", FORWARD_EXAMPLE);
    return { listen: { address: given.address, profile, forwards: forward.flat(), ...proxy }, complaints };
  }
  if (forward) {
    throw error(
      "forward",
      "v2 devices offer services by name, and devices.toml grants them; forwards are for profile v1",
    );
  }
  const { "tls-cert": certFile, "tls-key": keyFile } = given;
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw error(
      certFile === undefined ? "tls-key" : "tls-cert",
      "tls-cert and tls-key belong together, and the other one is missing; give both",
    );
  }
  if (plain && certFile !== undefined) {
    throw error("plain", "it is without TLS, and tls-cert asks for it; give one of them");
  }
  const files = certFile !== undefined && keyFile !== undefined && { kind: "files" as const, certFile, keyFile };
  const security = files || { kind: plain ? "plain" as const : "pinned" as const };
  return {
    listen: { address: given.address ?? parseAddress(DEFAULT_LISTEN), profile, security, ...proxy },
    complaints,
  };
}

/** Two listeners where only one can be would never both open. */
function checkAddresses(given: readonly PlacedListen[]): void {
  const claims = new PortClaims();
  const all = given.flatMap(({ listen, complaints }) => [
    { place: listen.address, name: "address" as const, complaints },
    ...forwardsOf(listen).map(({ hostAddress }) => ({ place: hostAddress, name: "forward" as const, complaints })),
  ]);
  for (const { place, name, complaints } of all) {
    const listen = isUnixHost(place) ? place : { host: place.host, from: place.port, to: place.port };
    const text = isUnixHost(place) ? `unix:${place.unix}` : formatAddress(place);
    const other = claims.find(listen)?.device;
    if (other !== undefined) {
      const what = other === text ? `${text} is to be listened on twice` : `${text} and ${other} cannot both be had`;
      throw complaints.error(name, `${what}; give each listener its own address`);
    }
    claims.add(text, { name, listen });
  }
}

/** What is in force, a line each, for `--check`. */
export function describeServer(options: ServerConfig): string[] {
  const listeners = options.listen.flatMap((listen) => [
    `listen ${formatAddress(listen.address)} profile=${listen.profile} security=${securityOf(listen)}` +
    (listen.proxyFrom ? ` proxy-from=${listen.proxyFrom.join(",")}` : ""),
    ...forwardsOf(listen).map((forward) => `  forward ${describeForward(forward)}`),
  ]);
  return [...listeners, ...describeLimits(options.limits ?? {}), ...describeHooks(options.hooks)];
}

function securityOf(listen: ServerConfig["listen"][number]): string {
  if (listen.profile === "v1") return "plain";
  return listen.security.kind === "files" ? "pki" : listen.security.kind;
}

function forwardsOf(listen: ServerConfig["listen"][number]): readonly Forward[] {
  return listen.profile === "v1" ? listen.forwards : [];
}

function describeForward({ hostAddress, localAddress, access = {} }: Forward): string {
  const host = isUnixHost(hostAddress) ? formatUnixHost(hostAddress) : formatAddress(hostAddress);
  return [`${host} -> ${formatAddress(localAddress)}`, ...formatRules(access)].join("; ");
}
