/**
 * A path with one bottleneck in virtual time, for the tests of what steers a sender. Not part of the product.
 *
 * @module
 */

import { PathEstimator } from "./path_estimator.ts";

/** What a path is like at a time: bits per second are given in Mbit/s, the rest in milliseconds. */
export interface Path {
  /** Rate of the bottleneck. */
  mbps(now: number): number;
  /** Round trip of an empty path, without the time that bytes take at the bottleneck. */
  base(now: number): number;
  /** How late a turn of an event loop is, at either end. */
  late(now: number): number;
}

/** What was seen in a stretch of time. */
export interface Stretch {
  /** Share of the time in which the bottleneck had something to do. */
  busy: number;
  /** Longest time that a byte waited at the bottleneck for others of this link. */
  longestWait: number;
  /** Smallest and largest limit. */
  least: number;
  most: number;
}

interface Flying {
  readonly at: number;
  readonly size: number;
  readonly flagged: boolean;
}

/** Sends over a path as an owner of a {@linkcode PathEstimator} does, and watches. */
export class PathSimulation {
  now = 0;
  readonly estimator = new PathEstimator(0);
  /** Whether the sender ever waited for room without an acknowledgement to come. */
  stuck = false;
  /** Bytes that the sender has to send; greedy at first. */
  backlog = Infinity;
  /** Bytes on the way from which something else than the limit holds the sender: credit, or its kernel. */
  held = Infinity;
  readonly #path: Path;
  readonly #frame: number;
  readonly #toPeer: Flying[] = [];
  readonly #toSender: { readonly at: number; readonly position: number }[] = [];
  #linkFree = 0;
  #lastArrival = 0;
  #lastAck = 0;
  #peerTurn = Infinity;
  #senderTurn = Infinity;
  #received = 0;
  #busy = 0;
  #longestWait = 0;
  #least = Infinity;
  #most = 0;

  /** A greedy sender of frames of `frame` bytes. */
  constructor(path: Path, frame = 16 * 1024) {
    this.#path = path;
    this.#frame = frame;
  }

  /** Lets time pass up to `until`. */
  run(until: number): Stretch {
    const from = this.now;
    const ahead = Math.max(0, this.#linkFree - from);
    this.#busy = 0;
    this.#longestWait = 0;
    this.#least = this.#most = this.estimator.limit;
    this.#send();
    for (;;) {
      const next = Math.min(this.#peerTurn, this.#senderTurn);
      if (next > until) break;
      this.now = next;
      if (this.#peerTurn <= next) this.#receive();
      else this.#acknowledge();
    }
    this.now = until;
    const busy = (ahead + this.#busy - Math.max(0, this.#linkFree - until)) / (until - from);
    return { busy, longestWait: this.#longestWait, least: this.#least, most: this.#most };
  }

  #send(): void {
    const { estimator } = this;
    while (this.backlog > 0 && estimator.room > 0 && estimator.onTheWay < this.held) {
      const size = Math.min(this.#frame, estimator.room, this.backlog);
      this.backlog -= size;
      const flagged = estimator.sent(size, this.now);
      const start = Math.max(this.now, this.#linkFree);
      this.#longestWait = Math.max(this.#longestWait, start - this.now);
      const took = size * 8 / (this.#path.mbps(start) * 1_000);
      this.#linkFree = start + took;
      this.#busy += took;
      this.#lastArrival = Math.max(this.#lastArrival, this.#linkFree + this.#path.base(this.#linkFree) / 2);
      this.#toPeer.push({ at: this.#lastArrival, size, flagged });
    }
    this.#peerTurn = Math.min(this.#peerTurn, this.#turn(this.#toPeer));
    const quiet = this.#toSender.length === 0 && !this.#toPeer.some(({ flagged }) => flagged);
    if (this.backlog > 0 && quiet) this.stuck = true;
  }

  #receive(): void {
    let asked = false;
    while (this.#toPeer.length > 0 && this.#toPeer[0]!.at <= this.now) {
      const { size, flagged } = this.#toPeer.shift()!;
      this.#received += size;
      asked ||= flagged;
    }
    if (asked) {
      this.#lastAck = Math.max(this.#lastAck, this.now + this.#path.base(this.now) / 2);
      this.#toSender.push({ at: this.#lastAck, position: this.#received });
      this.#senderTurn = Math.min(this.#senderTurn, this.#turn(this.#toSender));
    }
    this.#peerTurn = this.#turn(this.#toPeer);
  }

  #acknowledge(): void {
    while (this.#toSender.length > 0 && this.#toSender[0]!.at <= this.now) {
      this.estimator.acknowledged(this.#toSender.shift()!.position, this.now);
      this.#least = Math.min(this.#least, this.estimator.limit);
      this.#most = Math.max(this.#most, this.estimator.limit);
    }
    this.#senderTurn = this.#turn(this.#toSender);
    this.#send();
  }

  /** When the event loop gets to what comes next. */
  #turn(coming: readonly { readonly at: number }[]): number {
    return coming.length === 0 ? Infinity : Math.max(this.now, coming[0]!.at) + this.#path.late(this.now);
  }
}

/** A path that stays as it is. */
export function steady(mbps: number, base: number, late: () => number = () => 0): Path {
  return { mbps: () => mbps, base: () => base, late };
}
