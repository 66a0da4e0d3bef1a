/**
 * Our server and our device as processes of their own: run from source, or, where `SALLYPORT_BINARIES` names a folder,
 * the compiled binaries in it.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { portOf } from "../ports.ts";
import { Child } from "./child.ts";
import { poll } from "../wait.ts";

export interface LogLine {
  /** When, in ISO 8601. */
  readonly time: string;
  /** `debug`, `info`, `warn` or `error`. */
  readonly level: string;
  /** `server` or `device`. */
  readonly scope: string;
  /** For people. */
  readonly message: string;
  /** The facts by their names. */
  readonly [fact: string]: unknown;
}

const MAIN = fileURLToPath(new URL("../../../main.ts", import.meta.url));

/** The command line of a role. */
export function sallyport(role: "server" | "device", args: readonly string[]): string[] {
  const binaries = Deno.env.get("SALLYPORT_BINARIES");
  if (binaries) return [`${Deno.realPathSync(binaries)}/sallyport-${role}`, ...args];
  return [Deno.execPath(), "run", "--quiet", "-A", MAIN, role, ...args];
}

/** Options of {@linkcode startServer} and {@linkcode startDevice}. */
export interface DaemonOptions {
  /** Put before the command line, such as `ip netns exec NAME`. */
  readonly prefix?: readonly string[];
  /** Set in the environment. */
  readonly env?: Record<string, string>;
}

/** A server or a device in a process. */
export class Daemon implements AsyncDisposable {
  readonly child: Child;

  /** Takes over a process. */
  constructor(child: Child) {
    this.child = child;
  }

  /** The log so far. Every line has to be JSON. */
  get log(): LogLine[] {
    return this.child.stderr.map((line) => JSON.parse(line) as LogLine);
  }

  /** The first line of the log, from line `from` on, whose message matches. */
  logged(pattern: RegExp, from = 0): Promise<LogLine> {
    const pick = (line: string) => {
      const parsed = JSON.parse(line) as LogLine;
      return pattern.test(parsed.message) ? parsed : undefined;
    };
    return this.child.logLine(pick, String(pattern), from);
  }

  /** How many file descriptors the process has open. */
  get descriptors(): number {
    return [...Deno.readDirSync(`/proc/${this.child.pid}/fd`)].length;
  }

  /** Waits until the process has no more descriptors than before. */
  async descriptorsBackTo(baseline: number): Promise<void> {
    await poll(() => this.descriptors <= baseline, () => `${this.descriptors} descriptors, ${baseline} before`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child[Symbol.asyncDispose]();
  }
}

/** A server that listens for devices. */
export class ServerProcess extends Daemon {
  /** Where devices may dial in, in the order of the lines. */
  readonly addresses: string[] = [];

  /** The first of {@linkcode ServerProcess.addresses}. */
  get address(): string {
    return this.addresses[0]!;
  }

  get port(): number {
    return portOf(this.address);
  }

  /** The port of the first host address that opened for a service, from line `from` of stdout on. */
  async hostPort(service: string, from = 0): Promise<number> {
    const [, port] = await this.child.line(new RegExp(`^open .*:(\\d+) -> ${escape(service)}$`), from);
    return Number(port);
  }
}

/** Starts a server, and waits until it listens for `listeners` devices. */
export async function startServer(
  args: readonly string[],
  { prefix = [], env = {}, listeners = 1 }: DaemonOptions & { readonly listeners?: number } = {},
): Promise<ServerProcess> {
  const server = new ServerProcess(Child.start("server", [...prefix, ...sallyport("server", args)], { env }));
  try {
    for (let at = 0; at < listeners; at++) {
      const [, address] = await server.child.line(/^listening (\S+) profile=/, at);
      server.addresses.push(address!);
    }
  } catch (error) {
    await server.child.kill();
    throw error;
  }
  return server;
}

/** The arguments of a server with one listener; a forward is `SERVICE` or `HOST_ADDRESS=SERVICE`. */
export function serverArgs(forwards: readonly string[], listen = "127.0.0.1:0"): string[] {
  return [
    ...["--profile", "v1", "--listen", listen],
    ...forwards.flatMap((forward) => ["--forward", forward.includes("=") ? forward : `127.0.0.1:0=${forward}`]),
  ];
}

/** The arguments of a device. */
export function deviceArgs(server: string, services: readonly string[]): string[] {
  return ["--profile", "v1", "--server", server, ...services.flatMap((service) => ["--service", service])];
}

/** Starts a device; it may take its time to find its server. */
export function startDevice(args: readonly string[], { prefix = [], env = {} }: DaemonOptions = {}): Daemon {
  return new Daemon(Child.start("device", [...prefix, ...sallyport("device", args)], { env }));
}

/** A server and a device that have found each other, and where clients connect. */
export interface RelayProcesses extends AsyncDisposable {
  readonly server: ServerProcess;
  readonly device: Daemon;
  /** The host ports, in the order of the services. */
  readonly hostPorts: readonly number[];
  /** The first host port. */
  readonly hostPort: number;
}

/** More arguments for a relay. */
export interface RelayOptions {
  readonly server?: readonly string[];
  readonly device?: readonly string[];
  /** Where the server listens for the device. @default {"127.0.0.1:0"} */
  readonly listen?: string;
}

/** Starts a relay for services, each `HOST:PORT` or `HOST_ADDRESS:HOST_PORT=HOST:PORT`. */
export async function startRelay(
  forwards: readonly string[],
  { server: serverMore = [], device: deviceMore = [], listen }: RelayOptions = {},
): Promise<RelayProcesses> {
  const services = forwards.map((forward) => forward.split("=").at(-1)!);
  const server = await startServer([...serverArgs(forwards, listen), ...serverMore]);
  const device = startDevice([...deviceArgs(server.address, services), ...deviceMore]);
  const end = async () => {
    await device[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  };
  try {
    const hostPorts: number[] = [];
    for (const service of services) hostPorts.push(await server.hostPort(service));
    return { server, device, hostPorts, hostPort: hostPorts[0]!, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
