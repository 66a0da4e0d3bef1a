/**
 * The server as a library: `serve(options)` and its handle.
 *
 * @module
 */

import { Emitter } from "../net/emitter.ts";
import { SHUTDOWN_TIMEOUT_MS } from "../net/limits.ts";
import type { ServerEvent } from "./events.ts";
import { LinkListener } from "./link_listener.ts";
import { type ServeOptions, serverSettings } from "./options.ts";

/** A running server. */
export interface ServerHandle extends AsyncDisposable {
  /** Resolves when every listener for devices is bound; rejects with a `ListenError` if one cannot be. */
  readonly ready: Promise<void>;
  /** The addresses really bound for devices, in the order of the options. */
  readonly addresses: readonly string[];
  /** Resolves when nothing of the server is left. */
  readonly closed: Promise<void>;
  /** Calls `subscriber` for every event from now on. @returns what ends that. */
  subscribe(subscriber: (event: ServerEvent) => void): () => void;
  /** Ends in order: no new clients, CLOSE for each, what came is delivered; after 5 s at the latest, at once. */
  shutdown(): Promise<void>;
  /** Ends at once. Idempotent. */
  close(): void;
}

/**
 * Starts a server. Devices dial its listeners; while one is linked, its clients connect to the host addresses.
 *
 * @example
 * ```ts
 * import { serve } from "./server.ts";
 *
 * const server = serve({
 *   listen: [{
 *     profile: "v1",
 *     address: { host: "127.0.0.1", port: 0 },
 *     forwards: [{
 *       hostAddress: { host: "127.0.0.1", port: 0 },
 *       localAddress: { host: "127.0.0.1", port: 22 },
 *     }],
 *   }],
 * });
 * await server.ready;
 * await server.shutdown();
 * ```
 */
export function serve(options: ServeOptions): ServerHandle {
  const settings = serverSettings(options);
  const emitter = new Emitter<ServerEvent>(settings.logger);
  const listeners: LinkListener[] = [];
  const closed = Promise.withResolvers<void>();

  const close = () => {
    for (const listener of listeners) listener.close();
    Promise.all(listeners.map((listener) => listener.ended())).then(() => closed.resolve());
  };
  const shutdown = async () => {
    const cancel = settings.clock.after(SHUTDOWN_TIMEOUT_MS, close);
    await Promise.all(listeners.map((listener) => listener.shutdown()));
    cancel();
    close();
    await closed.promise;
  };
  // In a turn of its own, so that whoever subscribes to the handle hears of the first listener.
  const ready = Promise.resolve().then(() => {
    for (const listen of settings.listen) {
      listeners.push(new LinkListener(listen, settings, (event) => emitter.emit(event)));
    }
  }).catch((error: unknown) => {
    close();
    throw error;
  });
  ready.catch(() => {}); // whoever does not wait for it sees `closed`

  return {
    ready,
    get addresses() {
      return listeners.map((listener) => listener.address);
    },
    closed: closed.promise,
    subscribe: (subscriber) => emitter.subscribe(subscriber),
    shutdown,
    close,
    [Symbol.asyncDispose]: shutdown,
  };
}
