/**
 * Our own server and device, as users run them: two processes with their default options.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { RUNTIME_FLAGS } from "../../tests/rig/processes/runtime_flags.ts";
import { Instance, type Launch, type Role } from "../instance.ts";
import type { Target, TargetContext } from "./target.ts";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));

/** Clients of the large measure of memory. */
const CROWD = 10_000;

/** What sets one way of running us apart from another. */
interface Variant {
  readonly name: string;
  readonly crowd?: number;
  /** What the server is told beside where to listen, given the folder of the instance. */
  server(folder: string, servicePort: number): string[];
  /** What the device is told to reach the server at `address`. */
  device(sallyport: Sallyport, address: string, servicePort: number): Promise<string[]>;
}

/** Server and device on wire profile v1. */
export const sallyportV1: Target = target({
  name: "sallyport v1",
  server: (_folder, servicePort) => ["--profile", "v1", "--forward", `127.0.0.1:0=127.0.0.1:${servicePort}`],
  device: (_sallyport, address, servicePort) =>
    Promise.resolve(["--profile", "v1", "--server", address, "--service", `127.0.0.1:${servicePort}`]),
});

/** Server and device on wire profile v2, without TLS. */
export const sallyportV2Plain: Target = v2("sallyport v2 plain", ["--plain"]);

/** Server and device on wire profile v2, as it is preset: over TLS. */
export const sallyportV2Tls: Target = v2("sallyport v2 TLS", []);

/** The same, with sessions that end with their link: what it costs to keep what was sent is the difference. */
export const sallyportV2NoResume: Target = {
  ...v2("v2 TLS no resume", ["--expiration", "0"]),
  crowd: 0,
  only: ["throughput"],
};

function v2(name: string, options: readonly string[]): Target {
  return target({
    name,
    crowd: CROWD,
    server: (folder) => [...options, "--state", `${folder}/state`],
    async device(sallyport, address, servicePort) {
      const state = ["--state", `${sallyport.folder}/state`];
      const grant = ["bench", "--service", "bench=127.0.0.1:0", "--public-address", address];
      const [text = ""] = await sallyport.run("server", ["enroll", ...grant, ...state]);
      return ["join", text, ...state, "--service", `bench=127.0.0.1:${servicePort}`];
    },
  });
}

function target(variant: Variant): Target {
  return {
    name: variant.name,
    crowd: variant.crowd ?? 0,

    start(servicePort, context) {
      const sallyport = new Sallyport(variant.name, context);
      return sallyport.instance.start(async () => {
        const server = sallyport.spawn("server", serverArgs(variant, sallyport, servicePort));
        const [, address] = await server.line(/^listening (\S+) /);
        sallyport.spawn("device", await variant.device(sallyport, address!, servicePort));
        const [, hostPort] = await server.line(/^open \S+:(\d+) -> /);
        return Number(hostPort);
      });
    },

    async startUp(context) {
      const sallyport = new Sallyport(variant.name, context);
      try {
        let start = performance.now();
        await sallyport.spawn("server", serverArgs(variant, sallyport, 9)).line(/^listening /);
        const listening = performance.now() - start;
        start = performance.now();
        await sallyport.run("server", ["--version"]);
        return { listening, version: performance.now() - start };
      } finally {
        await sallyport.instance.stop();
      }
    },
  };
}

function serverArgs(variant: Variant, sallyport: Sallyport, servicePort: number): string[] {
  const { address } = sallyport.instance.machine("server");
  return ["--listen", `${address}:0`, ...variant.server(sallyport.folder, servicePort)];
}

/** An instance of ours, from the sources or from binaries. */
class Sallyport {
  readonly instance: Instance;
  readonly #binaries: string | undefined;

  constructor(name: string, context: TargetContext) {
    this.#binaries = context.binaries;
    this.instance = new Instance(context, (instance) => noteComplaints(name, instance, context));
  }

  get folder(): string {
    return this.instance.folder;
  }

  spawn(role: Role, args: readonly string[]) {
    return this.instance.spawn(role, this.#launch(role, args));
  }

  run(role: Role, args: readonly string[]): Promise<string[]> {
    return this.instance.run(role, this.#launch(role, args));
  }

  #launch(role: Role, args: readonly string[]): Launch {
    const name = `sallyport ${role}`;
    if (this.#binaries !== undefined) return { name, program: `${this.#binaries}/sallyport-${role}`, args };
    return {
      name,
      program: Deno.execPath(),
      args: ["run", ...RUNTIME_FLAGS, "--allow-all", "--no-prompt", MAIN, role, ...args],
    };
  }
}

/** Takes note of what the logs complain about; numbers are left out so that like lines count as one. */
function noteComplaints(name: string, instance: Instance, context: TargetContext): void {
  const complaints = new Map<string, number>();
  for (const role of ["server", "device"] as const) {
    for (const line of instance.log(role)) {
      const turn = /the longest turn of the event loop took (\d+) ms/.exec(line)?.[1];
      if (turn !== undefined) context.note(`${name}: ${role}: a turn of the event loop took ${turn} ms`, 1);
      if (/"level":"(info|debug)"/i.test(line)) continue;
      const text = (/"message":"((?:[^"\\]|\\.)*)"/.exec(line)?.[1] ?? line).replaceAll(/\d+/g, "#");
      complaints.set(`${role} log: ${text}`, (complaints.get(`${role} log: ${text}`) ?? 0) + 1);
    }
  }
  for (const [text, count] of complaints) context.note(`${name}: ${text}`, count);
}
