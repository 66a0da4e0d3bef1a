/**
 * The bandwidth of a service in one direction, divided among its clients: bytes wait for their turn, and none is dropped.
 *
 * @module
 */

import { BANDWIDTH_BURST_PART, MAX_TURN_BYTES, MIN_TURN_BYTES, TURN_PART } from "../limits.ts";
import type { Clock } from "../../base/clock.ts";
import { TokenBucket } from "./token_bucket.ts";

/** One client's part. */
export interface Flow {
  /** Up to where it has been served, in bytes of all; see {@linkcode Shaper.pay}. */
  finish: number;
}

interface Payment {
  readonly flow: Flow;
  readonly bytes: number;
  readonly start: number;
  /** Its place in the line. */
  readonly finish: number;
  readonly resolve: () => void;
}

/**
 * Lets bytes through at a rate. Of those who wait, the one is next who would be done first if each had an even part
 * (fair queueing): who sends little never waits behind one that always sends.
 */
export class Shaper {
  readonly #clock: Clock;
  readonly #bucket: TokenBucket;
  #rate: number;
  #line: Payment[] = [];
  #virtual = 0; // the place of whoever was served last
  #cancelTimer: (() => void) | undefined;

  /** `rate`: bytes a second. */
  constructor(rate: number, clock: Clock) {
    this.#clock = clock;
    this.#rate = rate;
    this.#bucket = new TokenBucket(rate / 1000, burstOf(rate), clock.now());
  }

  /** Bytes a second; a change holds for those who wait, too. */
  get rate(): number {
    return this.#rate;
  }

  set rate(rate: number) {
    if (rate === this.#rate) return;
    this.#rate = rate;
    this.#bucket.change(rate / 1000, burstOf(rate), this.#clock.now());
    this.#run();
  }

  /** The most bytes that one may pay for in one go. */
  get turn(): number {
    return turnOf(this.#rate);
  }

  /** How many wait. */
  get waiting(): number {
    return this.#line.length;
  }

  /** Pays for `bytes`. @returns nothing if they may pass now; else what resolves when they may. */
  pay(flow: Flow, bytes: number): Promise<void> | undefined {
    const start = Math.max(this.#virtual, flow.finish);
    flow.finish = start + bytes;
    if (this.#line.length === 0 && this.#bucket.take(bytes, this.#clock.now()) === 0) {
      this.#virtual = start;
      return undefined;
    }
    return new Promise((resolve) => {
      let [low, high] = [0, this.#line.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (this.#line[middle]!.finish <= flow.finish) low = middle + 1;
        else high = middle;
      }
      this.#line.splice(low, 0, { flow, bytes, start, finish: flow.finish, resolve });
      if (!this.#cancelTimer || low === 0) this.#run();
    });
  }

  /** A client has gone: what it waits for passes, as nobody takes it. */
  leave(flow: Flow): void {
    const gone = this.#line.filter((payment) => payment.flow === flow);
    if (gone.length === 0) return;
    this.#line = this.#line.filter((payment) => payment.flow !== flow);
    for (const { resolve } of gone) resolve();
    this.#run();
  }

  #run(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    for (let first = this.#line[0]; first; first = this.#line[0]) {
      const wait = this.#bucket.take(Math.min(first.bytes, burstOf(this.#rate)), this.#clock.now());
      if (wait > 0) {
        this.#cancelTimer = this.#clock.after(wait, () => this.#run());
        return;
      }
      this.#line.shift();
      this.#virtual = Math.max(this.#virtual, first.start);
      first.resolve();
    }
  }
}

function turnOf(rate: number): number {
  return Math.min(MAX_TURN_BYTES, Math.max(MIN_TURN_BYTES, Math.floor(rate * TURN_PART)));
}

function burstOf(rate: number): number {
  return Math.max(turnOf(rate), rate * BANDWIDTH_BURST_PART);
}
