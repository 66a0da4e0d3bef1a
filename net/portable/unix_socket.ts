/**
 * A connection of the runtime's over a Unix socket. The runtime does not say who is at its other end.
 *
 * @module
 */

import { LocalConnection } from "../local_connection.ts";
import type { ListeningSocket, UnixConnection } from "../socket.ts";
import { closeConn } from "./tcp_socket.ts";

/** Wraps a connection, and owns it. */
export class PortableUnixSocket extends LocalConnection implements UnixConnection {
  readonly peer = undefined;
  readonly resets = false;
  readonly #conn: Deno.UnixConn;

  /** Takes over `conn`. */
  constructor(conn: Deno.UnixConn) {
    super();
    this.#conn = conn;
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#conn.read(into);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#conn.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.#conn.closeWrite();
  }

  close(): void {
    closeConn(this.#conn);
  }
}

/** Listens at a path. */
export class PortableUnixListener implements ListeningSocket<UnixConnection> {
  readonly address: { readonly host: string; readonly port: number };
  readonly #listener: Deno.UnixListener;

  /** Takes over `listener`. */
  constructor(listener: Deno.UnixListener, path: string) {
    this.#listener = listener;
    this.address = { host: path, port: 0 };
  }

  async accept(): Promise<UnixConnection> {
    return new PortableUnixSocket(await this.#listener.accept());
  }

  close(): void {
    closeConn(this.#listener);
  }
}
