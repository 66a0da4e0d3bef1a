/**
 * A v2 server, its devices and what is between them, in one process over loopback sockets.
 *
 * @module
 */

import {
  type DeviceEvent,
  serve,
  type ServeOptions,
  type ServerEvent,
  type ServerHandle,
  type V2DeviceOptions,
} from "../../../mod.ts";
import { startDevice, type StartedDevice } from "../../../device/device.ts";
import { parseNamedService } from "../../../device/v2/named_service.ts";
import { createIdentity, formatPublicKey, type Identity } from "../../../net/tls/identity.ts";
import type { TlsSource } from "../../../net/tls/listening.ts";
import type { AuthorizedDevice } from "../../../server/devices/authorized_devices.ts";
import { parseGrant, type ServiceGrant } from "../../../server/devices/service_grant.ts";
import type { V2Options } from "../../../server/options.ts";
import { Directory } from "./directory.ts";
import { engineChoice } from "../engine.ts";
import { Events } from "../events.ts";
import { RecordingLogger } from "../logger.ts";
import type { TestDevice } from "../v1/relay.ts";
import { Stream } from "../stream.ts";
import { within } from "../wait.ts";
import { portOf } from "../ports.ts";

/** What a v2 link runs over. */
export type Security = "plain" | "tls";

/** Both, for tests that are to hold on either. */
export const SECURITIES: readonly Security[] = ["plain", "tls"];

/** Our server with one v2 listener. */
export interface V2Server extends AsyncDisposable {
  readonly handle: ServerHandle;
  /** What it told so far. */
  readonly events: Events<ServerEvent>;
  /** What it logged so far, from `info` up. */
  readonly log: RecordingLogger;
  /** Where devices dial. */
  readonly port: number;
  readonly identity: Identity;
  /** Who may link up. */
  readonly directory: Directory;
  /** How devices have to dial. */
  readonly security: Security;
}

/** How a server is to be. */
export interface V2ServerOptions extends Partial<Omit<V2Options, "devices">> {
  /** @default {"plain"} */
  readonly security?: Security;
  /** How TLS proves the server, if not by its key. */
  readonly certificate?: TlsSource;
  /** Where it listens; any free port by default. */
  readonly port?: number;
  /** Load balancers in front of it; none by default. */
  readonly proxyFrom?: readonly string[];
  /** Who may link up; nobody yet by default. */
  readonly directory?: Directory;
  /** Options of the server itself. */
  readonly serve?: Omit<ServeOptions, "listen" | "v2" | "logger">;
}

/** Starts our server on 127.0.0.1. Sessions end with their link unless `serve.expiration` says otherwise. */
export async function startV2Server(options: V2ServerOptions = {}): Promise<V2Server> {
  const { security = "plain", certificate, port = 0, directory = new Directory(), enrolments, ports } = options;
  const identity = options.identity ?? await createIdentity();
  const log = new RecordingLogger();
  const handle = serve({
    expiration: 0,
    engine: engineChoice,
    ...options.serve,
    logger: log,
    listen: [{
      profile: "v2",
      address: { host: "127.0.0.1", port },
      ...(options.proxyFrom && { proxyFrom: options.proxyFrom }),
      security: security === "plain" ? { kind: "plain" } : certificate ?? { kind: "pinned", keyPair: identity.keyPair },
    }],
    v2: { identity, devices: directory, ...(enrolments && { enrolments }), ...(ports && { ports }) },
  });
  const events = new Events<ServerEvent>(handle);
  await handle.ready;
  return {
    handle,
    events,
    log,
    port: portOf(handle.addresses[0]!),
    identity,
    directory,
    security,
    async [Symbol.asyncDispose]() {
      handle.close();
      await within(handle.closed, "the end of the server");
    },
  };
}

/** A device on the server's list; a grant is `NAME=HOST:PORT`, or the whole of it. */
export function authorized(
  name: string,
  identity: Identity,
  grants: readonly (string | ServiceGrant)[],
  more: Partial<AuthorizedDevice> = {},
): AuthorizedDevice {
  return {
    name,
    key: formatPublicKey(identity.publicKey),
    services: grants.map((grant) => typeof grant === "string" ? parseGrant(grant) : grant),
    disabled: false,
    ...more,
  };
}

/** Puts a device on the server's list as {@linkcode authorized} does. @returns its new identity. */
export async function enlist(
  server: Pick<V2Server, "directory">,
  name: string,
  grants: readonly (string | ServiceGrant)[],
  more: Partial<AuthorizedDevice> = {},
): Promise<Identity> {
  const identity = await createIdentity();
  server.directory.put(authorized(name, identity, grants, more));
  return identity;
}

export interface V2Device extends TestDevice, Pick<StartedDevice, "ways"> {
  readonly identity: Identity;
  /** What it logged so far, from `info` up. */
  readonly log: RecordingLogger;
}

/** Starts our device; a service is `NAME=HOST:PORT` and what may stand behind it, times in milliseconds. */
export function startV2Device(
  server: Pick<V2Server, "identity" | "security" | "port">,
  identity: Identity,
  services: readonly string[],
  options: Partial<V2DeviceOptions> = {},
): V2Device {
  const log = new RecordingLogger();
  const { handle, ways } = startDevice({
    profile: "v2",
    server: { host: "127.0.0.1", port: server.port },
    serverKey: server.identity.publicKey,
    security: server.security === "plain" ? "plain" : "pinned",
    identity,
    services: services.map((text) => parseNamedService(text, Number)),
    logger: log,
    engine: engineChoice,
    ...options,
  });
  const events = new Events<DeviceEvent>(handle);
  return {
    handle,
    ways,
    events,
    identity,
    log,
    async [Symbol.asyncDispose]() {
      handle.close();
      await within(handle.closed, "the end of the device");
    },
  };
}

/** What a relay is made of. */
export interface V2RelayOptions extends V2ServerOptions {
  /** The device's services, `NAME=HOST:PORT` and what may stand behind it. */
  readonly services: readonly string[];
  /** What it is granted; by default a free port for each of its services. */
  readonly grants?: readonly (string | ServiceGrant)[];
  /** Options of the device. */
  readonly device?: Partial<V2DeviceOptions>;
  /** Where the device dials, if not at the server itself. */
  readonly through?: (server: V2Server) => number;
}

/** A server, a device named `gw1`, and its services. */
export interface V2Relay extends AsyncDisposable {
  readonly server: V2Server;
  readonly device: V2Device;
  /** The host port of a service, once it is granted. */
  hostPort(service: string): Promise<number>;
  /** Connects a client to a service. */
  connect(service: string): Promise<Stream>;
}

/** Starts a server and a device; `hostPort` and `connect` wait for its services. */
export async function startV2Relay(options: V2RelayOptions): Promise<V2Relay> {
  const server = await startV2Server(options);
  const identity = await createIdentity();
  const names = options.services.map((text) => text.split("=", 1)[0]!);
  server.directory.put(authorized("gw1", identity, options.grants ?? names.map((name) => `${name}=127.0.0.1:0`)));
  const target = { ...server, port: options.through?.(server) ?? server.port };
  const device = startV2Device(target, identity, options.services, options.device);
  const hostPort = (name: string) => {
    const address = () => device.handle.status.services.find((service) => service.name === name)?.hostAddress;
    const granted = new Promise<number>((resolve) => {
      const stop = device.handle.subscribe(() => look());
      const look = () => {
        const found = address();
        if (found === undefined) return;
        stop();
        resolve(portOf(found));
      };
      look();
    });
    return within(granted, `the host port of ${name}`);
  };
  return {
    server,
    device,
    hostPort,
    connect: async (name) => await Stream.connect(await hostPort(name)),
    async [Symbol.asyncDispose]() {
      await device[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** A service on this machine, for `startV2Relay`; at 127.0.0.1 unless it says otherwise. */
export function local(
  name: string,
  { port, hostname = "127.0.0.1" }: { readonly port: number; readonly hostname?: string },
  details = "",
): string {
  return `${name}=${hostname}:${port}${details && `,${details}`}`;
}
