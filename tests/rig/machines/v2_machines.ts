/**
 * A v2 relay over machines of a test's own: server and clients on the public host, device and service on the gateway
 * behind NAT.
 *
 * @module
 */

import { Child } from "../processes/child.ts";
import { answered, peer } from "./netns.ts";
import type { Daemon, ServerProcess } from "../processes/daemons.ts";
import { NatNetwork, PUBLIC_ADDRESS } from "./nat_network.ts";
import { V2Relay, type V2RelayOptions } from "../processes/relay.ts";

/** Where the server listens for devices. */
export const SERVER_PORT = 7443;

/** Where the clients connect, on the public host. */
export const HOST_PORT = 7000;

/** How to start {@linkcode V2Machines}. */
export interface V2MachinesOptions extends V2RelayOptions {
  /** What the service does. @default {"echo"} */
  readonly service?: "echo" | "mixed" | "sink" | "source";
  /** The network, if it is to be another than usual; it is disposed of with the machines. */
  readonly net?: NatNetwork;
}

/** A running relay between two machines. */
export class V2Machines implements AsyncDisposable {
  readonly net: NatNetwork;
  readonly relay: V2Relay;

  readonly #stack: AsyncDisposableStack;

  private constructor(stack: AsyncDisposableStack, net: NatNetwork, relay: V2Relay) {
    this.#stack = stack;
    this.net = net;
    this.relay = relay;
  }

  /** Starts it, and waits until clients can connect. */
  static async start(options: V2MachinesOptions = {}): Promise<V2Machines> {
    await using stack = new AsyncDisposableStack();
    const net = stack.use(options.net ?? await NatNetwork.create());
    const service = stack.use(Child.start("service", peer(net.on("device"), options.service ?? "echo")));
    const [, port] = await service.line(/^port (\d+)$/);
    const relay = stack.use(
      await V2Relay.start([`echo=127.0.0.1:${port}`], {
        ...options,
        grants: [`echo=127.0.0.1:${HOST_PORT}`],
        listen: `${PUBLIC_ADDRESS}:${SERVER_PORT}`,
        onServer: net.on("server"),
        onDevice: [...net.on("device"), ...(options.onDevice ?? [])],
      }),
    );
    return new V2Machines(stack.move(), net, relay);
  }

  get server(): ServerProcess {
    return this.relay.server;
  }

  get device(): Daemon {
    return this.relay.device;
  }

  /** A client on the public host. */
  client(does: "ask" | "hold" | "measure" | "ping" | "pour" | "take", ...args: string[]): Child {
    return Child.start("client", peer(this.net.on("server"), does, String(HOST_PORT), ...args));
  }

  /** A session with an echo service has to work. */
  async sessionWorks(): Promise<void> {
    await answered(this.client("ask"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** How long something takes, in milliseconds. */
export async function timed(promise: Promise<unknown>): Promise<number> {
  const since = performance.now();
  await promise;
  return Math.round(performance.now() - since);
}
