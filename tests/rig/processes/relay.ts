/**
 * A relay of two processes, on either wire profile.
 *
 * @module
 */

import { echoService, type Service } from "../service.ts";
import { succeed } from "./commands.ts";
import {
  type Daemon,
  type DaemonOptions,
  type ServerProcess,
  startDevice,
  startServer,
  v1DeviceArgs,
  v1ServerArgs,
} from "./daemons.ts";
import { TempFolder } from "../temp_folder.ts";
import { portOf } from "../ports.ts";

/** The name that devices get unless a test gives another. */
export const DEVICE = "gw1";

/** Starts a server with its state in `state`. */
export function startV2Server(
  state: string,
  more: readonly string[] = [],
  options?: DaemonOptions & { readonly listen?: string },
): Promise<ServerProcess> {
  return startServer(["--listen", options?.listen ?? "127.0.0.1:0", "--state", state, ...more], options);
}

/** Asks for an enrolment string. A service is `NAME` or `NAME=HOST_ADDRESS`. */
export async function enrol(
  state: string,
  server: string,
  services: readonly string[],
  { device = DEVICE, more = [], prefix = [] }: {
    readonly device?: string;
    readonly more?: readonly string[];
    readonly prefix?: readonly string[];
  } = {},
): Promise<string> {
  const granted = services.map((service) => service.includes("=") ? service : `${service}=127.0.0.1:0`);
  const [text] = await succeed("server", [
    ...["enroll", device, "--state", state, "--public-address", server],
    ...granted.flatMap((service) => ["--service", service]),
    ...more,
  ], { prefix });
  return text!;
}

/** The arguments of `device join`. */
export function joinArgs(state: string, enrolment: string, services: readonly string[]): string[] {
  return ["join", enrolment, "--state", state, ...services.flatMap((service) => ["--service", service])];
}

/** How to start a relay. */
export interface RelayOptions {
  /** More arguments for the server. */
  readonly server?: readonly string[];
  /** More arguments for the device. */
  readonly device?: readonly string[];
  /** Where the server listens for devices. @default {"127.0.0.1:0"} */
  readonly listen?: string;
  /** What runs on the server's machine. */
  readonly onServer?: readonly string[];
  /** What runs on the device's machine. */
  readonly onDevice?: readonly string[];
  /** For the device. */
  readonly env?: Record<string, string>;
}

/** How to start a {@linkcode V2Relay}. */
export interface V2RelayOptions extends RelayOptions {
  /** More arguments for `enroll`. */
  readonly enrol?: readonly string[];
  /** What devices dial, if that is not where the server listens. */
  readonly dial?: string;
}

/** Copies what a device keeps: two devices cannot run with one state. @returns the copy, for `--state`. */
export async function copyDeviceState(state: string): Promise<string> {
  const copy = `${state}/copy`;
  await Deno.mkdir(`${copy}/device`, { recursive: true, mode: 0o700 });
  for (const file of ["identity.pem", "device.toml"]) {
    await Deno.copyFile(`${state}/device/${file}`, `${copy}/device/${file}`);
  }
  return copy;
}

/** A server and a device that have found each other. */
export class Relay implements AsyncDisposable {
  readonly server: ServerProcess;
  readonly device: Daemon;
  /** Where clients reach the services, `HOST:PORT`, in the order of the services. */
  readonly hosts: readonly string[];

  readonly #stack: AsyncDisposableStack;

  /** Takes over what is to be disposed of in the end. */
  protected constructor(stack: AsyncDisposableStack, parts: Pick<Relay, "server" | "device" | "hosts">) {
    this.#stack = stack;
    this.server = parts.server;
    this.device = parts.device;
    this.hosts = parts.hosts;
  }

  /** The first of {@linkcode Relay.hosts}. */
  get host(): string {
    return this.hosts[0]!;
  }

  get hostPort(): number {
    return portOf(this.host);
  }

  /** The ports of {@linkcode Relay.hosts}. */
  get hostPorts(): number[] {
    return this.hosts.map(portOf);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** A relay on wire profile v1. */
export class V1Relay extends Relay {
  /** Starts it for services, each `HOST:PORT` or `HOST_ADDRESS:HOST_PORT=HOST:PORT`, and waits until each is open. */
  static async start(forwards: readonly string[], options: RelayOptions = {}): Promise<V1Relay> {
    await using stack = new AsyncDisposableStack();
    const { listen, onServer = [], onDevice = [], env = {} } = options;
    const services = forwards.map((forward) => forward.split("=").at(-1)!);
    const server = stack.use(
      await startServer([...v1ServerArgs(forwards, listen), ...options.server ?? []], { prefix: onServer }),
    );
    const device = stack.use(
      startDevice([...v1DeviceArgs(server.address, services), ...options.device ?? []], { prefix: onDevice, env }),
    );
    const hosts: string[] = [];
    for (const service of services) hosts.push(await server.host(service));
    return new V1Relay(stack.move(), { server, device, hosts });
  }
}

/** A relay on wire profile v2, set up as a user does it: `server`, `server enroll`, `device join`. */
export class V2Relay extends Relay {
  /** For the state of both: they use folders of their own in it. */
  readonly folder: TempFolder;

  private constructor(stack: AsyncDisposableStack, parts: Pick<V2Relay, "folder" | "server" | "device" | "hosts">) {
    super(stack, parts);
    this.folder = parts.folder;
  }

  /**
   * Starts it, and waits until every service is open.
   *
   * @param services Each `NAME=HOST:PORT`, with what the device is to do with it; `grants` are host addresses by name.
   */
  static async start(
    services: readonly string[],
    options: V2RelayOptions & { readonly grants?: readonly string[] } = {},
  ): Promise<V2Relay> {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(new TempFolder());
    const { listen = "127.0.0.1:0", onServer = [], onDevice = [], env = {} } = options;
    const server = stack.use(await startV2Server(folder.path, options.server, { prefix: onServer, listen }));
    const names = services.map((service) => service.slice(0, service.indexOf("=")));
    const more = options.enrol ?? [];
    const dial = options.dial ?? server.address;
    const enrolment = await enrol(folder.path, dial, options.grants ?? names, { more, prefix: onServer });
    const device = stack.use(
      startDevice([...joinArgs(folder.path, enrolment, services), ...options.device ?? []], { prefix: onDevice, env }),
    );
    const hosts: string[] = [];
    for (const name of names) hosts.push(await serviceOpen(device, name));
    return new V2Relay(stack.move(), { folder, server, device, hosts });
  }

  /** Runs a command about devices, such as `disable gw1`. @returns its lines on stdout. */
  command(...args: string[]): Promise<string[]> {
    return succeed("server", [...args, "--state", this.folder.path]);
  }
}

/** Waits until the device has a service open, from line `from` of its stdout on. @returns where clients reach it. */
export async function serviceOpen(device: Daemon, service: string, from = 0): Promise<string> {
  const [, host] = await device.child.line(new RegExp(`^service ${service} (\\S+:\\d+)$`), from);
  return host!;
}

/** An echo service, and a relay to it. */
export async function echoRelay(
  options: V2RelayOptions = {},
): Promise<AsyncDisposable & { readonly service: Service; readonly relay: V2Relay }> {
  await using stack = new AsyncDisposableStack();
  const service = stack.use(echoService());
  const relay = stack.use(await V2Relay.start([`echo=127.0.0.1:${service.port}`], options));
  const end = stack.move();
  return { service, relay, [Symbol.asyncDispose]: () => end.disposeAsync() };
}
