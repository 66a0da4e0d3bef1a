/**
 * The server and the device of the demo: the real programs, each a process of its own, with a tap on the link between.
 *
 * @module
 */

import { describeError } from "../../base/errors.ts";
import { Cable, type CableOptions } from "../../tests/rig/cable.ts";
import { sallyport } from "../../tests/rig/processes/daemons.ts";
import { DemoError, lastWords, type Program } from "./processes.ts";
import type { Stage } from "./stage.ts";

/** How long anything of the relay may take, in milliseconds. */
export const PATIENCE_MS = 15_000;

/** What a relay is made of. */
export interface DemoRelayOptions {
  /** Where it plays. */
  readonly stage: Stage;
  /** A server that has just started. */
  readonly server: Program;
  /** Where it listens for devices. */
  readonly port: number;
  /** Who looks at the bytes of the link. */
  readonly watch: NonNullable<CableOptions["watch"]>;
  /** Hears if the tap or a process fails. */
  readonly onFault: (why: string) => void;
}

/** A server, a tap in front of it and, later, a device. */
export class DemoRelay {
  /** Between the two. */
  readonly tap: Cable;
  /** Where devices dial in. */
  readonly listenPort: number;
  protected readonly server: Program;
  /** Where it plays. */
  protected readonly stage: Stage;

  readonly #onFault: (why: string) => void;
  #device: Program | undefined;
  #stopping = false;

  /** Takes over a server. */
  protected constructor({ stage, server, port, watch, onFault }: DemoRelayOptions) {
    this.stage = stage;
    this.server = server;
    this.listenPort = port;
    this.#onFault = onFault;
    this.tap = new Cable(port, {
      watch,
      onFault: (error) => onFault(`the tap cannot go on: ${describeError(error)}`),
    });
    stage.defer(() => this.tap[Symbol.asyncDispose]());
    this.#watch(server);
  }

  /** Ends both in order. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const program of [this.device, this.server]) {
      const code = await program.stop();
      if (code !== 0) throw new DemoError(`the ${program.child.name} ended with ${code}: ${lastWords(program.child)}`);
    }
  }

  protected startDevice(args: readonly string[]): void {
    this.#device = this.stage.processes.start("device", sallyport("device", args));
    this.#watch(this.#device);
  }

  /** The device, which has been started. */
  protected get device(): Program {
    if (!this.#device) throw new DemoError("the device was not started");
    return this.#device;
  }

  /** A process that ends before its time is a fault, whoever notices first. */
  async #watch({ child }: Program): Promise<void> {
    const code = await child.exited;
    if (!this.#stopping) this.#onFault(`the ${child.name} ended with ${code}: ${lastWords(child)}`);
  }
}
