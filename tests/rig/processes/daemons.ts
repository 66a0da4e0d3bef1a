/**
 * Our server and our device as processes of their own: run from source, or from the bundle that `SALLYPORT_TEST_PROGRAM`
 * names, or, where `SALLYPORT_BINARIES` names a folder, the compiled binaries in it.
 *
 * @module
 */

import { countDescriptors } from "./descriptors.ts";
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

/** What the runtime is given to run. */
export const MAIN = Deno.env.get("SALLYPORT_TEST_PROGRAM") ??
  fileURLToPath(new URL("../../../main.ts", import.meta.url));

/** The command line of a role; `flags` are more of the runtime's, which binaries do without. */
export function sallyport(
  role: "server" | "device",
  args: readonly string[],
  flags: readonly string[] = [],
): string[] {
  const binaries = Deno.env.get("SALLYPORT_BINARIES");
  if (binaries) return [`${Deno.realPathSync(binaries)}/sallyport-${role}`, ...args];
  return [Deno.execPath(), "run", "--quiet", "-A", ...flags, MAIN, role, ...args];
}

/** Options of {@linkcode startServer} and {@linkcode startDevice}. */
export interface DaemonOptions {
  /** Put before the command line, such as `ip netns exec NAME`. */
  readonly prefix?: readonly string[];
  /** Set in the environment. */
  readonly env?: Record<string, string>;
  /** More flags of the runtime, which binaries do without. */
  readonly flags?: readonly string[];
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
    return countDescriptors(this.child.pid);
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

  /** The first host address, `HOST:PORT`, that opened for a service, from line `from` of stdout on. */
  async host(service: string, from = 0): Promise<string> {
    const [, host] = await this.child.line(new RegExp(`^open (\\S+:\\d+) -> ${escape(service)}$`), from);
    return host!;
  }

  /** The port of that. */
  async hostPort(service: string, from = 0): Promise<number> {
    return portOf(await this.host(service, from));
  }
}

/** Starts a server, and waits until it listens for `listeners` devices. */
export async function startServer(
  args: readonly string[],
  { prefix = [], env = {}, flags = [], listeners = 1 }: DaemonOptions & { readonly listeners?: number } = {},
): Promise<ServerProcess> {
  const server = new ServerProcess(Child.start("server", [...prefix, ...sallyport("server", args, flags)], { env }));
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

/** The arguments of a v1 server with one listener; a forward is `SERVICE` or `HOST_ADDRESS=SERVICE`. */
export function v1ServerArgs(forwards: readonly string[], listen = "127.0.0.1:0"): string[] {
  return [
    ...["--profile", "v1", "--listen", listen],
    ...forwards.flatMap((forward) => ["--forward", forward.includes("=") ? forward : `127.0.0.1:0=${forward}`]),
  ];
}

/** The arguments of a v1 device. */
export function v1DeviceArgs(server: string, services: readonly string[]): string[] {
  return ["--profile", "v1", "--server", server, ...services.flatMap((service) => ["--service", service])];
}

/** Starts a device; it may take its time to find its server. */
export function startDevice(args: readonly string[], { prefix = [], env = {}, flags }: DaemonOptions = {}): Daemon {
  return new Daemon(Child.start("device", [...prefix, ...sallyport("device", args, flags)], { env }));
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
