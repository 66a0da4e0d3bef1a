/**
 * The metrics' address of a daemon whose configuration may change: served, moved, or ended, while the daemon runs.
 *
 * @module
 */

import type { Address } from "../../protocol/address.ts";
import type { Change } from "../reload/change.ts";
import { isSame } from "../reload/report.ts";
import type { MetricsServer } from "./listener.ts";

/** Metrics at an address, if there is one. */
export class MovingMetrics {
  readonly #serve: (address: Address) => Promise<MetricsServer>;
  #told: Address | undefined;
  #server: MetricsServer | undefined;
  #starting: Promise<void> = Promise.resolve();
  #isClosed = false;

  /** Nothing is served yet; `serve` is called when somebody wants it to be. */
  constructor(serve: (address: Address) => Promise<MetricsServer>) {
    this.#serve = serve;
  }

  /** Serves them. @throws {ListenError} or {ConfigError} if they cannot be there. */
  start(address: Address | undefined): Promise<void> {
    const started = (async () => await (await this.#prepare(address))?.commit())();
    this.#starting = started.catch(() => {}); // whoever starts them hears why
    return started;
  }

  /** Prepares that they are elsewhere, once they have started. @throws {ListenError} or {ConfigError} if they cannot be there. */
  async prepare(address: Address | undefined): Promise<Omit<Change, "told"> | undefined> {
    await this.#starting;
    return await this.#prepare(address);
  }

  /** Ends it, and what is about to be. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#server?.close();
  }

  async #prepare(address: Address | undefined): Promise<Omit<Change, "told"> | undefined> {
    if (isSame(address, this.#told)) return undefined;
    const server = address && await this.#serve(address);
    return {
      commit: async () => {
        if (this.#isClosed) return await server?.close();
        const before = this.#server;
        this.#server = server;
        this.#told = address;
        await before?.close();
      },
      undo: () => server?.close(),
    };
  }
}
