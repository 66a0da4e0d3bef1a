/**
 * The device's options, on the command line and in its file.
 *
 * @module
 */

import { CONNECT_TIMEOUT_MS } from "../limits.ts";
import { ipBytes } from "../../protocol/ip.ts";
import { type Address, DEFAULT_PORTS, isHost } from "../../protocol/address.ts";
import { V1_KEEP_ALIVE, V2_KEEP_ALIVE } from "../../protocol/keep_alive.ts";
import { chooseEngine, demandUplinks, type EngineChoice } from "../../net/engines.ts";
import { parseProxy, proxyFor, type ProxyOptions } from "../../net/dial/http_proxy.ts";
import { parseUplink } from "../../net/uplink.ts";
import { parsePublicKey } from "../../net/tls/identity.ts";
import { ADMIN_OPTION, TOKEN_OPTION } from "../../app/admin/options.ts";
import { COMMON_OPTIONS, ENGINE_OPTION } from "../../app/command.ts";
import { METRICS_OPTION } from "../../app/metrics/options.ts";
import { ConfigError } from "../../app/toml/config_error.ts";
import { readHooks } from "../../app/hooks/config.ts";
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
import { optionMistake, type OptionSpec, type OptionTable, type OptionValues, variable } from "../../app/options.ts";
import { STATE_OPTION, stateFolder } from "../../app/files/state.ts";
import type { TomlTable } from "../../app/toml/table.ts";
import { FLAG, oneOf, parsePath, parsePositiveDuration } from "../../app/values.ts";
import { parseAllow } from "../v2/allowed_targets.ts";
import type { V1DeviceOptions, V2DeviceOptions } from "../options.ts";
import { lacking, serverOf } from "./servers.ts";
import { checkNames, parseServiceText, SERVICE_OPTION, type ServiceText } from "./service_option.ts";
import type { StoredDevice } from "./state.ts";

/** The option `--ca`. */
export const CA_OPTION = {
  value: "FILE",
  help: "v2, with --pki: certificates of a private CA, as PEM (default: what join stored)",
  parse: parsePath,
} as const satisfies OptionSpec<string>;

/** Options of `device` and `device join` alike. */
export const LINK_OPTIONS = {
  proxy: {
    value: "URL",
    help:
      "v2: HTTP proxy to dial through, http://USER:PASSWORD@HOST:PORT, or none (default: HTTPS_PROXY, unless NO_PROXY)",
    parse: (text: string): ProxyOptions | "none" => text === "none" ? "none" : parseProxy(text),
  },
  sni: {
    value: "NAME",
    help:
      "v2, key pinned: the name to send in the TLS hello, where a router or firewall goes by it; it proves nothing, the key " +
      "does (default: relay.sallyport.invalid)",
    parse: parseSni,
  },
  via: {
    value: "UPLINK",
    help:
      "dial from this address of the machine, or by this interface, and not as its routes say; several are tried in " +
      "order at each dial; Linux, native engine",
    parse: parseUplink,
    many: true,
  },
  expiration: expirationOption(
    "v2: keep clients and their services this long while there is no link, if the server does; 0 ends them at once",
  ),
  state: STATE_OPTION,
  admin: ADMIN_OPTION,
  "admin-token-file": TOKEN_OPTION,
  "keep-alive": KEEP_ALIVE_OPTION,
  ...keepAliveOptions("server", V2_KEEP_ALIVE, V1_KEEP_ALIVE),
  engine: ENGINE_OPTION,
  ...COMMON_OPTIONS,
} as const satisfies OptionTable;

/** The device's table of options. */
export const DEVICE_OPTIONS = {
  server: {
    value: "ADDRESS",
    help:
      `where to dial, without a port ${DEFAULT_PORTS.v2} (v1: ${DEFAULT_PORTS.v1}); v2: several are tried in turn (default: what join stored)`,
    parse: (text: string) => text,
    many: true,
  },
  profile: profileOption(),
  service: SERVICE_OPTION,
  allow: {
    value: "ADDRESS",
    help:
      "v2: what the server may name and reach by itself, any number of times: IP:PORT, NETWORK:PORT or *:PORT, PORT a number, a range or * (default: nothing)",
    parse: parseAllow,
    many: true,
  },
  "server-key": {
    value: "KEY",
    help: "v2: the server's public key, as its command `key` prints it (default: what join stored)",
    parse: (text: string) => parsePublicKey(text, "server key"),
  },
  pki: { ...FLAG, help: "v2: TLS proves the server by a CA's certificate for its name, not by its key" },
  ca: CA_OPTION,
  plain: PLAIN_OPTION,
  "require-binding": {
    ...FLAG,
    help: "v2: refuse a link that is not bound to its TLS connection; takes an engine that can on both sides",
  },
  mode: {
    value: "MODE",
    help: "v2: run, or config to keep the link and withdraw all services",
    parse: oneOf("run", "config"),
    preset: "run",
  },
  "connect-timeout": timeOption("how long reaching a service may take", CONNECT_TIMEOUT_MS, parsePositiveDuration),
  "tcp-keep-alive": tcpKeepAliveOption("service"),
  "stall-timeout": stallOption("v1: end a client whose service holds the link this long by not reading"),
  "link-write-timeout": linkWriteOption("give the link up when the server takes nothing this long, or never"),
  metrics: METRICS_OPTION,
  ...LINK_OPTIONS,
} as const satisfies OptionTable;

/** What was given, checked; what a v2 device keeps in its state is not in it. */
export type DeviceConfig = (V1DeviceOptions | V2Config) & { readonly engine: EngineChoice; readonly hooks: Hooks };

/** A v2 device but for its identity. */
export type V2Config =
  & Omit<V2DeviceOptions, "identity" | "serverKey" | "services" | "caCerts">
  & Pick<StoredDevice, "serverKey">
  & { readonly services: readonly ServiceText[]; readonly ca: string | undefined };

/** Parses the name for TLS: it says where a connection is to go, so it is a host name, and no address (RFC 6066 §3). */
function parseSni(text: string): string {
  const name = text.replace(/\.$/, "");
  if (isHost(name) && ipBytes(name) === undefined) return name;
  throw new SyntaxError(`"${text}" is no host name; write one as in relay.example`);
}

/**
 * Turns what was given into options for `connectDevice`.
 *
 * @param stored What `join` stored; on v2 it stands in for what is not given.
 * @throws {ConfigError} with what was wrong and what would do; {EngineError} for an engine that cannot be had.
 */
export function deviceConfig(
  values: OptionValues<typeof DEVICE_OPTIONS>,
  file: TomlTable | undefined,
  stored: StoredDevice | undefined,
): DeviceConfig {
  const hooks = readHooks(file);
  file?.rejectUnknown(OF_SERVER);
  const { engine = "auto" } = values;
  const chosen = chooseEngine(engine); // now: what cannot run is not stored
  const config = (values.profile ?? "v2") === "v1" ? v1Config(values) : v2Config(values, stored);
  const { via = [] } = values;
  if (via.length > 0) demandUplinks(chosen, config.profile === "v2" && config.security !== "plain");
  return { ...config, ...(via.length > 0 && { via }), engine, hooks };
}

const OF_SERVER = keysOf("server", "listen", "forward", "devices", "tls-cert");

/** What was given. */
type DeviceValues = OptionValues<typeof DEVICE_OPTIONS>;

function v1Config(values: DeviceValues): V1DeviceOptions {
  for (
    const name of [
      "server-key",
      "pki",
      "ca",
      "plain",
      "proxy",
      "sni",
      "require-binding",
      "mode",
      "expiration",
      "allow",
      "keep-alive",
    ] as const
  ) {
    if (values[name] !== undefined) {
      throw optionMistake(values, name, (it, other) => `${it} is for v2; leave it out, or use ${other("profile")} v2`);
    }
  }
  const { service: services = [], server: servers = [] } = values;
  if (services.length === 0) throw lacking(values, "service", "127.0.0.1:22");
  if (servers.length === 0) throw lacking(values, "server", `relay.example:${DEFAULT_PORTS.v1}`);
  if (servers.length > 1) {
    throw optionMistake(
      values,
      "server",
      (it) => `${it}: v1 has one server, and ${servers.length} are given; give one`,
    );
  }
  return {
    profile: "v1",
    server: serverOf(values, servers[0]!, "v1"),
    services: services.map(({ text, rule }) => {
      if (rule) return rule;
      throw optionMistake(
        values,
        "service",
        (it) => `${it} ${text} has a name, and v1 knows none; write what may be dialled: 127.0.0.1:22`,
      );
    }),
    keepAlive: keepAliveOf(values, V1_KEEP_ALIVE),
    ...timesOf(values),
  };
}

function v2Config(values: DeviceValues, stored: StoredDevice | undefined): V2Config {
  const serverKey = values["server-key"] ?? stored?.serverKey;
  const servers = values.server?.map((text) => serverOf(values, text, "v2")) ?? stored?.addresses;
  if (values.server?.length && !serverKey) {
    const how = 'which "sallyport server key" prints on the server (for the original protocol, profile v1)';
    throw optionMistake(values, "server", (it, other) => `${it} is given without ${other("server-key")}, ${how}`);
  }
  if (!servers?.length || !serverKey) {
    throw new ConfigError(
      `this device has not joined a server: ${stateFolder(values.state, "device")} has none; ` +
        "let the server's `enroll` print a string and give it to `join`, or give --server and --server-key (for the original protocol, --profile v1)",
    );
  }
  const services = values.service ?? stored?.services.map(parseServiceText) ?? [];
  const { allow = [] } = values;
  if (services.length === 0 && allow.length === 0) {
    throw lacking(values, "service", "ssh=127.0.0.1:22");
  }
  checkNames(services, (message) => optionMistake(values, "service", (it) => `${it} ${message}`));
  const { plain, pki } = values;
  if (plain && (pki || values.ca !== undefined)) {
    throw optionMistake(
      values,
      "plain",
      (it, other) => `${it} is without TLS, and ${other("pki")} asks for it; give one`,
    );
  }
  const given = plain ? "plain" : pki || values.ca !== undefined ? "pki" : undefined;
  // A server that was named anew is not taken for one without TLS because the stored one was.
  const security = given ?? (values.server ? undefined : stored?.security) ?? "pinned";
  const ca = values.ca ?? (security === "pki" && !values.server ? stored?.ca : undefined);
  const { proxy, sni } = values;
  const binding = values["require-binding"] ? "required" : "auto";
  if (binding === "required" && security === "plain") {
    throw optionMistake(
      values,
      "require-binding",
      (it, other) => `${it} is about TLS, and ${other("plain")} is without; give one`,
    );
  }
  if (sni !== undefined && security !== "pinned") {
    throw optionMistake(
      values,
      "sni",
      (it, other) =>
        security === "plain"
          ? `${it} is a name in TLS, and ${other("plain")} is without; give one`
          : `${it} is for a pinned key; with ${
            other("pki")
          } the name that is sent is the server's, and its certificate has to have it`,
    );
  }
  const proxyOf = (server: Address) => proxy === "none" ? undefined : proxy ?? proxyFor(server, variable);
  checkProxies(servers, proxyOf);
  return {
    profile: "v2",
    server: servers,
    serverKey,
    security,
    ca,
    ...(sni !== undefined && { sni }),
    ...(binding === "required" && { binding }),
    services,
    ...(allow.length > 0 && { allow }),
    mode: values.mode ?? "run",
    proxyFor: proxyOf,
    keepAlive: keepAliveChoiceOf(values),
    ...timesOf(values),
  };
}

/** The environment's proxy is looked at before it is used: no try to dial would mend it. */
function checkProxies(servers: readonly Address[], proxyOf: (server: Address) => unknown): void {
  try {
    for (const server of servers) proxyOf(server);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ConfigError(`${error.message}; --proxy none dials directly`, { cause: error });
  }
}
