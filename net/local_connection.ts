/**
 * Connections that are no TCP: Unix sockets, programs, lines, pairs within the process.
 *
 * @module
 */

import type { Connection, Soon } from "./socket.ts";

/** What a client's or a service's connection is without TCP: there is nothing on its way to lose, to ask for, or to keep alive. */
export abstract class LocalConnection implements Connection {
  abstract read(into: Uint8Array): Soon<number | null>;
  abstract write(bytes: Uint8Array): Soon<number>;
  abstract closeWrite(): Promise<void>;
  abstract close(): void;

  reset(): void {
    this.close();
  }

  setResetAtClose(): void {}

  unacknowledged(): number {
    return 0;
  }

  setKeepAlive(): void {}

  keepAlive(): undefined {}

  signs(): undefined {}
}

/** What a call on one fails with when this process has closed it. */
export function closedError(): Error {
  return new Deno.errors.BadResource("the connection is closed");
}
