/**
 * The time that a client has for its reply after its writing side ended, on a link that cannot carry a half-close.
 *
 * TCP shows a full close the same way at first: a client that has closed as a whole resets at the first bytes for it.
 *
 * @module
 */

import { HALF_CLOSE_LOOK_MS } from "../limits.ts";
import type { Clock } from "../../base/clock.ts";
import type { Connection } from "../../net/socket.ts";
import { GoneWatch } from "./gone_watch.ts";

/** What a hold needs of its pump. */
export interface HalfCloseHoldOptions {
  /** The client's connection. */
  readonly conn: Connection;
  readonly clock: Clock;
  /** Milliseconds without a byte for the client that it has. */
  readonly timeout: number;
  /** Whether a write is under way, which would show a reset by itself. */
  isWriting(): boolean;
  /** Its time is up. */
  onQuiet(): void;
  /** It has closed as a whole. */
  onGone(): void;
}

const NOTHING = (): void => {};

/** Holds one client. */
export class HalfCloseHold {
  readonly #options: HalfCloseHoldOptions;
  #heard: number;
  #paused = false;
  #cancelled = false;
  #cancelTimer: () => void = NOTHING;
  readonly #gone: GoneWatch;

  /** Starts now. */
  constructor(options: HalfCloseHoldOptions, paused: boolean) {
    this.#options = options;
    this.#heard = options.clock.now();
    this.#paused = paused;
    this.#await();
    this.#gone = new GoneWatch({ ...options, lookEvery: HALF_CLOSE_LOOK_MS });
  }

  /** Since when nothing came for the client; `Infinity` while that does not count. */
  get quietSince(): number {
    return this.#paused || this.#cancelled ? Infinity : this.#heard;
  }

  /** Something came for the client, or it took something. */
  heard(): void {
    this.#heard = this.#options.clock.now();
  }

  /** Silence does not count: the client has something to take first. */
  pause(): void {
    this.#paused = true;
    this.#cancelTimer();
  }

  /** It counts again. */
  resume(): void {
    this.#paused = false;
    this.#await();
  }

  /** No more. Idempotent. */
  cancel(): void {
    this.#cancelled = true;
    this.#cancelTimer();
    this.#gone.cancel();
  }

  #await(): void {
    if (this.#paused || this.#cancelled) return;
    const { clock, timeout } = this.#options;
    const left = this.#heard + timeout - clock.now();
    if (left <= 0) return this.#options.onQuiet();
    this.#cancelTimer();
    this.#cancelTimer = clock.after(Math.ceil(left), () => this.#await());
  }
}
