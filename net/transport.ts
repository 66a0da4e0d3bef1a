/**
 * What a link runs over: a duplex of bytes, and the facts about it.
 *
 * @module
 */

import { type Address, formatAddress } from "../protocol/address.ts";

/** A duplex of bytes. `Deno.Conn` is one as it is, so the hot path has no wrapper. */
export interface Duplex {
  /** Reads into `into`. @returns the number of bytes, or `null` at the end. */
  read(into: Uint8Array): Promise<number | null>;
  /** Writes some of `bytes`. @returns how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends the writing side. */
  closeWrite(): Promise<void>;
  /** Closes both sides; a pending read or write fails. */
  close(): void;
}

/** A duplex and what is known of it. */
export interface Transport {
  /** The bytes. */
  readonly duplex: Duplex;
  /** What it runs over. */
  readonly kind: "tcp" | "tls";
  /** This side's address, as text. */
  readonly local: string;
  /** The peer's address, as text. */
  readonly remote: string;
}

/** Sets what every socket of the relay has (TCP_NODELAY, TCP keep-alive), as far as the socket still lives. */
export function tuneSocket(conn: Deno.TcpConn): void {
  try {
    conn.setNoDelay(true);
    conn.setKeepAlive(true);
  } catch {
    // The peer has gone already; the first read says so.
  }
}

/** Wraps a TCP connection and tunes it. */
export function tcpTransport(conn: Deno.TcpConn): Transport {
  tuneSocket(conn);
  return { duplex: conn, kind: "tcp", local: formatNetAddr(conn.localAddr), remote: formatNetAddr(conn.remoteAddr) };
}

/** Wraps a TLS connection. The runtime offers no way to tune it: whoever dials tunes the socket before TLS begins. */
export function tlsTransport(conn: Deno.TlsConn): Transport {
  return { duplex: conn, kind: "tls", local: formatNetAddr(conn.localAddr), remote: formatNetAddr(conn.remoteAddr) };
}

/** An address of the runtime as `HOST:PORT`. */
export function formatNetAddr(addr: Deno.NetAddr): string {
  return formatAddress(toAddress(addr));
}

/** An address of the runtime as host and port. */
export function toAddress(addr: Deno.NetAddr): Address {
  return { host: addr.hostname, port: addr.port };
}

/** Closes what may be closed already. */
export function closeQuietly(closer: { close(): void } | undefined): void {
  try {
    closer?.close();
  } catch {
    // Closed before, by the peer's reset or by a shutdown: there is nothing left to close.
  }
}
