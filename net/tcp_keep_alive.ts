/**
 * TCP keep-alive on the connections of clients and services: who is gone without a word (a cable that was pulled) is found
 * by the system, and does not keep its place for the two hours that are its default.
 *
 * @module
 */

import { TCP_KEEP_ALIVE_PROBES } from "./limits.ts";
import { type KeepAlivePace, setKeepAlive } from "./kernel/socket.ts";
import { socketOf } from "./reset.ts";
import type { Duplex } from "./transport.ts";

/**
 * The pace that finds a peer gone after about `ms` milliseconds of silence: half of that the connection may be silent, and
 * in the other half it is asked. Whole seconds; two in all at least.
 */
export function keepAlivePace(ms: number): KeepAlivePace {
  const seconds = Math.max(2, Math.round(ms / 1_000));
  const probes = Math.min(TCP_KEEP_ALIVE_PROBES, Math.floor(seconds / 2));
  const interval = Math.max(1, Math.floor(seconds / 2 / probes));
  return { idle: seconds - probes * interval, interval, probes };
}

/**
 * Has the system find out whether the peer of a connection is gone, after about `ms` milliseconds; negative: never. Where
 * the system cannot be told (it takes Linux and the permission `ffi`), its own pace holds.
 */
export function watchPeer(duplex: Duplex, ms: number): void {
  const socket = socketOf(duplex);
  if (socket) setKeepAlive(socket, ms < 0 ? undefined : keepAlivePace(ms));
}
