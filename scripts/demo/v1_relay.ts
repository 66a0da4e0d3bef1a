/**
 * The server and the device of the demo on wire profile v1: the real programs, each a process of its own, with a tap on
 * the link between that shows its frames.
 *
 * @module
 */

import { FrameReader } from "./link/frame_reader.ts";
import type { Route } from "./picture.ts";
import { type Child, DemoError, lastWords } from "./processes.ts";
import type { Stage } from "./stage.ts";
import { Tap } from "./link/tap.ts";
import { MAIN } from "./v2_relay.ts";

/** How long anything of the relay may take, in milliseconds. */
const PATIENCE_MS = 15_000;

/** A server, a tap and, later, a device. */
export class V1Relay {
  /** Between the two. */
  readonly tap: Tap;
  /** Where devices dial in. */
  readonly listenPort: number;

  readonly #stage: Stage;
  readonly #routes: readonly Route[];
  readonly #server: Child;
  readonly #onFault: (why: string) => void;
  #device: Child | undefined;
  #stopping = false;

  private constructor(
    stage: Stage,
    routes: readonly Route[],
    server: Child,
    port: number,
    onFault: (why: string) => void,
  ) {
    this.#stage = stage;
    this.#routes = routes;
    this.#server = server;
    this.#onFault = onFault;
    this.listenPort = port;
    this.tap = new Tap(port, {
      watch: (direction) => {
        const reader = new FrameReader((frame) => stage.frames.add(direction, frame));
        return (bytes) => reader.push(bytes);
      },
      onError: (why) => onFault(`the tap cannot go on: ${why}`),
    });
    stage.defer(() => this.tap.close());
    this.#watch(server);
  }

  /** Starts the server, and a tap in front of it; `onFault` hears if the tap or a process fails. */
  static async start(stage: Stage, routes: readonly Route[], onFault: (why: string) => void): Promise<V1Relay> {
    const forwards = routes.flatMap((route) => ["--forward", forward(route)]);
    const args = ["server", "--profile", "v1", "--listen", "127.0.0.1:0", ...forwards];
    const server = stage.processes.start("server", Deno.execPath(), ["run", "-A", MAIN, ...args]);
    const [, port] = await server.says(/^listening 127\.0\.0\.1:(\d+) profile=v1$/, PATIENCE_MS);
    return new V1Relay(stage, routes, server, Number(port), onFault);
  }

  /** Starts the device. */
  startDevice(): void {
    const services = this.#routes.flatMap((route) => ["--service", `127.0.0.1:${route.localPort}`]);
    const args = ["device", "--profile", "v1", "--server", `127.0.0.1:${this.tap.port}`, ...services];
    this.#device = this.#stage.processes.start("device", Deno.execPath(), ["run", "-A", MAIN, ...args]);
    this.#watch(this.#device);
  }

  /** Waits until the device is linked and every host port is open. @returns what server and device said. */
  async online(): Promise<string[]> {
    const [online] = await this.#deviceChild.says(/^online .*/, PATIENCE_MS);
    const said = [`device: ${online}`];
    for (const _ of this.#routes) said.push(`server: ${(await this.#server.says(/^open .*/, PATIENCE_MS))[0]}`);
    return said;
  }

  /** Waits until the server has told the end of a client. */
  async clientEnded(): Promise<void> {
    await this.#server.says(/"message":"client .* ended/, PATIENCE_MS, this.#server.stderr);
  }

  /** Ends both in order. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const child of [this.#deviceChild, this.#server]) {
      const code = await child.stop();
      if (code !== 0) throw new DemoError(`the ${child.name} ended with ${code}: ${lastWords(child)}`);
    }
  }

  /** A process that ends before its time is a fault, whoever notices first. */
  async #watch(child: Child): Promise<void> {
    const { code } = await child.status;
    if (!this.#stopping) this.#onFault(`the ${child.name} ended with ${code}: ${lastWords(child)}`);
  }

  get #deviceChild(): Child {
    if (!this.#device) throw new DemoError("the device was not started");
    return this.#device;
  }
}

/** A forward, as the server takes it. */
export function forward(route: Route): string {
  return `127.0.0.1:${route.hostPort}=127.0.0.1:${route.localPort}`;
}
