/**
 * PINGs of one side: the round trip, and how far the peer's clock is ahead.
 *
 * @module
 */

import { pingFrame } from "./v2_codec.ts";

/** Asks, and learns from what is answered. Times are milliseconds. */
export class V2Pings {
  /** The peer's wall clock less this side's, as the last PONG had it. */
  clockOffset: number | undefined;
  /** The last round trip. */
  roundTrip: number | undefined;

  /** Of the last PING, in microseconds; a PONG with another was not asked for. */
  #token = -1;

  /** A PING that says what was received so far. */
  ask(position: number, now: number): Uint8Array {
    this.#token = Math.round(now * 1000);
    return pingFrame(position, this.#token);
  }

  /** A PONG came. @returns the round trip, if it was asked for. */
  answered(token: number, peerClock: number, now: number, wallClock: number): number | undefined {
    if (token !== this.#token) return undefined;
    this.#token = -1;
    this.roundTrip = Math.max(0, now - token / 1000);
    this.clockOffset = Math.round(peerClock - (wallClock - this.roundTrip / 2));
    return this.roundTrip;
  }

  /** The link is another one. */
  reset(): void {
    this.roundTrip = undefined;
    this.#token = -1;
  }
}
