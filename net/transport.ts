/**
 * What a link runs over: a duplex of bytes, and the facts about it.
 *
 * @module
 */

import { formatAddress } from "../protocol/address.ts";
import type { Duplex, Socket, TlsSocket } from "./socket.ts";

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
  /** When the peer's certificate ends; see {@linkcode TlsSocket.peerEnds}. Absent where there is no TLS. */
  readonly peerEnds?: () => number | undefined;
  /** Closes it at once, also when its peer stands still, as far as the engine can. Idempotent. */
  cut(): void;
}

/** A transport over TCP. */
export interface SocketTransport extends Transport {
  readonly duplex: Socket;
}

/** A TCP connection. */
export function tcpTransport(socket: Socket): SocketTransport {
  return {
    ...factsOf(socket),
    duplex: socket,
    kind: "tcp",
    noDelay: true,
    cut: () => socket.unacknowledged() > 0 ? socket.reset() : socket.close(), // else the system would keep it for minutes
  };
}

/** A TLS connection. */
export function tlsTransport(socket: TlsSocket): Transport {
  return {
    ...factsOf(socket),
    kind: "tls",
    noDelay: socket.noDelay,
    exporter: () => socket.exporter(),
    peerEnds: () => socket.peerEnds(),
    cut: () => socket.cut(),
  };
}

function factsOf(socket: Socket | TlsSocket): Pick<Transport, "duplex" | "local" | "remote"> {
  return { duplex: socket, local: formatAddress(socket.localAddress), remote: formatAddress(socket.remoteAddress) };
}
