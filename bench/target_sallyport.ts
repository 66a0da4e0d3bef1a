/**
 * Our own server and device, as users run them: two processes with their default options.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { Child } from "./child.ts";
import type { RunningTarget, Target, TargetContext } from "./target.ts";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));

let instances = 0;

/** Server and device on wire profile v1. */
export const sallyportV1: Target = {
  name: "sallyport v1",

  async start(servicePort, context) {
    const service = `127.0.0.1:${servicePort}`;
    const instance = new Instance(context, ++instances);
    try {
      const server = instance.spawn("server", [
        ...["--profile", "v1", "--listen", "127.0.0.1:0"],
        ...["--forward", `127.0.0.1:0=${service}`],
      ]);
      const [, address] = await server.line(/^listening (\S+) /);
      instance.spawn("device", ["--profile", "v1", "--server", address!, "--service", service]);
      const [, hostPort] = await server.line(/^open \S+:(\d+) -> /);
      return instance.running(Number(hostPort));
    } catch (error) {
      await instance.stop();
      throw error;
    }
  },

  async startUp(context) {
    const instance = new Instance(context, ++instances);
    let start = performance.now();
    const server = instance.spawn("server", [
      ...["--profile", "v1", "--listen", "127.0.0.1:0"],
      ...["--forward", "127.0.0.1:0=127.0.0.1:9"],
    ]);
    await server.line(/^listening /);
    const listening = performance.now() - start;
    await instance.stop();
    start = performance.now();
    const version = instance.spawn("server", ["--version"]);
    await version.ended;
    return { listening, version: performance.now() - start };
  },
};

class Instance {
  readonly #context: TargetContext;
  readonly #number: number;
  readonly #children: Child[] = [];
  readonly #logs: string[] = [];
  #stopping = false;

  constructor(context: TargetContext, number: number) {
    this.#context = context;
    this.#number = number;
  }

  spawn(role: "server" | "device", args: string[]): Child {
    const { binaries, directory } = this.#context;
    const stderrFile = `${directory}/${role}-${this.#number}.log`;
    const options = { name: `sallyport ${role}`, stderrFile };
    const child = binaries === undefined
      ? new Child(Deno.execPath(), ["run", "--allow-all", "--no-prompt", MAIN, role, ...args], options)
      : new Child(`${binaries}/sallyport-${role}`, args, options);
    this.#children.push(child);
    this.#logs.push(stderrFile);
    return child;
  }

  running(hostPort: number): RunningTarget {
    return {
      hostPort,
      pids: this.#children.map((child) => child.pid),
      failure: () => {
        const dead = this.#children.find((child) => !child.alive);
        return dead && `${dead.name} ended: ${dead.tail()}`;
      },
      stop: () => this.stop(),
    };
  }

  /** The server last, since the device would report its loss. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    for (const child of this.#children.toReversed()) {
      if (!await child.stop()) this.#context.note(`${child.name} did not end within 7 s of SIGTERM`);
    }
    this.#readLogs();
  }

  /** Takes note of what the logs complain about; numbers are left out so that like lines count as one. */
  #readLogs(): void {
    const complaints = new Map<string, number>();
    for (const log of new Set(this.#logs)) {
      for (const line of Deno.readTextFileSync(log).split("\n")) {
        if (line === "" || /"level":"(info|debug)"/i.test(line)) continue;
        const text = (/"message":"((?:[^"\\]|\\.)*)"/.exec(line)?.[1] ?? line).replaceAll(/\d+/g, "#");
        const source = log.includes("/server-") ? "server" : "device";
        complaints.set(`${source} log: ${text}`, (complaints.get(`${source} log: ${text}`) ?? 0) + 1);
      }
      Deno.removeSync(log);
    }
    for (const [text, count] of complaints) this.#context.note(`${sallyportV1.name}: ${text}`, count);
  }
}
