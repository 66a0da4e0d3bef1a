/**
 * The admin API of a daemon whose configuration may change: served, moved, or ended, while the daemon runs.
 *
 * @module
 */

import type { Change } from "../../reload/change.ts";
import type { AdminWish } from "../options.ts";
import type { AdminServer } from "../serve.ts";

/** Serves an API where it is wanted; `undefined` if it cannot be there and nobody asked for it. */
export type ServeAdmin = (wish: AdminWish) => Promise<AdminServer | undefined>;

/** The API, if there is one. */
export class MovingAdmin {
  readonly #serve: ServeAdmin;
  #server: AdminServer | undefined;

  /** Nothing is served yet; `serve` is called when somebody wants it to be. */
  constructor(serve: ServeAdmin) {
    this.#serve = serve;
  }

  /** Where it is by TCP, if it is. */
  get address(): string | undefined {
    return this.#server?.address;
  }

  /** Serves it. @throws {ConfigError} or {ListenError} if it cannot be had, and somebody asked for it. */
  async start(wish: AdminWish): Promise<void> {
    if (wish.unix || wish.tcp) this.#server = await this.#serve(wish);
  }

  /** Prepares that it is elsewhere. @throws {ConfigError} or {ListenError} if it cannot be there. */
  async prepare(wish: AdminWish): Promise<Omit<Change, "told"> | undefined> {
    if (this.#server) return await this.#server.prepare(wish);
    if (!wish.unix && !wish.tcp) return undefined;
    const server = await this.#serve(wish);
    if (!server) return undefined;
    return { commit: () => void (this.#server = server), undo: () => server.close() };
  }

  /** Ends it. Idempotent. */
  async close(): Promise<void> {
    await this.#server?.close();
  }
}
