/**
 * A service at a Unix socket.
 *
 * @module
 */

import { Stream } from "./stream.ts";
import { within } from "./wait.ts";

/** Takes connections one by one, for the test that asks for them. */
export class UnixService implements Disposable {
  readonly #listener: Deno.UnixListener;

  /** Listens at once. */
  constructor(path: string) {
    this.#listener = Deno.listen({ transport: "unix", path });
  }

  /** The next connection. */
  async accept(): Promise<Stream> {
    return unixStream(await within(this.#listener.accept(), "a connection to the socket"));
  }

  [Symbol.dispose](): void {
    this.#listener.close();
  }
}

/** Connects to a Unix socket. */
export async function connectUnix(path: string): Promise<Stream> {
  return unixStream(await within(Deno.connect({ transport: "unix", path }), `a connection to ${path}`));
}

/** Streams only read, write and close. */
function unixStream(conn: Deno.UnixConn): Stream {
  return new Stream(conn as unknown as Deno.TcpConn);
}
