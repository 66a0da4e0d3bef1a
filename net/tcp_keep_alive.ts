/**
 * TCP keep-alive on the connections of clients and services: who is gone without a word (a cable that was pulled) is found
 * by the system, and does not keep its place for the two hours that are its default.
 *
 * The system asks only those who have acknowledged everything. A peer with bytes under way it gives up after a quarter of
 * an hour, so that one is looked at here. TCP_USER_TIMEOUT, which would shorten that, also ends peers that answer, and
 * take nothing just then (a pager that stands still).
 *
 * @module
 */

import { MIN_TCP_KEEP_ALIVE_MS, PEER_LOOKS, PEER_TRIES, TCP_KEEP_ALIVE_PROBES } from "./limits.ts";
import type { Clock } from "../base/clock.ts";
import type { Socket } from "./kernel/descriptors.ts";
import { canCut, type KeepAlivePace, setKeepAlive, signsOf, unacknowledged } from "./kernel/socket.ts";
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
 * Has the system find out whether the peer of a connection, or of those that a listener accepts, is gone, after about `ms`
 * milliseconds; negative: never. Where the system cannot be told (it takes Linux and the permission `ffi`), its own pace
 * holds.
 */
export function keepAlive(socket: Socket, ms: number): void {
  setKeepAlive(socket, ms < 0 ? undefined : keepAlivePace(ms));
}

/** Finds out whether the peer of one connection is gone, also while bytes are under way to it. */
export class PeerWatch {
  readonly #socket: Deno.TcpConn;
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #onGone: () => void;
  #looks = false;
  #cancelled = false;
  #cancel: () => void = () => {};

  private constructor(socket: Deno.TcpConn, ms: number, clock: Clock, onGone: () => void) {
    this.#socket = socket;
    this.#clock = clock;
    this.#ms = ms;
    this.#onGone = onGone;
  }

  /**
   * Starts to watch, if `ms` is not negative; see {@linkcode keepAlive}.
   *
   * @param inherits Whether it was accepted by a listener with the same `ms`.
   * @returns nothing where only the system watches.
   */
  static start(
    duplex: Duplex,
    ms: number,
    inherits: boolean,
    clock: Clock,
    onGone: () => void,
  ): PeerWatch | undefined {
    const socket = socketOf(duplex);
    if (!socket) return undefined;
    if (!inherits || ms < 0) keepAlive(socket, ms); // who is tuned has it turned on, at the pace it was accepted with
    return ms >= 0 && canCut() ? new PeerWatch(socket, ms, clock, onGone) : undefined;
  }

  /** Something is on its way to the peer: looks now and then, until all of it is acknowledged. */
  sent(): void {
    if (this.#looks || this.#cancelled) return;
    this.#looks = true;
    this.#later();
  }

  /** Looks no more. Idempotent. */
  cancel(): void {
    this.#cancelled = true;
    this.#cancel();
  }

  #later(): void {
    this.#cancel = this.#clock.after(Math.max(MIN_TCP_KEEP_ALIVE_MS, this.#ms) / PEER_LOOKS, () => this.#look());
  }

  #look(): void {
    if (unacknowledged(this.#socket) === 0) this.#looks = false;
    else if (isGone(this.#socket, this.#ms)) this.#onGone();
    else this.#later();
  }
}

/** Whether a peer has answered nothing for `ms` milliseconds, though it was asked. One that takes nothing still answers. */
export function isGone(socket: Deno.TcpConn, ms: number): boolean {
  const signs = signsOf(socket);
  return signs !== undefined && signs.unanswered >= PEER_TRIES && signs.silent >= ms;
}
