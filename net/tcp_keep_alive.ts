/**
 * TCP keep-alive on the connections of clients and services, and on v1 links: who is gone without a word (a cable that was
 * pulled) is found by the system, and does not keep its place for the two hours that are its default.
 *
 * The system asks only those who have acknowledged everything. A peer with bytes under way it gives up after a quarter of
 * an hour, so that one is looked at here. TCP_USER_TIMEOUT, which would shorten that, also ends peers that answer, and
 * take nothing just then (a pager that stands still).
 *
 * @module
 */

import { PEER_LOOKS, PEER_TRIES, TCP_KEEP_ALIVE_PROBES } from "./limits.ts";
import type { Clock } from "../base/clock.ts";
import { type KeepAliveSettings, normalKeepAlive } from "../protocol/keep_alive.ts";
import { MAX_KEEP_ALIVE_MS } from "../protocol/limits.ts";
import type { Connection, KeepAlivePace } from "./socket.ts";

/** What to say where an engine cannot set a pace. */
export const UNTUNABLE = "cannot be set with the portable engine: the system's own pace holds, two hours as a rule";

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
 * The pace that settings come to; `undefined`: never. TCP knows no single probe: an interval of never is the longest that
 * there is, nine hours.
 */
export function settingsPace(settings: KeepAliveSettings): KeepAlivePace | undefined {
  const { idleTimeout, probeInterval, probeCount } = normalKeepAlive(settings);
  if (idleTimeout < 0 || probeCount === 0) return undefined;
  const interval = probeInterval < 0 ? MAX_KEEP_ALIVE_MS : probeInterval;
  return { idle: idleTimeout / 1_000, interval: interval / 1_000, probes: probeCount };
}

/** The settings that a pace is. */
export function paceSettings(pace: KeepAlivePace | "off"): KeepAliveSettings {
  if (pace === "off") return { idleTimeout: -1, probeInterval: -1, probeCount: 0 };
  return { idleTimeout: pace.idle * 1_000, probeInterval: pace.interval * 1_000, probeCount: pace.probes };
}

/** The same as {@linkcode keepAlivePace}, or that it is never found out, for a negative time: as a listening socket takes it. */
export function listenerPace(ms: number): KeepAlivePace | "off" {
  return ms < 0 ? "off" : keepAlivePace(ms);
}

/** Finds out whether the peer of one connection is gone, also while bytes are under way to it. */
export class PeerWatch {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #onGone: () => void;
  #looks = false;
  #cancelled = false;
  #cancel: () => void = () => {};

  private constructor(connection: Connection, ms: number, clock: Clock, onGone: () => void) {
    this.#connection = connection;
    this.#clock = clock;
    this.#ms = ms;
    this.#onGone = onGone;
  }

  /**
   * Has the system find out at this pace whether the peer is gone (`undefined`: never), and watches it.
   *
   * @returns nothing if it is never found out.
   */
  static start(
    connection: Connection,
    pace: KeepAlivePace | undefined,
    clock: Clock,
    onGone: () => void,
  ): PeerWatch | undefined {
    connection.setKeepAlive(pace);
    if (!pace) return undefined;
    return new PeerWatch(connection, (pace.idle + pace.interval * pace.probes) * 1_000, clock, onGone);
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
    this.#cancel = this.#clock.after(this.#ms / PEER_LOOKS, () => this.#look());
  }

  #look(): void {
    if (this.#connection.unacknowledged() === 0) this.#looks = false;
    else if (isGone(this.#connection, this.#ms)) this.#onGone();
    else this.#later();
  }
}

/** Whether a peer has answered nothing for `ms` milliseconds, though it was asked. One that takes nothing still answers. */
export function isGone(connection: Connection, ms: number): boolean {
  const signs = connection.signs();
  return signs !== undefined && signs.unanswered >= PEER_TRIES && signs.silent >= ms;
}
