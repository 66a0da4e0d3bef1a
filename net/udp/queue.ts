/**
 * Datagrams that wait for their channel: so many, so many bytes, and for so long; the oldest has to go.
 *
 * @module
 */

import { DATAGRAM_POOL, DATAGRAM_QUEUE, DATAGRAM_QUEUE_BYTES, DATAGRAM_WEIGHT } from "../limits.ts";
import type { ClientDatagrams } from "./counts.ts";

/** What all queues of a service have together. */
export class DatagramPool {
  /** Bytes that are free. */
  free = DATAGRAM_POOL;
}

/** One that waits. */
export interface WaitingDatagram {
  readonly bytes: Uint8Array;
  /** When it came, on the clock. */
  readonly at: number;
}

/** Those of one client, in their order. */
export class DatagramQueue {
  readonly #pool: DatagramPool;
  readonly #counts: ClientDatagrams;
  readonly #maxAge: number;
  readonly #ring: (WaitingDatagram | undefined)[] = [];
  #start = 0;
  #weight = 0;

  /** Empty. `maxAge`: milliseconds that one may wait. */
  constructor(pool: DatagramPool, counts: ClientDatagrams, maxAge: number) {
    this.#pool = pool;
    this.#counts = counts;
    this.#maxAge = maxAge;
  }

  /** How many wait. */
  get size(): number {
    return this.#ring.length - this.#start;
  }

  /** One comes, and is copied. Who has more waiting than is free for all gets no more, and loses its oldest. */
  push(bytes: Uint8Array, now: number): void {
    this.#dropOld(now);
    const weight = bytes.length + DATAGRAM_WEIGHT;
    const fits = () =>
      this.size < DATAGRAM_QUEUE && this.#weight + weight <= DATAGRAM_QUEUE_BYTES &&
      this.#weight + weight <= this.#pool.free;
    while (this.size > 0 && !fits()) {
      this.#take();
      this.#counts.add("overflowed");
    }
    if (!fits()) return void this.#counts.add("overflowed");
    this.#ring.push({ bytes: bytes.slice(), at: now });
    this.#weigh(weight);
  }

  /** The first that is not too old; it stays. */
  first(now: number): WaitingDatagram | undefined {
    this.#dropOld(now);
    return this.#ring[this.#start];
  }

  /** The first has been taken. */
  shift(): void {
    this.#take();
  }

  /** Nobody waits any more. */
  clear(): void {
    this.#ring.length = this.#start = 0;
    this.#weigh(-this.#weight);
  }

  #dropOld(now: number): void {
    for (let first = this.#ring[this.#start]; first && now - first.at > this.#maxAge; first = this.#ring[this.#start]) {
      this.#take();
      this.#counts.add("aged");
    }
  }

  #take(): void {
    const first = this.#ring[this.#start]!;
    this.#ring[this.#start++] = undefined;
    this.#weigh(-first.bytes.length - DATAGRAM_WEIGHT);
    if (this.#start === this.#ring.length) this.#ring.length = this.#start = 0;
    else if (this.#start >= DATAGRAM_QUEUE) {
      this.#ring.splice(0, this.#start);
      this.#start = 0;
    }
  }

  #weigh(more: number): void {
    this.#weight += more;
    this.#pool.free -= more;
  }
}
