/**
 * What the runtime does not let one do with a socket: reset it, end it when its peer in TLS stands still, and set options.
 *
 * Closing a `Deno.Conn` always ends it in order, also with bytes unread. And closing a `Deno.TlsConn` is not enough: the
 * runtime first finishes the handshake, or sends what is queued, however long the peer takes, and keeps the socket until
 * then. A peer that sends nothing could so hold sockets of this process for ever. Shutting the socket down underneath
 * wakes the runtime, which then lets go of it. All of that takes system calls (`libc.ts`); without them a reset is an
 * orderly end, a silent peer keeps its socket, and the system's own pace of keep-alive holds.
 *
 * @module
 */

import { closeQuietly } from "../close_quietly.ts";
import { descriptorOf, type Socket } from "./descriptors.ts";
import { type Calls, IPPROTO_TCP, libc, SOL_SOCKET } from "./libc.ts";

const AF_UNSPEC = new Uint8Array(16); // a `struct sockaddr` of no family
const SHUT_RDWR = 2;
const SO_KEEPALIVE = 9;
const SO_LINGER = 13;
const TCP_NODELAY = 1;
const TCP_KEEPIDLE = 4;
const TCP_KEEPINTVL = 5;
const TCP_KEEPCNT = 6;
const TCP_INFO = 11;
const SIOCOUTQ = 0x5411n;

/** Whether sockets can be cut and reset here; where not, a closed one ends in order, and as late as its peer wants. */
export function canCut(): boolean {
  return libc() !== undefined;
}

/** Closes `conn` and, as far as the runtime lets us, its socket at once, whatever its peer does. Idempotent. */
export function cutTls(conn: Deno.TlsConn): void {
  withSocket(conn, (fd, { shutdown }) => shutdown(fd, SHUT_RDWR));
  closeQuietly(conn);
}

/**
 * Resets a connection: its peer's reads and writes fail, and what was not sent is lost. Where that cannot be done, it is
 * closed. Idempotent.
 */
export function resetSocket(conn: Deno.TcpConn): void {
  withSocket(conn, (fd, { connect }) => connect(fd, AF_UNSPEC, AF_UNSPEC.length));
  closeQuietly(conn);
}

/**
 * Sets what the end of the socket is, if nothing else ends it: a reset, which loses what was not sent, or an orderly end.
 */
export function setResetAtClose(socket: Socket, isReset: boolean): void {
  const linger = isReset ? RESET : IN_ORDER;
  withSocket(socket, (fd, { setsockopt }) => setsockopt(fd, SOL_SOCKET, SO_LINGER, linger, linger.length));
}

/** A `struct linger` of no time. */
const RESET = new Uint8Array(Int32Array.of(1, 0).buffer);
const IN_ORDER = new Uint8Array(8);

/** Bytes that the peer's system has not acknowledged, the end of writing included; 0 where that cannot be had. */
export function unacknowledged(conn: Deno.TcpConn): number {
  count[0] = 0;
  withSocket(conn, (fd, { ioctl }) => ioctl(fd, SIOCOUTQ, count));
  return count[0];
}

const count = new Int32Array(1);

/**
 * Sets TCP_NODELAY and TCP keep-alive on a connection, or on a listening socket, whose connections inherit them.
 *
 * @returns whether it was done.
 */
export function tuneNatively(socket: Socket): boolean {
  return withSocket(socket, (fd, { setsockopt }) => {
    const set = (level: number, option: number, value: number) => {
      int[0] = value;
      return setsockopt(fd, level, option, intBytes, 4) === 0;
    };
    return set(IPPROTO_TCP, TCP_NODELAY, 1) && set(SOL_SOCKET, SO_KEEPALIVE, 1);
  }) ?? false;
}

/** When the system asks a silent peer, and gives it up. */
export interface KeepAlivePace {
  /** Seconds of silence before the first probe (`TCP_KEEPIDLE`). */
  readonly idle: number;
  /** Seconds between two probes (`TCP_KEEPINTVL`). */
  readonly interval: number;
  /** Probes without an answer (`TCP_KEEPCNT`). */
  readonly probes: number;
}

/** Sets when TCP keep-alive gives a silent peer up, or that it never does. */
export function setKeepAlive(socket: Socket, pace: KeepAlivePace | undefined): void {
  withSocket(socket, (fd, { setsockopt }) => {
    const set = (level: number, option: number, value: number) => {
      int[0] = value;
      setsockopt(fd, level, option, intBytes, 4);
    };
    set(SOL_SOCKET, SO_KEEPALIVE, pace ? 1 : 0);
    if (!pace) return;
    set(IPPROTO_TCP, TCP_KEEPIDLE, pace.idle);
    set(IPPROTO_TCP, TCP_KEEPINTVL, pace.interval);
    set(IPPROTO_TCP, TCP_KEEPCNT, pace.probes);
  });
}

/** What {@linkcode setKeepAlive} has set, as the system has it; `undefined` if keep-alive is off, or cannot be asked for. */
export function keepAliveOf(socket: Socket): KeepAlivePace | undefined {
  return withSocket(socket, (fd, { getsockopt }) => {
    const get = (level: number, option: number) => {
      const value = new Int32Array(1);
      getsockopt(fd, level, option, new Uint8Array(value.buffer), Uint32Array.of(4));
      return value[0]!;
    };
    if (get(SOL_SOCKET, SO_KEEPALIVE) === 0) return undefined;
    return {
      idle: get(IPPROTO_TCP, TCP_KEEPIDLE),
      interval: get(IPPROTO_TCP, TCP_KEEPINTVL),
      probes: get(IPPROTO_TCP, TCP_KEEPCNT),
    };
  });
}

/** What the system has seen of a connection's peer. */
export interface PeerSigns {
  /** Times in a row that it was sent the same again, or asked whether it takes more, and did not answer. */
  readonly unanswered: number;
  /** Milliseconds since anything came from it. */
  readonly silent: number;
}

/** What the system has seen of a connection's peer; `undefined` where that cannot be had. */
export function signsOf(conn: Deno.TcpConn): PeerSigns | undefined {
  return withSocket(conn, (fd, { getsockopt }) => {
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, Uint32Array.of(info.length)) !== 0) return undefined;
    const at = (offset: number) => infoView.getUint32(offset, IS_LITTLE_ENDIAN);
    return { unanswered: Math.max(info[2]!, info[3]!), silent: Math.min(at(52), at(56)) };
  });
}

/** The beginning of a `struct tcp_info`, to `tcpi_last_ack_recv`. */
const info = new Uint8Array(60);
const infoView = new DataView(info.buffer);
const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Of `tcpi_bytes_received` in a `struct tcp_info` (Linux 4.1). */
const RECEIVED_AT = 128;

/**
 * Whether the peer of a connection that has ended sent anything before its end: of a handshake that failed, the runtime
 * does not tell. Where that cannot be had, the answer is no.
 */
export function hasReceived(conn: Socket): boolean {
  return withSocket(conn, (fd, { getsockopt }) => {
    const counts = new BigUint64Array((RECEIVED_AT + 8) / 8);
    const size = Uint32Array.of(counts.byteLength);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, new Uint8Array(counts.buffer), size) !== 0) return false;
    return size[0] === counts.byteLength && counts[RECEIVED_AT / 8]! > 1n; // its end counts as one
  }) ?? false;
}

function withSocket<T>(socket: Socket, use: (fd: number, calls: Calls) => T): T | undefined {
  const calls = libc();
  const fd = calls && descriptorOf(socket);
  return fd === undefined ? undefined : use(fd, calls!);
}

/** The value of an option, for one call. */
const int = new Int32Array(1);
const intBytes = new Uint8Array(int.buffer);
