/**
 * Options of a socket, by the kernel's own numbers (x86-64 and arm64 have the same).
 *
 * @module
 */

import { IPPROTO_TCP, IS_LITTLE_ENDIAN, SOL_SOCKET } from "../kernel/libc.ts";
import type { SocketCalls } from "./calls.ts";
import type { KeepAlivePace, PeerSigns, TcpFacts } from "../socket.ts";

const SO_REUSEADDR = 2;
const SO_ERROR = 4;
const SO_RCVBUF = 8;
const SO_KEEPALIVE = 9;
const SO_LINGER = 13;
const IPPROTO_IP = 0;
const IPPROTO_IPV6 = 41;
const IP_PKTINFO = 8;
const IPV6_RECVPKTINFO = 49;
const TCP_NODELAY = 1;
const TCP_MAXSEG = 2;
const TCP_KEEPIDLE = 4;
const TCP_KEEPINTVL = 5;
const TCP_KEEPCNT = 6;
const TCP_INFO = 11;
const SO_MEMINFO = 55;
/** Where the ninth of its numbers stands. */
const MEMINFO_DROPS = 32;
const TCP_CLOSE = 7;
const SIOCOUTQ = 0x5411n;

/** A `struct tcp_info` to `tcpi_delivery_rate`. Kernels before 4.9 fill less of it: what there is, is told by its length. */
const info = new Uint8Array(168);
const infoView = new DataView(info.buffer);

const value = new Int32Array(2);
const valueBytes = new Uint8Array(value.buffer);
const one = valueBytes.subarray(0, 4);
const size = new Uint32Array(1);

function set(calls: SocketCalls, fd: number, level: number, option: number, to: number): boolean {
  value[0] = to;
  return calls.setsockopt(fd, level, option, one, 4) === 0;
}

/** A value; -1 if the system does not say. */
function get(calls: SocketCalls, fd: number, level: number, option: number): number {
  value[0] = 0;
  size[0] = 4;
  return calls.getsockopt(fd, level, option, one, size) === 0 ? value[0] : -1;
}

/** The address may be bound again while connections of an earlier socket linger. */
export function setReuseAddress(calls: SocketCalls, fd: number): void {
  set(calls, fd, SOL_SOCKET, SO_REUSEADDR, 1);
}

/** The system keeps so many bytes that nobody has read, if its own bound allows. */
export function setReceiveBuffer(calls: SocketCalls, fd: number, bytes: number): void {
  set(calls, fd, SOL_SOCKET, SO_RCVBUF, bytes);
}

/** Datagrams that the system dropped as nobody had room for them in time; 0 if it does not say (Linux before 4.12). */
export function droppedUnread(calls: SocketCalls, fd: number): number {
  size[0] = info.length;
  const isTold = calls.getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, size) === 0 && size[0] >= MEMINFO_DROPS + 4;
  return isTold ? infoAt(MEMINFO_DROPS) : 0;
}

/** Each message that comes says to which of this machine's addresses (`IP_PKTINFO`, `IPV6_RECVPKTINFO`). */
export function tellLocalAddress(calls: SocketCalls, fd: number, isV6: boolean): void {
  set(calls, fd, isV6 ? IPPROTO_IPV6 : IPPROTO_IP, isV6 ? IPV6_RECVPKTINFO : IP_PKTINFO, 1);
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

/** What a socket failed with since this was asked last; 0: nothing. */
export function takeError(calls: SocketCalls, fd: number): number {
  return Math.max(0, get(calls, fd, SOL_SOCKET, SO_ERROR));
}

/** Whether a close resets. */
export function setLinger(calls: SocketCalls, fd: number, isReset: boolean): void {
  value[0] = isReset ? 1 : 0; // struct linger: on, seconds
  value[1] = 0;
  calls.setsockopt(fd, SOL_SOCKET, SO_LINGER, valueBytes, 8);
}

/** Sets when TCP keep-alive gives a silent peer up, or that it never does. @returns whether all of it was set. */
export function setKeepAlive(calls: SocketCalls, fd: number, pace: KeepAlivePace | undefined): boolean {
  if (!pace) return set(calls, fd, SOL_SOCKET, SO_KEEPALIVE, 0);
  let isSet = set(calls, fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  isSet = set(calls, fd, IPPROTO_TCP, TCP_KEEPIDLE, pace.idle) && isSet;
  isSet = set(calls, fd, IPPROTO_TCP, TCP_KEEPINTVL, pace.interval) && isSet;
  return set(calls, fd, IPPROTO_TCP, TCP_KEEPCNT, pace.probes) && isSet;
}

/** What {@linkcode setKeepAlive} has set; `undefined` if the system does not say. */
export function keepAliveOf(calls: SocketCalls, fd: number): KeepAlivePace | "off" | undefined {
  const isOn = get(calls, fd, SOL_SOCKET, SO_KEEPALIVE);
  if (isOn <= 0) return isOn < 0 ? undefined : "off";
  const idle = get(calls, fd, IPPROTO_TCP, TCP_KEEPIDLE);
  const interval = get(calls, fd, IPPROTO_TCP, TCP_KEEPINTVL);
  const probes = get(calls, fd, IPPROTO_TCP, TCP_KEEPCNT);
  return Math.min(idle, interval, probes) < 0 ? undefined : { idle, interval, probes };
}

/** Bytes that were not acknowledged, the end of writing included. */
export function outstanding(calls: SocketCalls, fd: number): number {
  value[0] = 0;
  calls.ioctl(fd, SIOCOUTQ, one);
  return value[0];
}

/** What the system has seen of the peer. */
export function signsOf(calls: SocketCalls, fd: number): PeerSigns | undefined {
  if (readInfo(calls, fd) < LAST_ACK_RECV + 4) return undefined;
  const silent = Math.min(infoAt(LAST_DATA_RECV), infoAt(LAST_ACK_RECV));
  return { unanswered: Math.max(info[RETRANSMITS]!, info[PROBES]!), silent };
}

/** Whether a connection is over both ways, by a reset or by both its ends. */
export function isClosed(calls: SocketCalls, fd: number): boolean {
  return readInfo(calls, fd) > STATE && info[STATE] === TCP_CLOSE;
}

/** What the system says of a connection. */
export function tcpFactsOf(calls: SocketCalls, fd: number): TcpFacts | undefined {
  const length = readInfo(calls, fd);
  if (length < RTTVAR + 4) return undefined;
  return {
    roundTrip: infoAt(RTT) / 1_000,
    roundTripVariation: infoAt(RTTVAR) / 1_000,
    retransmits: length < TOTAL_RETRANS + 4 ? undefined : infoAt(TOTAL_RETRANS),
    segment: infoAt(SND_MSS),
    pathMtu: infoAt(PMTU),
    unacknowledged: infoAt(UNACKED),
    deliveryRate: length < DELIVERY_RATE + 8
      ? undefined
      : Number(infoView.getBigUint64(DELIVERY_RATE, IS_LITTLE_ENDIAN)),
  };
}

// Where the fields of a `struct tcp_info` begin.
const STATE = 0;
const RETRANSMITS = 2;
const PROBES = 3;
const SND_MSS = 16;
const UNACKED = 24;
const LAST_DATA_RECV = 52;
const LAST_ACK_RECV = 56;
const PMTU = 60;
const RTT = 68;
const RTTVAR = 72;
const TOTAL_RETRANS = 100;
const DELIVERY_RATE = 160;

/** Has the system fill {@linkcode info}. @returns how many bytes of it are filled. */
function readInfo(calls: SocketCalls, fd: number): number {
  size[0] = info.length;
  return calls.getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, size) === 0 ? size[0] : 0;
}

function infoAt(offset: number): number {
  return infoView.getUint32(offset, IS_LITTLE_ENDIAN);
}
