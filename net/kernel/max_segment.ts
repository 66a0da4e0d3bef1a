/**
 * Smaller segments for a connection: what both sides put into a packet of TCP.
 *
 * The option for that (`TCP_MAXSEG`) holds for a socket that is about to connect, and the runtime makes and connects its
 * sockets in one step. So the socket is disconnected and connected once more. What it says in its SYN then binds the other
 * side, too. Takes the permission `ffi`, and Linux.
 *
 * @module
 */

import { type Clock, sleep } from "../../base/clock.ts";
import { descriptorOf, reboundSocket } from "./descriptors.ts";
import { type Calls, IPPROTO_TCP, libc, SOCKADDR_SIZE, SOL_SOCKET } from "./libc.ts";

const AF_UNSPEC = 0;
const SO_ERROR = 4;
const TCP_MAXSEG = 2;
const POLLOUT = 4;

/** Milliseconds between two looks at a socket that connects. */
const LOOK_MS = 5;

/**
 * Connects `conn`, on which nothing was sent yet, once more, with segments of `bytes` at most either way. It has another
 * port then than `conn.localAddr` says: with the same one, the server could take the end of the first connection for that
 * of the second. Whoever gives up closes it, and aborts `signal`.
 *
 * @returns whether that was done; if not, it is as it was.
 * @throws {Error} if the server does not take the connection a second time; the signal's reason when it aborts.
 */
export async function limitSegment(
  conn: Deno.TcpConn,
  bytes: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<boolean> {
  const calls = libc();
  const fd = calls && descriptorOf(conn);
  if (!calls || fd === undefined || !reconnect(calls, fd, bytes)) return false;
  reboundSocket(conn);
  const asked = new Uint8Array(8); // struct pollfd
  const view = new DataView(asked.buffer);
  for (;;) {
    new Int32Array(asked.buffer, 0, 1)[0] = fd;
    new Int16Array(asked.buffer, 4, 2).set([POLLOUT, 0]);
    if (calls.poll(asked, 1n, 0) > 0 && view.getInt16(6) !== 0) break;
    await sleep(clock, LOOK_MS, signal);
    signal.throwIfAborted(); // it may be closed, and its number another's
  }
  const error = optionOf(calls, fd, SOL_SOCKET, SO_ERROR);
  if (error !== 0) throw new Error(`cannot connect with smaller segments (os error ${error})`);
  return true;
}

/** Disconnects and connects, without a turn of the event loop in between, to which the socket would seem closed. */
function reconnect(calls: Calls, fd: number, bytes: number): boolean {
  const remote = new Uint8Array(SOCKADDR_SIZE);
  const size = Uint32Array.of(SOCKADDR_SIZE);
  if (calls.getpeername(fd, remote, size) !== 0) return false;
  const length = size[0]!;
  const none = new Uint8Array(SOCKADDR_SIZE);
  new Uint16Array(none.buffer)[0] = AF_UNSPEC;
  if (calls.connect(fd, none, length) !== 0) return false;
  const value = new Uint8Array(Int32Array.of(bytes).buffer);
  calls.setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, value, value.length);
  calls.connect(fd, remote, length);
  return true;
}

/** The largest segment that a connection of this process sends now, in bytes; `undefined` where that cannot be asked. */
export function segmentOf(conn: Deno.Conn<Deno.NetAddr>): number | undefined {
  const calls = libc();
  const fd = calls && descriptorOf(conn);
  return calls && fd !== undefined ? optionOf(calls, fd, IPPROTO_TCP, TCP_MAXSEG) : undefined;
}

function optionOf(calls: Calls, fd: number, level: number, option: number): number {
  const value = new Int32Array(1);
  calls.getsockopt(fd, level, option, value, Uint32Array.of(4));
  return value[0]!;
}
