/**
 * A TCP connection of the runtime's.
 *
 * The runtime closes it in order whatever happens, and tells nothing of what the system knows of it: so a reset is an
 * orderly end here, and the system's own pace of keep-alive holds.
 *
 * @module
 */

import type { Address } from "../../protocol/address.ts";
import type { KeepAlivePace, PeerSigns, Socket } from "../socket.ts";

/** Wraps a connection, and owns it. */
export class PortableSocket implements Socket {
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  readonly conn: Deno.TcpConn;
  readonly resets = false;

  /** Takes over `conn`, and tunes it: TCP_NODELAY, TCP keep-alive. */
  constructor(conn: Deno.TcpConn) {
    this.conn = conn;
    this.localAddress = toAddress(conn.localAddr);
    this.remoteAddress = toAddress(conn.remoteAddr);
    try {
      conn.setNoDelay(true);
      conn.setKeepAlive(true);
    } catch {
      // The peer has gone already; the first read says so.
    }
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.conn.read(into);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.conn.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.conn.closeWrite();
  }

  close(): void {
    closeConn(this.conn);
  }

  reset(): void {
    closeConn(this.conn);
  }

  setResetAtClose(): void {}

  unacknowledged(): number {
    return 0;
  }

  setKeepAlive(pace: KeepAlivePace | undefined): void {
    try {
      this.conn.setKeepAlive(pace !== undefined);
    } catch {
      // It is closed.
    }
  }

  keepAlive(): undefined {}

  signs(): PeerSigns | undefined {
    return undefined;
  }

  tcp(): undefined {}
}

/** Closes what may be closed already, by the peer's reset or by a shutdown. */
export function closeConn(conn: { close(): void }): void {
  try {
    conn.close();
  } catch {
    // Nothing is left to close.
  }
}

/** An address of the runtime as host and port. */
export function toAddress({ hostname, port }: Deno.NetAddr): Address {
  return { host: hostname, port };
}
