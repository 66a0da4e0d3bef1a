/**
 * A server, and many devices of it in a few processes, all on this machine.
 *
 * @module
 */

import { createIdentity, formatPublicKey, identityToPem, type KeepAliveMode } from "../../mod.ts";
import { Child } from "../../tests/rig/processes/child.ts";
import type { ServerProcess } from "../../tests/rig/processes/daemons.ts";
import { startV2Server } from "../../tests/rig/processes/relay.ts";
import { succeed } from "../../tests/rig/processes/commands.ts";
import { TempFolder } from "../../tests/rig/temp_folder.ts";

/** What a start leaves to do, in milliseconds: resumed watches, garbage, files. */
export const SETTLE_MS = 30_000;

/** Devices of a process: its sockets and its own CPU have bounds, too. */
const A_PROCESS = 500;

/** Milliseconds for those of a process to be online. */
const ARRIVAL_MS = 600_000;

/** Where every device has its service. */
const HOST_PORT = 2_200;

/** The host address of a device's service: each has a loopback address. */
export function hostOf(n: number): { readonly host: string; readonly port: number } {
  return { host: `127.77.${n >> 8}.${n & 255}`, port: HOST_PORT };
}

/** How a fleet is started. */
export interface FleetOptions {
  /** More arguments for the server. */
  readonly server?: readonly string[];
  /** More flags of its runtime, which binaries do without. */
  readonly flags?: readonly string[];
  /** The port of the service that all devices lead to. @default {22} */
  readonly servicePort?: number;
}

/** Who the devices are. */
export class FleetKeys {
  private constructor(readonly pems: readonly string[], readonly devicesFile: string) {}

  /** How many there are. */
  get size(): number {
    return this.pems.length;
  }

  /** New ones. */
  static async make(count: number): Promise<FleetKeys> {
    const pems: string[] = [];
    const entries: string[] = [];
    for (let n = 0; n < count; n++) {
      const identity = await createIdentity();
      pems.push(await identityToPem(identity));
      const { host, port } = hostOf(n);
      entries.push(
        `[gw${n}]\nkey = "${formatPublicKey(identity.publicKey)}"\nservices = { ssh = "${host}:${port}" }\n`,
      );
    }
    return new FleetKeys(pems, entries.join("\n"));
  }
}

/** All of them, online; they end with it. */
export class Fleet implements AsyncDisposable {
  #server: ServerProcess;
  readonly #start: (listen: string) => Promise<ServerProcess>;
  readonly #processes: readonly Child[];
  readonly #stack: AsyncDisposableStack;

  private constructor(
    stack: AsyncDisposableStack,
    server: ServerProcess,
    start: (listen: string) => Promise<ServerProcess>,
    processes: readonly Child[],
    /** The folder of the server's state. */
    readonly state: string,
  ) {
    this.#stack = stack;
    this.#server = server;
    this.#start = start;
    this.#processes = processes;
  }

  /** Starts all. */
  static async start(
    keys: FleetKeys,
    way: KeepAliveMode,
    { server: more = [], flags = [], servicePort = 22 }: FleetOptions = {},
  ): Promise<Fleet> {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(new TempFolder());
    const state = folder.path;
    const [serverKey = ""] = await succeed("server", ["key", "--state", state]);
    const devices = folder.write("devices.toml", keys.devicesFile);
    const args = ["--devices", devices, "--keep-alive", way, "--log-level", "warn", ...more];
    const start = (listen: string) => startV2Server(state, args, { listen, flags });
    const server = await start("127.0.0.1:0");
    const processes: Child[] = [];
    try {
      for (let from = 0; from < keys.size; from += A_PROCESS) {
        const file = folder.write(`keys-${from}.json`, JSON.stringify(keys.pems.slice(from, from + A_PROCESS)));
        const script = new URL("devices.ts", import.meta.url).pathname;
        const command = [
          Deno.execPath(),
          "run",
          "--quiet",
          "-A",
          script,
          file,
          serverKey,
          `${server.port}`,
          way,
          `${servicePort}`,
        ];
        const child = stack.use(Child.start("devices", command));
        await child.line(/^online$/, 0, ARRIVAL_MS);
        processes.push(child);
      }
    } catch (error) {
      await server.child.kill();
      throw error;
    }
    return new Fleet(stack.move(), server, start, processes, state);
  }

  /** The server that runs now. */
  get server(): ServerProcess {
    return this.#server;
  }

  /** The processes of the devices. */
  get pids(): number[] {
    return this.#processes.map(({ pid }) => pid);
  }

  /** Another server takes the place of the one that runs. */
  async restartServer(): Promise<void> {
    const { address } = this.#server;
    await this.#server[Symbol.asyncDispose]();
    this.#server = await this.#start(address);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    await this.#stack.disposeAsync();
  }
}
