/**
 * Options of a socket, by the kernel's own numbers (x86-64 and arm64 have the same).
 *
 * @module
 */

import { IPPROTO_TCP, IS_LITTLE_ENDIAN, SOL_SOCKET } from "../kernel/libc.ts";
import type { SocketCalls } from "./calls.ts";
import type { KeepAlivePace, PeerSigns } from "../socket.ts";

const SO_REUSEADDR = 2;
const SO_ERROR = 4;
const SO_KEEPALIVE = 9;
const SO_LINGER = 13;
const TCP_NODELAY = 1;
const TCP_MAXSEG = 2;
const TCP_KEEPIDLE = 4;
const TCP_KEEPINTVL = 5;
const TCP_KEEPCNT = 6;
const TCP_INFO = 11;
const SIOCOUTQ = 0x5411n;

/** The beginning of a `struct tcp_info`, to `tcpi_last_ack_recv`. */
const info = new Uint8Array(60);
const infoView = new DataView(info.buffer);

const value = new Int32Array(2);
const valueBytes = new Uint8Array(value.buffer);
const one = valueBytes.subarray(0, 4);
const size = new Uint32Array(1);

function set(calls: SocketCalls, fd: number, level: number, option: number, to: number): boolean {
  value[0] = to;
  return calls.setsockopt(fd, level, option, one, 4) === 0;
}

function get(calls: SocketCalls, fd: number, level: number, option: number): number {
  value[0] = 0;
  size[0] = 4;
  calls.getsockopt(fd, level, option, one, size);
  return value[0];
}

/** The address may be bound again while connections of an earlier socket linger. */
export function setReuseAddress(calls: SocketCalls, fd: number): void {
  set(calls, fd, SOL_SOCKET, SO_REUSEADDR, 1);
}

/** Small writes go out at once, and the system looks after a silent peer. Accepted connections inherit both. */
export function tune(calls: SocketCalls, fd: number): void {
  set(calls, fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set(calls, fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

/** Segments of `bytes` at most either way, for a socket that is to connect. */
export function setMaxSegment(calls: SocketCalls, fd: number, bytes: number): void {
  set(calls, fd, IPPROTO_TCP, TCP_MAXSEG, bytes);
}

/** The largest segment that is sent now, in bytes. */
export function segmentOf(calls: SocketCalls, fd: number): number {
  return get(calls, fd, IPPROTO_TCP, TCP_MAXSEG);
}

/** What a socket failed with since this was asked last; 0: nothing. */
export function takeError(calls: SocketCalls, fd: number): number {
  return get(calls, fd, SOL_SOCKET, SO_ERROR);
}

/** Whether a close resets. */
export function setLinger(calls: SocketCalls, fd: number, isReset: boolean): void {
  value[0] = isReset ? 1 : 0; // struct linger: on, seconds
  value[1] = 0;
  calls.setsockopt(fd, SOL_SOCKET, SO_LINGER, valueBytes, 8);
}

/** Sets when TCP keep-alive gives a silent peer up, or that it never does. */
export function setKeepAlive(calls: SocketCalls, fd: number, pace: KeepAlivePace | undefined): void {
  set(calls, fd, SOL_SOCKET, SO_KEEPALIVE, pace ? 1 : 0);
  if (!pace) return;
  set(calls, fd, IPPROTO_TCP, TCP_KEEPIDLE, pace.idle);
  set(calls, fd, IPPROTO_TCP, TCP_KEEPINTVL, pace.interval);
  set(calls, fd, IPPROTO_TCP, TCP_KEEPCNT, pace.probes);
}

/** What {@linkcode setKeepAlive} has set; `undefined` if keep-alive is off. */
export function keepAliveOf(calls: SocketCalls, fd: number): KeepAlivePace | undefined {
  if (get(calls, fd, SOL_SOCKET, SO_KEEPALIVE) === 0) return undefined;
  return {
    idle: get(calls, fd, IPPROTO_TCP, TCP_KEEPIDLE),
    interval: get(calls, fd, IPPROTO_TCP, TCP_KEEPINTVL),
    probes: get(calls, fd, IPPROTO_TCP, TCP_KEEPCNT),
  };
}

/** Bytes that were not acknowledged, the end of writing included. */
export function outstanding(calls: SocketCalls, fd: number): number {
  value[0] = 0;
  calls.ioctl(fd, SIOCOUTQ, one);
  return value[0];
}

/** What the system has seen of the peer. */
export function signsOf(calls: SocketCalls, fd: number): PeerSigns | undefined {
  size[0] = info.length;
  if (calls.getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, size) !== 0) return undefined;
  const at = (offset: number) => infoView.getUint32(offset, IS_LITTLE_ENDIAN);
  return { unanswered: Math.max(info[2]!, info[3]!), silent: Math.min(at(52), at(56)) };
}
