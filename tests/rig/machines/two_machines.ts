/**
 * A relay over the cable of {@linkcode Namespaces}: server and clients on one machine, device and service on the other.
 *
 * @module
 */

import { Child } from "../processes/child.ts";
import { answered, peer } from "./netns.ts";
import { type Daemon, type ServerProcess, startDevice, v1DeviceArgs } from "../processes/daemons.ts";
import { V1Relay } from "../processes/relay.ts";
import { Namespaces, SERVER_ADDRESS } from "./namespaces.ts";
import { poll } from "../wait.ts";

/** How to start {@linkcode TwoMachines}. */
export interface TwoMachinesOptions {
  readonly service: "echo" | "sink" | "source";
  /** More arguments for the server. */
  readonly server?: readonly string[];
  /** More arguments for the device. */
  readonly device?: readonly string[];
}

/** A running relay between two machines. */
export class TwoMachines implements AsyncDisposable {
  readonly net: Namespaces;
  readonly relay: V1Relay;

  readonly #stack: AsyncDisposableStack;
  readonly #more: readonly string[];
  readonly #service: string;

  private constructor(
    stack: AsyncDisposableStack,
    parts: Pick<TwoMachines, "net" | "relay">,
    more: readonly string[],
    service: string,
  ) {
    this.#stack = stack;
    this.net = parts.net;
    this.relay = parts.relay;
    this.#more = more;
    this.#service = service;
  }

  /** Starts it, and waits until clients can connect. */
  static async start(options: TwoMachinesOptions): Promise<TwoMachines> {
    await using stack = new AsyncDisposableStack();
    const net = stack.use(await Namespaces.create());
    const service = stack.use(Child.start("service", peer(net.on("device"), options.service)));
    const [, port] = await service.line(/^port (\d+)$/);
    const local = `127.0.0.1:${port}`;
    const device = options.device ?? [];
    const relay = stack.use(
      await V1Relay.start([`127.0.0.1:7000=${local}`], {
        server: ["--half-close-timeout", "0", ...(options.server ?? [])],
        device,
        listen: `${SERVER_ADDRESS}:2065`,
        onServer: net.on("server"),
        onDevice: net.on("device"),
      }),
    );
    return new TwoMachines(stack.move(), { net, relay }, device, local);
  }

  get server(): ServerProcess {
    return this.relay.server;
  }

  /** The device that was started first. */
  get device(): Daemon {
    return this.relay.device;
  }

  /** Waits until the device has had an answer to a keep-alive probe: from then on silence counts against the server. */
  async probeAnswered(): Promise<void> {
    await poll(async () => {
      const sockets = await this.net.run("device", "ss", "-tinH", "state", "established", "dst", SERVER_ADDRESS);
      return /bytes_received:[1-9]/.test(sockets);
    }, () => "no keep-alive probe was answered");
  }

  /** The device's port of its latest link. */
  async devicePort(): Promise<number> {
    const up = await this.device.logged(/^link up/);
    return Number(/:(\d+)$/.exec(String(up["local"]))?.[1]);
  }

  /** Starts one more device with the same arguments. */
  anotherDevice(): Daemon {
    const args = [...v1DeviceArgs(this.server.address, [this.#service]), ...this.#more];
    return startDevice(args, { prefix: this.net.on("device") });
  }

  /** A client on the server's machine. */
  client(does: "ask" | "pour" | "take"): Child {
    return Child.start("client", peer(this.net.on("server"), does, String(this.relay.hostPort)));
  }

  /** Waits until the host port has opened for the `nth` time. */
  async opened(nth: number): Promise<void> {
    let from = 0;
    for (let at = 0; at < nth; at++) {
      await this.server.hostPort(this.#service, from);
      from = this.server.child.stdout.findIndex((line, index) => index >= from && line.startsWith("open ")) + 1;
    }
  }

  /** A session with an echo service has to work. */
  async sessionWorks(): Promise<void> {
    await answered(this.client("ask"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
