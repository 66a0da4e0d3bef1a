/**
 * Relays of every pairing of our peers and the naive ones, behind one face.
 *
 * @module
 */

import {
  type DeviceEvent,
  type DeviceHandle,
  type Forward,
  parseAddress,
  parseService,
  serve,
  type ServeOptions,
  type ServerEvent,
  type ServerHandle,
  type V1DeviceOptions,
} from "../../../mod.ts";
import { startDevice, type StartedDevice } from "../../../device/device.ts";
import { NaiveDevice } from "../naive_v1/device.ts";
import { NaiveServer } from "../naive_v1/server.ts";
import type { DeviceQuirks, ServerQuirks } from "../naive_v1/quirks.ts";
import { engineChoice } from "../engine.ts";
import { portOf } from "../ports.ts";
import { Events } from "../events.ts";
import { Stream } from "../stream.ts";
import { within } from "../wait.ts";

/** Our server with one listener for devices, and its events. */
export interface V1Server extends AsyncDisposable {
  readonly handle: ServerHandle;
  /** What it told so far. */
  readonly events: Events<ServerEvent>;
  /** Where devices dial. */
  readonly port: number;
}

/** Our device and its events. */
export interface TestDevice extends AsyncDisposable {
  readonly handle: DeviceHandle;
  /** What it told so far. */
  readonly events: Events<DeviceEvent>;
}

/** Starts our server on 127.0.0.1. A target is a local address, with `@` and a host address behind it if not any; `access` are rules for all. */
export async function startV1Server(
  targets: readonly string[],
  { access, ...options }: Omit<ServeOptions, "listen"> & Pick<Forward, "access"> = {},
): Promise<V1Server> {
  const forwards = targets.map((target) => {
    const [local = "", host = "127.0.0.1:0"] = target.split("@");
    return { hostAddress: parseAddress(host), localAddress: parseAddress(local), ...(access && { access }) };
  });
  const handle = serve({
    listen: [{ profile: "v1", address: parseAddress("127.0.0.1:0"), forwards }],
    engine: engineChoice,
    ...options,
  });
  const events = new Events<ServerEvent>(handle);
  await handle.ready;
  const port = portOf(handle.addresses[0]!);
  return { handle, events, port, [Symbol.asyncDispose]: () => ended(handle) };
}

export function startV1Device(
  serverPort: number,
  services: readonly string[],
  options: Partial<V1DeviceOptions> = {},
): TestDevice & Pick<StartedDevice, "adjust" | "ways"> {
  const { handle, adjust, ways } = startDevice({
    profile: "v1",
    server: { host: "127.0.0.1", port: serverPort },
    services: services.map(parseService),
    engine: engineChoice,
    ...options,
  });
  const events = new Events<DeviceEvent>(handle);
  return { handle, adjust, ways, events, [Symbol.asyncDispose]: () => ended(handle) };
}

async function ended(handle: ServerHandle | DeviceHandle): Promise<void> {
  handle.close();
  await within(handle.closed, "the end of a handle");
}

/** Who plays a role. */
export type Player = "our" | "naive";

/** A running relay with one service. */
export interface V1Relay extends AsyncDisposable {
  /** Where its clients connect. */
  readonly hostPort: number;
  /** What the naive peers saw that the wire's description forbids. */
  violations(): string[];
  connect(): Promise<Stream>;
  /** Ends the link from the device's side. */
  stopDevice(): Promise<void>;
  /** Ends the link from the server's side. */
  stopServer(): Promise<void>;
}

/** What a relay is made of. */
export interface V1RelayOptions {
  readonly server: Player;
  readonly device: Player;
  readonly servicePort: number;
  readonly serverOptions?: Omit<ServeOptions, "listen">;
  readonly deviceOptions?: Partial<V1DeviceOptions>;
  /** Habits of a naive server. */
  readonly serverQuirks?: Partial<ServerQuirks>;
  /** Habits of a naive device. */
  readonly deviceQuirks?: Partial<DeviceQuirks>;
}

/** Starts a relay of any pairing, and waits until clients can connect. */
export async function startV1Relay(options: V1RelayOptions): Promise<V1Relay> {
  const service = `127.0.0.1:${options.servicePort}`;
  const violations: string[][] = [];
  let serverPort: number;
  let hostPort: () => Promise<number>;
  let stopServer: () => Promise<void>;
  if (options.server === "our") {
    const server = await startV1Server([service], options.serverOptions);
    serverPort = server.port;
    hostPort = async () => portOf((await server.events.next("host-open")).hostAddress);
    stopServer = () => ended(server.handle);
  } else {
    const server = new NaiveServer([{ host: "127.0.0.1", port: options.servicePort }], options.serverQuirks);
    serverPort = server.port;
    hostPort = async () => (await within(server.hostPorts, "LISTEN"))[0]!;
    stopServer = () => server.stop();
    violations.push(server.violations);
  }
  let stopDevice: () => Promise<void>;
  if (options.device === "our") {
    const device = startV1Device(serverPort, [service], { reconnect: false, ...options.deviceOptions });
    stopDevice = () => ended(device.handle);
  } else {
    const device = await NaiveDevice.start(serverPort, options.deviceQuirks);
    stopDevice = () => device.stop();
    violations.push(device.violations);
  }
  const port = await hostPort();
  return {
    hostPort: port,
    violations: () => violations.flat(),
    connect: () => Stream.connect(port),
    stopDevice,
    stopServer,
    async [Symbol.asyncDispose]() {
      await stopDevice();
      await stopServer();
    },
  };
}

export const PAIRINGS: readonly { readonly server: Player; readonly device: Player }[] = [
  { server: "our", device: "our" },
  { server: "our", device: "naive" },
  { server: "naive", device: "our" },
  { server: "naive", device: "naive" },
];
