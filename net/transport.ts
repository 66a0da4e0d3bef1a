/**
 * What a link runs over: a duplex of bytes, and the facts about it.
 *
 * @module
 */

import { type Address, formatAddress } from "../protocol/address.ts";
import { closeQuietly } from "./close_quietly.ts";
import { noteSocket } from "./kernel/descriptors.ts";
import { cutTls } from "./kernel/socket.ts";

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
  readonly duplex: Duplex;
  /** What it runs over. */
  readonly kind: "tcp" | "tls";
  /** This side's address, as text. */
  readonly local: string;
  /** The peer's address, as text. */
  readonly remote: string;
  /** Whether small writes go out at once (TCP_NODELAY); without, they wait for the acknowledgement of earlier ones. */
  readonly noDelay: boolean;
  /**
   * The 32 bytes `tls-exporter` of the connection (RFC 9266): only its two ends have them. To be asked when the handshake of
   * TLS is done; absent, or nothing, where there is no TLS, or one that cannot tell.
   */
  readonly exporter?: () => Uint8Array | undefined;
  /** Closes it at once, also when its peer stands still, as far as the runtime can. Idempotent. */
  cut(): void;
}

/** Sets what every socket of the relay has (TCP_NODELAY, TCP keep-alive), as far as the socket still lives. */
export function tuneSocket(conn: Deno.TcpConn): void {
  noteSocket(conn);
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
  return { ...factsOf(conn), kind: "tcp", noDelay: true, cut: () => closeQuietly(conn) };
}

/** Wraps a TLS connection, which the runtime offers no way to tune: `noDelay` says whether that was done before. */
export function tlsTransport(conn: Deno.TlsConn, noDelay: boolean): Transport {
  return { ...factsOf(conn), kind: "tls", noDelay, cut: () => cutTls(conn) };
}

function factsOf(conn: Deno.Conn<Deno.NetAddr>): Pick<Transport, "duplex" | "local" | "remote"> {
  return { duplex: conn, local: formatNetAddr(conn.localAddr), remote: formatNetAddr(conn.remoteAddr) };
}

/** An address of the runtime as `HOST:PORT`. */
export function formatNetAddr(addr: Deno.NetAddr): string {
  return formatAddress(toAddress(addr));
}

/** An address of the runtime as host and port. */
export function toAddress(addr: Deno.NetAddr): Address {
  return { host: addr.hostname, port: addr.port };
}

export { closeQuietly };
