/**
 * The end of a connection that is not orderly: its peer sees a reset, so that it does not take a part for the whole.
 *
 * @module
 */

import { closeQuietly } from "./close_quietly.ts";
import { resetSocket, setResetAtClose, unacknowledged } from "./kernel/socket.ts";
import { PrefixedDuplex } from "./prefixed_duplex.ts";
import type { Duplex } from "./transport.ts";

/**
 * Resets a connection; what its peer's system has not acknowledged is lost. Where the system cannot be asked for that, it
 * is closed. Idempotent.
 */
export function resetQuietly(duplex: Duplex | undefined): void {
  if (!duplex) return;
  const socket = socketOf(duplex);
  if (socket) resetSocket(socket);
  else closeQuietly(duplex);
}

/**
 * From now on the end of this process, whatever ends it, is a reset of the connection. Whoever ends the connection in
 * order takes that back first, with {@linkcode endsInOrder} or {@linkcode closeInOrder}.
 */
export function resetsAtExit(duplex: Duplex): void {
  const socket = socketOf(duplex);
  if (socket) setResetAtClose(socket, true);
}

/** From now on the connection ends in order, also with this process: its peer gets all that was written. */
export function endsInOrder(duplex: Duplex): void {
  const socket = socketOf(duplex);
  if (socket) setResetAtClose(socket, false);
}

/** Closes a connection in order: its peer gets all that was written. Idempotent. */
export function closeInOrder(duplex: Duplex | undefined): void {
  if (duplex) endsInOrder(duplex);
  closeQuietly(duplex);
}

/** Bytes that a reset would take from the peer, as its system has not acknowledged them; 0 where that cannot be had. */
export function unacknowledgedBy(duplex: Duplex): number {
  const socket = socketOf(duplex);
  return socket ? unacknowledged(socket) : 0;
}

/** The socket of the runtime under a duplex, if there is one. */
export function socketOf(duplex: Duplex): Deno.TcpConn | undefined {
  const inner = duplex instanceof PrefixedDuplex ? duplex.inner : duplex;
  return "localAddr" in inner ? inner as Deno.TcpConn : undefined;
}
