/**
 * Whether `connectDevice` was told what it can do.
 *
 * @module
 */

import { V2_MAX_CHANNELS } from "../protocol/v2/limits.ts";
import { TOKEN_ID_SIZE } from "../protocol/enrolment.ts";
import { parseName } from "../protocol/name.ts";
import type { Engine } from "../net/socket.ts";
import { parseUplink } from "../net/uplink.ts";
import * as check from "../relay/option_check.ts";
import { demandServable, parseEndpoint } from "./endpoints/registry.ts";
import { endpointOf, type NamedService } from "./v2/named_service.ts";
import type { CommonDeviceOptions, DeviceOptions, V1DeviceOptions, V2DeviceOptions } from "./options.ts";

const { optional, list, options } = check;

const COMMON: check.Checks<CommonDeviceOptions> = {
  connectTimeout: optional(check.milliseconds(1)),
  stallTimeout: optional(check.milliseconds(1)),
  tcpKeepAlive: optional(check.milliseconds(1, true)),
  linkWriteTimeout: optional(check.milliseconds(1, true)),
  expiration: optional(check.milliseconds(0)),
  via: optional(list(check.parsed(parseUplink))),
  reconnect: optional(check.flag),
  engine: optional(check.engine),
  logger: optional(check.logger),
  clock: optional(check.clock),
  random: optional(check.callable),
  readNetwork: optional(check.callable),
};

const V1 = options<V1DeviceOptions>({
  ...COMMON,
  server: check.address(1),
  profile: check.word("v1"),
  keepAlive: optional(check.keepAliveSettings),
  services: list(check.withMethods("allows")),
});

const servers: check.Check = (value, name) => {
  if (!Array.isArray(value)) return check.address(1)(value, name);
  list(check.address(1))(value, name);
};

const NAMED = options<NamedService>({
  name: check.parsed(parseName),
  localAddress: optional(check.address(1)),
  endpoint: optional(check.parsed(parseEndpoint)),
  proxy: optional(check.word(1, 2)),
  refuseWhenDown: optional(check.flag),
  maxClients: optional(check.whole(1, V2_MAX_CHANNELS)),
  connectTimeout: optional(check.milliseconds(1)),
  idleTimeout: optional(check.milliseconds(1)),
});

const service: check.Check = (value, name) => {
  NAMED(value, name);
  try {
    endpointOf(value as NamedService);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new TypeError(`${name}: ${error.message}`, { cause: error });
  }
};

const V2 = options<V2DeviceOptions>({
  ...COMMON,
  server: servers,
  profile: check.word("v2"),
  keepAlive: optional(check.keepAliveChoice),
  serverKey: check.publicKey,
  security: optional(check.word("pinned", "pki", "plain")),
  caCerts: optional(list(check.text)),
  sni: optional(check.text),
  binding: optional(check.word("auto", "required")),
  identity: check.identity,
  enrolment: optional(options<NonNullable<V2DeviceOptions["enrolment"]>>({
    id: check.secretBytes(TOKEN_ID_SIZE),
    key: check.secretBytes(32),
  })),
  services: list(service),
  allow: optional(list(check.withMethods("allows"))),
  proxyFor: optional(check.callable),
  mode: optional(check.word("config", "run")),
});

/**
 * Checks a service.
 *
 * @throws {TypeError} or {RangeError} with what cannot be; {EngineError} if `engine` can never serve it.
 */
export function checkService(given: NamedService, engine: Engine): void {
  service(given, "service");
  demandServable([given], engine);
}

/**
 * Checks the options of `connectDevice`.
 *
 * @throws {TypeError} or {RangeError} with the name and the value of the first that cannot be.
 */
export function checkDeviceOptions(given: DeviceOptions): void {
  const { profile } = (given ?? {}) as { profile?: unknown };
  check.word("v1", "v2")(profile, "options.profile");
  (profile === "v1" ? V1 : V2)(given, "options");
}
