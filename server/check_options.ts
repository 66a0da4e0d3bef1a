/**
 * Whether `serve` was told what it can do, and what a program may put on its list of devices.
 *
 * @module
 */

import { parseTag } from "../app/admin/selector.ts";
import { MAX_CLIENT_RATE, MAX_HOURS, MAX_RULE_NETWORKS, MIN_BANDWIDTH } from "./limits.ts";
import { V2_MAX_CHANNELS, V2_MAX_SERVICES } from "../protocol/v2/limits.ts";
import { parseNetwork } from "../protocol/ip.ts";
import { parseName } from "../protocol/name.ts";
import { parsePublicKey } from "../net/tls/identity.ts";
import * as check from "../relay/option_check.ts";
import type { TlsSource } from "../net/tls/listening.ts";
import type { ClientRate } from "./access/client_rates.ts";
import { MAX_SERVER_LIMIT } from "./capacity/limits.ts";
import type { ServerLimits } from "./capacity/server_limits.ts";
import { parseHours } from "./access/hours.ts";
import type { AccessRules } from "./access/rules.ts";
import { parseLocals } from "./devices/grant_table.ts";
import type { AuthorizedDevice } from "./devices/authorized_devices.ts";
import type { ConnectOptions } from "./handle/connect.ts";
import type { OpenServiceOptions } from "./server.ts";
import type { Forward, ServeOptions, V1ListenOptions, V2ListenOptions, V2Options } from "./options.ts";
import { MAX_DATAGRAM_AGE_MS } from "../net/limits.ts";
import type { UdpDetails } from "../net/udp/address.ts";
import {
  checkGrant,
  eachService,
  formatGrantedAddress,
  type GrantedAddress,
  parseGrantedAddress,
  type ServiceGrant,
} from "./devices/service_grant.ts";
import { formatUnixHost, isUnixHost, parseUnixHost, type UnixHostAddress } from "./ports/unix_host.ts";

const { optional, list, options } = check;

const SECURITIES: Record<string, check.Check> = {
  plain: options<{ kind: "plain" }>({ kind: check.word("plain") }),
  pinned: options<Extract<TlsSource, { kind: "pinned" }>>({ kind: check.word("pinned"), keyPair: check.keys }),
  files: options<Extract<TlsSource, { kind: "files" }>>({
    kind: check.word("files"),
    certFile: check.text,
    keyFile: check.text,
  }),
};

const security: check.Check = (value, name) => {
  const { kind } = (value ?? {}) as { kind?: unknown };
  check.word(...Object.keys(SECURITIES))(kind, `${name}.kind`);
  SECURITIES[kind as string]!(value, name);
};

const proxyFrom = optional(list(check.parsed(parseNetwork)));

const UNIX_HOST: check.Check = (value, name) => {
  options<UnixHostAddress>({
    unix: check.text,
    mode: optional(check.whole(0, 0o777)),
    group: optional(check.text),
  })(value, name);
  check.parsed(parseUnixHost)(formatUnixHost(value as UnixHostAddress), name);
};

const isUnixLike = (value: unknown) => typeof value === "object" && value !== null && isUnixHost(value);

const hostAddress: check.Check = (value, name) =>
  isUnixLike(value) ? UNIX_HOST(value, name) : check.address(0)(value, name);

const grantedAddress: check.Check = (value, name) => {
  if (isUnixLike(value)) return UNIX_HOST(value, name);
  const address = value as GrantedAddress;
  options<GrantedAddress>({
    host: check.text,
    from: check.whole(0, 65_535),
    to: check.whole(0, 65_535),
    udp: optional(options<UdpDetails>({ maxAge: optional(check.whole(1, MAX_DATAGRAM_AGE_MS)) })),
    each: optional(check.flag),
  })(value, name);
  check.parsed(parseGrantedAddress)(formatGrantedAddress(address), name);
};

/** A list of `most` items at most, and of one at least unless it may be empty. */
function bounded(item: check.Check, most: number, least = 0): check.Check {
  return (value, name) => {
    list(item)(value, name);
    const { length } = value as readonly unknown[];
    if (length < least) throw new RangeError(`${name} is empty; leave it out`);
    if (length > most) throw new RangeError(`${name} has ${length} items; ${most} can be`);
  };
}

const rate = options<ClientRate>({ count: check.whole(1, MAX_CLIENT_RATE), per: check.milliseconds(1) });
const bandwidth = check.whole(MIN_BANDWIDTH, Number.MAX_SAFE_INTEGER);
const RULES: { readonly [name in keyof AccessRules]-?: check.Check } = {
  allowFrom: optional(bounded(check.parsed(parseNetwork), MAX_RULE_NETWORKS, 1)),
  denyFrom: optional(bounded(check.parsed(parseNetwork), MAX_RULE_NETWORKS)),
  maxClients: optional(check.whole(1, V2_MAX_CHANNELS)),
  maxClientsPerAddress: optional(check.whole(1, V2_MAX_CHANNELS)),
  clientRate: optional(rate),
  clientRatePerAddress: optional(rate),
  bandwidthUp: optional(bandwidth),
  bandwidthDown: optional(bandwidth),
  idleTimeout: optional(check.milliseconds(1)),
  timeLimit: optional(check.milliseconds(1)),
  hours: optional(bounded(check.parsed(parseHours), MAX_HOURS)),
  closed: optional(check.flag),
};
const rules = options<AccessRules>(RULES);

/** There is no credit on v1: to slow one client down would slow down all others of its link. */
const v1Rules: check.Check = (value, name) => {
  rules(value, name);
  const { bandwidthDown, closed } = value as AccessRules;
  if (bandwidthDown !== undefined) {
    throw new TypeError(`${name}.bandwidthDown cannot be had on v1; it would hold up its whole link`);
  }
  if (closed !== undefined) throw new TypeError(`${name}.closed cannot be had on v1; leave the forward out`);
};

const V1_LISTEN = options<V1ListenOptions>({
  address: check.address(0),
  profile: check.word("v1"),
  forwards: list(options<Forward>({
    hostAddress,
    localAddress: check.address(1),
    access: optional(v1Rules),
  })),
  keepAlive: optional(check.keepAliveSettings),
  proxyFrom,
});

const V2_LISTEN = options<V2ListenOptions>({
  address: check.address(0),
  profile: check.word("v2"),
  security,
  proxyFrom,
});

const listener: check.Check = (value, name) => {
  const { profile } = (value ?? {}) as { profile?: unknown };
  check.word("v1", "v2")(profile, `${name}.profile`);
  (profile === "v1" ? V1_LISTEN : V2_LISTEN)(value, name);
};

const limits = options<ServerLimits>({
  devices: optional(check.whole(1, MAX_SERVER_LIMIT)),
  links: optional(check.whole(1, MAX_SERVER_LIMIT)),
  sockets: optional(check.whole(1, MAX_SERVER_LIMIT)),
  memory: optional(check.whole(1, Number.MAX_SAFE_INTEGER)),
  handshakeRate: optional(rate),
});

const SERVE = options<ServeOptions>({
  listen: list(listener),
  v2: optional(options<V2Options>({
    identity: check.identity,
    devices: check.withMethods("byKey", "subscribe"),
    enrolments: optional(check.withMethods("secretHash", "redeem")),
    ports: optional(check.withMethods("get", "set")),
    openings: optional(check.withMethods("get", "open", "close", "subscribe")),
  })),
  keepAlive: optional(check.keepAliveChoice),
  stallTimeout: optional(check.milliseconds(1)),
  tcpKeepAlive: optional(check.milliseconds(1, true)),
  halfCloseTimeout: optional(check.milliseconds(0)),
  linkWriteTimeout: optional(check.milliseconds(1, true)),
  warnBytesADay: optional(check.whole(0, Number.MAX_SAFE_INTEGER)),
  limits: optional(limits),
  expiration: optional(check.milliseconds(0)),
  engine: optional(check.engine),
  logger: optional(check.logger),
  clock: optional(check.clock),
});

/**
 * Checks the options of `serve`.
 *
 * @throws {TypeError} or {RangeError} with the name and the value of the first that cannot be.
 */
export function checkServeOptions(given: ServeOptions): void {
  SERVE(given, "options");
  if (given.listen.length === 0) throw new RangeError("options.listen is empty; name a listener at least");
  if (given.v2 === undefined && given.listen.some(({ profile }) => profile === "v2")) {
    throw new TypeError("options.v2 is undefined; a listener for v2 devices needs it, with identity and devices");
  }
}

const DEVICE = options<AuthorizedDevice>({
  name: check.parsed(parseName),
  key: check.parsed((text) => parsePublicKey(text)),
  services: list(options<ServiceGrant>({
    name: check.parsed(parseName),
    listen: grantedAddress,
    local: optional(check.parsed(parseLocals)),
    proxyFrom,
    ...RULES,
  })),
  expires: optional(check.time),
  expiration: optional(check.milliseconds(0)),
  keepAlive: optional(check.keepAliveChoice),
  disabled: optional(check.flag),
  tags: optional(list(check.parsed(parseTag))),
  comment: optional(check.text),
  access: optional(rules),
});

const OPEN_SERVICE = options<OpenServiceOptions>({
  for: check.milliseconds(1),
  from: RULES.allowFrom,
  reason: optional(check.text),
  by: optional(check.text),
  keepClients: optional(check.flag),
});

const CONNECT = options<ConnectOptions>({
  for: optional(check.milliseconds(1)),
  listen: optional(check.text),
  from: RULES.allowFrom,
  reason: optional(check.text),
  by: optional(check.text),
  keepClients: optional(check.flag),
});

/** Checks how an address is to be reached. @throws {TypeError} or {RangeError} with the name and the value of the first that cannot be. */
export function checkConnectOptions(given: ConnectOptions): void {
  CONNECT(given, "options");
}

/** Checks how a service is to be opened. @throws {TypeError} or {RangeError} with the name and the value of the first that cannot be. */
export function checkOpenServiceOptions(given: OpenServiceOptions): void {
  OPEN_SERVICE(given, "options");
}

/** Checks rules. @throws {TypeError} or {RangeError} with the name and the value of the first that cannot be. */
export function checkRules(given: AccessRules, name: string): void {
  rules(given, name);
}

/**
 * Checks a device for a list.
 *
 * @throws {TypeError} or {RangeError} with the name and the value of the first thing that cannot be.
 */
export function checkDevice(device: AuthorizedDevice): void {
  DEVICE(device, "device");
  const { length } = eachService(device.services);
  if (length > V2_MAX_SERVICES) {
    throw new RangeError(`device.services has ${length} services; ${V2_MAX_SERVICES} can be`);
  }
  const names = new Set<string>();
  for (const grant of device.services) checkGrant(grant);
  for (const { name } of eachService(device.services)) {
    if (names.has(name)) throw new TypeError(`device.services has "${name}" twice; give each service its own name`);
    names.add(name);
  }
}
