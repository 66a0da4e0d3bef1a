/**
 * Somebody at the door of a listener, from the connection on until it is let in or turned away.
 *
 * @module
 */

import { splitHostPort } from "../../protocol/address.ts";
import type { Clock } from "../../base/clock.ts";
import type { Pending } from "./pending_connections.ts";

/** See {@linkcode Pending}. */
export class Newcomer implements Pending {
  readonly host: string;
  readonly #cut: () => void;
  readonly #gone = Promise.withResolvers<void>();
  #evicted = false;

  /** Somebody who came from `remote`, as `HOST:PORT`; `cut` ends its connection. */
  constructor(remote: string, cut: () => void) {
    this.host = splitHostPort(remote)[0];
    this.#cut = cut;
  }

  /** Whether it had to make room, or the door was closed. */
  get evicted(): boolean {
    return this.#evicted;
  }

  evict(): void {
    this.#evicted = true;
    this.#cut();
    this.#gone.resolve();
  }

  /** Lets it wait for `ms` milliseconds, unless it has to go before. */
  async hold(clock: Clock, ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = clock.after(ms, resolve);
    await Promise.race([this.#gone.promise, promise]);
    cancel();
  }
}
