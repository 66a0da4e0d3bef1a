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

  /** Nothing is served yet; `serve` is called when somebody wants it to be. */
  constructor(serve: (address: Address) => Promise<MetricsServer>) {
    this.#serve = serve;
  }

  /** Serves them. @throws {ListenError} or {ConfigError} if they cannot be there. */
  async start(address: Address | undefined): Promise<void> {
    await (await this.prepare(address))?.commit();
  }

  /** Prepares that they are elsewhere. @throws {ListenError} or {ConfigError} if they cannot be there. */
  async prepare(address: Address | undefined): Promise<Omit<Change, "told"> | undefined> {
    if (isSame(address, this.#told)) return undefined;
    const server = address && await this.#serve(address);
    return {
      commit: async () => {
        const before = this.#server;
        this.#server = server;
        this.#told = address;
        await before?.close();
      },
      undo: () => server?.close(),
    };
  }

  /** Ends it. Idempotent. */
  async close(): Promise<void> {
    await this.#server?.close();
  }
}
