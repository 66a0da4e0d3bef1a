/**
 * PINGs of one side: the round trip, and how far the peer's clock is ahead.
 *
 * @module
 */

import { pingFrame } from "./wire/codec.ts";

/** Asks, and learns from what is answered. Times are milliseconds. */
export class V2Pings {
  /** The peer's wall clock less this side's, as the last PONG had it. */
  clockOffset: number | undefined;
  /** The last round trip. */
  roundTrip: number | undefined;

  /** Of the last PING: no other has it; a PONG with another was not asked for. */
  #token = 0;
  #open = false;
  #at = 0;
  #sent = 0;

  /** Position that was sent before the last PING: whoever answers that has received all before it. */
  get sent(): number {
    return this.#sent;
  }

  /** A PING that says what was received so far; `sent`: position of what was sent before it. */
  ask(position: number, sent: number, now: number): Uint8Array {
    this.#token = Math.max(this.#token + 1, Math.round(now * 1000));
    this.#open = true;
    this.#at = now;
    this.#sent = sent;
    return pingFrame(position, this.#token);
  }

  /** A PONG came. @returns the round trip, if it was asked for. */
  answered(token: number, peerClock: number, now: number, wallClock: number): number | undefined {
    if (!this.#open || token !== this.#token) return undefined;
    this.#open = false;
    this.roundTrip = Math.max(0, now - this.#at);
    this.clockOffset = Math.round(peerClock - (wallClock - this.roundTrip / 2));
    return this.roundTrip;
  }

  /** The link is another one. */
  reset(): void {
    this.roundTrip = undefined;
    this.#open = false;
  }
}
