/**
 * Server and device of the demo on wire profile v1, with a tap on the link between that shows its frames.
 *
 * @module
 */

import { sallyport, v1DeviceArgs, v1ServerArgs } from "../../tests/rig/processes/daemons.ts";
import { FrameReader } from "./link/frame_reader.ts";
import type { Route } from "./picture.ts";
import { DemoRelay, PATIENCE_MS } from "./relay.ts";
import type { Stage } from "./stage.ts";

/** A server, a tap and, later, a device. */
export class V1Relay extends DemoRelay {
  #routes: readonly Route[] = [];

  /** Starts the server, and a tap in front of it; `onFault` hears if the tap or a process fails. */
  static async start(stage: Stage, routes: readonly Route[], onFault: (why: string) => void): Promise<V1Relay> {
    const server = stage.processes.start("server", sallyport("server", v1ServerArgs(routes.map(forward))));
    const [, port] = await server.says(/^listening 127\.0\.0\.1:(\d+) profile=v1$/, PATIENCE_MS);
    const relay = new V1Relay({
      stage,
      server,
      port: Number(port),
      watch: (direction) => {
        const reader = new FrameReader((frame) => stage.frames.add(direction, frame));
        return (bytes) => reader.push(bytes);
      },
      onFault,
    });
    relay.#routes = routes;
    return relay;
  }

  /** Starts the device. */
  dial(): void {
    this.startDevice(v1DeviceArgs(`127.0.0.1:${this.tap.port}`, this.#routes.map(({ local }) => local)));
  }

  /** Waits until the device is linked and every host port is open. @returns what server and device said. */
  async online(): Promise<string[]> {
    const [online] = await this.device.says(/^online .*/, PATIENCE_MS);
    const said = [`device: ${online}`];
    for (const _ of this.#routes) said.push(`server: ${(await this.server.says(/^open .*/, PATIENCE_MS))[0]}`);
    return said;
  }

  /** Waits until the server has told the end of a client. */
  async clientEnded(): Promise<void> {
    await this.server.logs(/"message":"client .* ended/, PATIENCE_MS);
  }
}

/** A forward, as the server takes it. */
export function forward(route: Route): string {
  return `127.0.0.1:${route.hostPort}=${route.local}`;
}
