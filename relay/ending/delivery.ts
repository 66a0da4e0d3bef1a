/**
 * The last part of a connection's life: what came for it is delivered, it is told the end, and its own end is awaited.
 *
 * @module
 */

import { LINGER_MS } from "../../net/limits.ts";
import {
  DRAIN_TIMEOUT_MS,
  MAX_TAKEN_LOOK_MS,
  TAKEN_LOOK_MS,
  TOLD_END_LINGER_MS,
  TOLD_END_TIMEOUT_MS,
} from "../limits.ts";
import type { ChannelEndReason } from "../../protocol/reasons.ts";
import type { Clock } from "../../base/clock.ts";
import type { WriteQueue } from "../write_queue.ts";

/** What a delivery needs of its connection. */
export interface DeliveryOptions {
  /** What is to be delivered. */
  readonly queue: WriteQueue;
  readonly clock: Clock;
  /** Whether what is delivered is all that there ever was; if not, the end is a reset. */
  readonly isWhole: boolean;
  /** Whether the connection can be reset. If not, a close would take from who still sends what it has not read: it is told its end. */
  resets(): boolean;
  /** Tells the connection's other side that no more will come. */
  closeWrite(): Promise<void>;
  /** Bytes that a reset would take from the other side. */
  unacknowledged(): number;
  /** It is over: closes the connection. `loss`: why bytes were lost, if some were. */
  close(loss?: ChannelEndReason): void;
}

/** Runs from the end of a channel to the close of its connection, with a bound on each wait. */
export class Delivery {
  readonly #options: DeliveryOptions;
  #hasEnded: boolean;
  #delivered = false;
  #isTold = false; // the connection is, that no more will come
  #lingerUntil = 0;
  #cancelled = false;
  #cancelTimer: () => void = () => {};

  /** Starts; `hasEnded`: the connection's own end has come. */
  constructor(options: DeliveryOptions, hasEnded: boolean) {
    this.#options = options;
    this.#hasEnded = hasEnded;
    this.#watch(options.queue.progress);
    options.queue.flushed().then(() => this.#onDelivered());
  }

  /** Whether everything was delivered. */
  get delivered(): boolean {
    return this.#delivered;
  }

  /** The connection still sends: gives it some time more, from this byte, for its own end. */
  linger(): void {
    if (!this.#delivered || this.#cancelled || !this.#isTold) return;
    const { clock, isWhole, close } = this.#options;
    const left = Math.min(isWhole ? LINGER_MS : TOLD_END_LINGER_MS, this.#lingerUntil - clock.now());
    this.#after(Math.max(0, left), () => close());
  }

  /** The connection's own end has come. */
  ended(): void {
    this.#hasEnded = true;
    if (this.#delivered && this.#isTold) this.#options.close();
  }

  /** The connection is closed. Idempotent. */
  cancel(): void {
    this.#cancelled = true;
    this.#cancelTimer();
  }

  /** A receiver that takes nothing for long loses what came. */
  #watch(progress: number): void {
    const { queue } = this.#options;
    this.#after(DRAIN_TIMEOUT_MS, () => {
      if (queue.progress === progress) this.#options.close("stalled");
      else this.#watch(queue.progress);
    });
  }

  #onDelivered(): void {
    if (this.#cancelled) return;
    this.#delivered = true;
    const { clock, isWhole, resets } = this.#options;
    this.#isTold = isWhole || !resets();
    if (!this.#isTold) return this.#resetWhenTaken(clock.now() + DRAIN_TIMEOUT_MS);
    if (this.#hasEnded) return this.#options.close();
    this.#lingerUntil = clock.now() + (isWhole ? DRAIN_TIMEOUT_MS : TOLD_END_TIMEOUT_MS);
    this.linger();
    this.#options.closeWrite().catch(() => this.#options.close());
  }

  /** A reset takes away what is still on its way: that is waited for while it gets less, until a time. */
  #resetWhenTaken(until: number): void {
    const { clock, unacknowledged, close } = this.#options;
    let least = Infinity;
    let patience = 0;
    const look = (wait: number) => {
      const left = unacknowledged();
      const now = clock.now();
      if (left < least) patience = Math.min(until, now + LINGER_MS);
      least = Math.min(least, left);
      if (left === 0 || now >= patience) return close();
      this.#after(Math.min(wait, patience - now), () => look(Math.min(2 * wait, MAX_TAKEN_LOOK_MS)));
    };
    look(TAKEN_LOOK_MS);
  }

  #after(ms: number, fn: () => void): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#options.clock.after(ms, fn);
  }
}
