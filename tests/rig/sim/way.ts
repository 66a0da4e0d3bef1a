/**
 * One direction of a connection, as TCP makes it: bytes stay in order, whatever happens to time.
 *
 * @module
 */

import type { Random } from "../random.ts";
import type { Time } from "./time.ts";

/** What a network is like. */
export interface Network {
  /** Milliseconds one way. */
  readonly latency: number;
  /** Bytes per millisecond, each way. */
  readonly rate: number;
  /** How late a turn of an event loop may be, in milliseconds. */
  readonly late: number;
  /** Whether reads bring what came in random pieces. */
  readonly cuts: boolean;
}

/** Where the bytes of a way go. */
export interface WayEnd {
  /** Some of what was sent, in order; a copy of it. */
  onBytes(bytes: Uint8Array): void;
  /** All that was sent has come, and no more will. */
  onEnd?(): void;
}

/** Carries bytes, late and in pieces, until it is cut. */
export class Way {
  /** Bytes that went in. */
  bytes = 0;
  /** Called before more go in. */
  onSend: () => void = () => {};
  readonly #time: Time;
  readonly #random: Random;
  readonly #network: Network;
  readonly #end: WayEnd;
  #free = 0;
  #lastRead = 0;
  #arrived: Uint8Array = new Uint8Array(0);
  #ended = false;
  #cut = false;
  #left = Infinity; // bytes until it is cut
  #onCut: () => void = () => {};
  #heldUntil = 0;

  /** A way to `end`. */
  constructor(time: Time, random: Random, network: Network, end: WayEnd) {
    this.#time = time;
    this.#random = random;
    this.#network = network;
    this.#end = end;
  }

  /** Whether nothing comes through any more. */
  get isCut(): boolean {
    return this.#cut;
  }

  /** Sends a copy of `bytes`. */
  send(bytes: Uint8Array): void {
    const copy = bytes.slice();
    this.bytes += copy.length;
    this.onSend();
    this.#free = Math.max(this.#free, this.#time.now) + copy.length / this.#network.rate;
    this.#time.after(this.#free + this.#network.latency - this.#time.now, () => this.#arrive(copy));
  }

  /** Says that no more is sent. */
  end(): void {
    this.#free = Math.max(this.#free, this.#time.now);
    this.#time.after(this.#free + this.#network.latency - this.#time.now, () => {
      this.#ended = true;
      this.#read();
    });
  }

  /** What is under way never comes, nor anything else. */
  cut(): void {
    if (this.#cut) return;
    this.#cut = true;
    this.#onCut();
  }

  /** The same once `bytes` more have come through; `onCut` is called then. */
  cutAfter(bytes: number, onCut: () => void): void {
    this.#left = bytes;
    this.#onCut = onCut;
    if (bytes <= 0) this.cut();
  }

  /** Nothing comes through for `ms` milliseconds; then all of it does. */
  hold(ms: number): void {
    this.#heldUntil = Math.max(this.#heldUntil, this.#time.now + ms);
  }

  #arrive(bytes: Uint8Array): void {
    const whole = new Uint8Array(this.#arrived.length + bytes.length);
    whole.set(this.#arrived);
    whole.set(bytes, this.#arrived.length);
    this.#arrived = whole;
    this.#read();
  }

  #read(): void {
    const { late } = this.#network;
    const lateness = late > 0 ? this.#random.upTo(late * 10) / 10 : 0;
    this.#lastRead = Math.max(this.#lastRead, this.#heldUntil, this.#time.now + lateness);
    this.#time.after(this.#lastRead - this.#time.now, () => this.#deliver());
  }

  #deliver(): void {
    if (this.#cut) return;
    if (this.#time.now < this.#heldUntil) return this.#read();
    const { length } = this.#arrived;
    if (length > 0) {
      const some = this.#network.cuts ? 1 + this.#random.upTo(this.#random.of(length, 20, length) - 1) : length;
      const count = Math.min(some, length, this.#left);
      const chunk = this.#arrived.slice(0, count);
      this.#arrived = this.#arrived.subarray(count);
      this.#left -= count;
      if (this.#left <= 0) this.#cut = true;
      else if (this.#arrived.length > 0 || this.#ended) this.#read();
      this.#end.onBytes(chunk);
      if (this.#left <= 0) this.#onCut();
    } else if (this.#ended) {
      this.#ended = false;
      this.#end.onEnd?.();
    }
  }
}
