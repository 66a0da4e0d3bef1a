/**
 * A v2 relay whose link is to be cut: a device behind NAT with its services, a public server, and a client, each on a
 * machine of its own.
 *
 * @module
 */

import { Cuts } from "../cuts/cuts.ts";
import type { Daemon, ServerProcess } from "../processes/daemons.ts";
import { CLIENTS_ADDRESS, NatNetwork, PUBLIC_ADDRESS } from "./nat_network.ts";
import type { Need } from "../processes/requirements.ts";
import { startTransferService, type TransferPlan, Transfers } from "../cuts/transfers.ts";
import { HOST_PORT, SERVER_PORT } from "./v2_machines.ts";
import { V2Relay } from "../processes/relay.ts";

/** What the machine has to have for it. */
export const RESUME_NEEDS: readonly Need[] = ["network namespaces (root, ip, nft)", "/proc", "ss"];

/** How to start {@linkcode ResumeMachines}. */
export interface ResumeMachinesOptions {
  /** Services of the device besides `transfer`, each `NAME=HOST:PORT`. */
  readonly services?: readonly string[];
  /** More arguments for the server. */
  readonly server?: readonly string[];
  /** More arguments for the device. */
  readonly device?: readonly string[];
  /** What cuts come from. */
  readonly seed?: number;
  /** The network, if services are in it already; it is disposed of with the machines. */
  readonly net?: NatNetwork;
}

/** A running relay between the machines. */
export class ResumeMachines implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;

  private constructor(
    stack: AsyncDisposableStack,
    readonly net: NatNetwork,
    readonly relay: V2Relay,
    /** Cuts its link. */
    readonly cuts: Cuts,
    /** Where the service `transfer` listens, on the device's machine. */
    readonly servicePort: number,
  ) {
    this.#stack = stack;
  }

  /** Starts it, and waits until clients can connect. */
  static async start(options: ResumeMachinesOptions = {}): Promise<ResumeMachines> {
    await using stack = new AsyncDisposableStack();
    const net = stack.use(options.net ?? await NatNetwork.create({ client: true }));
    const { child, port } = await startTransferService(net.on("device"));
    stack.use(child);
    const services = [`transfer=127.0.0.1:${port}`, ...options.services ?? []];
    const relay = stack.use(
      await V2Relay.start(services, {
        server: options.server ?? [],
        device: ["--log-level", "debug", ...options.device ?? []], // which has each try that fails, also of a reason known
        grants: services.map((service, at) => `${service.split("=")[0]}=${CLIENTS_ADDRESS}:${HOST_PORT + at}`),
        listen: `${PUBLIC_ADDRESS}:${SERVER_PORT}`,
        onServer: net.on("server"),
        onDevice: net.on("device"),
      }),
    );
    const cuts = await Cuts.of({ net, server: relay.server, device: relay.device }, options.seed ?? 1);
    return new ResumeMachines(stack.move(), net, relay, cuts, port);
  }

  get server(): ServerProcess {
    return this.relay.server;
  }

  get device(): Daemon {
    return this.relay.device;
  }

  /** Clients of the service `transfer`, on their machine. */
  transfers(plan: Omit<TransferPlan, "hostname" | "port">): Transfers {
    return new Transfers({ hostname: CLIENTS_ADDRESS, port: HOST_PORT, ...plan }, this.net.on("client"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
