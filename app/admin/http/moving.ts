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
  readonly #tell: (server: AdminServer) => void;
  #server: AdminServer | undefined;
  #starting: Promise<void> = Promise.resolve();
  #isClosed = false;

  /** Nothing is served yet: `serve` is called when somebody wants it to be, and `tell` when it is at another address. */
  constructor(serve: ServeAdmin, tell: (server: AdminServer) => void) {
    this.#serve = serve;
    this.#tell = tell;
  }

  /** Where it is by TCP, if it is. */
  get address(): string | undefined {
    return this.#server?.address;
  }

  /** Serves it. @throws {ConfigError} or {ListenError} if it cannot be had, and somebody asked for it. */
  start(wish: AdminWish): Promise<void> {
    const started = (async () => await (await this.#first(wish))?.commit())();
    this.#starting = started.catch(() => {}); // whoever starts it hears why
    return started;
  }

  /** Prepares that it is elsewhere, once it has started. @throws {ConfigError} or {ListenError} if it cannot be there. */
  async prepare(wish: AdminWish): Promise<Omit<Change, "told"> | undefined> {
    await this.#starting;
    return await (this.#server ? this.#moved(this.#server, wish) : this.#first(wish));
  }

  /** Ends it, and what is about to be. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#server?.close();
  }

  async #first(wish: AdminWish): Promise<Omit<Change, "told"> | undefined> {
    if (!wish.unix && !wish.tcp) return undefined;
    const server = await this.#serve(wish);
    if (!server) return undefined;
    const undo = () => server.close();
    const commit = async () => {
      if (this.#isClosed) return await undo();
      this.#server = server;
      this.#tell(server);
    };
    return { commit, undo };
  }

  async #moved(server: AdminServer, wish: AdminWish): Promise<Omit<Change, "told"> | undefined> {
    const before = server.address;
    const prepared = await server.prepare(wish);
    return prepared && {
      ...prepared,
      commit: async () => {
        await prepared.commit();
        if (server.address !== before && !this.#isClosed) this.#tell(server);
      },
    };
  }
}
