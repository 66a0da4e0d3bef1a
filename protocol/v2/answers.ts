/**
 * What both sides of a v2 session tell each other of what has come: acknowledgements, and the PINGs that ask for them.
 *
 * @module
 */

import { AckDemand } from "./send/ack_demand.ts";
import { ackFrame, pingFrame, pongFrame } from "./wire/codec.ts";
import type { V2Decoder } from "./wire/decoder.ts";
import { expectSize, readUint } from "./wire/fields.ts";
import type { V2CoreOptions } from "./session_options.ts";
import { V2Pings } from "./pings.ts";
import type { V2Sender } from "./send/sender.ts";

/** Token of a PING that measures nothing: that of one that does is greater. */
const NO_TOKEN = 0;

/** Those of one session. */
export class V2Answers {
  readonly #options: V2CoreOptions;
  readonly #decoder: V2Decoder;
  readonly #sender: V2Sender;
  readonly #demand: AckDemand;
  readonly #pings = new V2Pings();
  #wanted = false; // the peer asked for an acknowledgement
  #came = false; // one came, so there may be room

  /** For what `decoder` has received, and `sender` has sent. */
  constructor(options: V2CoreOptions, decoder: V2Decoder, sender: V2Sender) {
    this.#options = options;
    this.#decoder = decoder;
    this.#sender = sender;
    this.#demand = new AckDemand(sender);
  }

  /** The peer's wall clock less this side's, in milliseconds, as the last PONG had it. */
  get clockOffset(): number | undefined {
    return this.#pings.clockOffset;
  }

  /** The last round trip of a PING on this link, in milliseconds. */
  get roundTrip(): number | undefined {
    return this.#pings.roundTrip;
  }

  /** The least that is known of this link, in milliseconds; `Infinity` before the first. */
  get leastRoundTrip(): number {
    return Math.min(this.#sender.leastRoundTrip, this.roundTrip ?? Infinity);
  }

  /** See {@linkcode AckDemand.congested}. */
  get congested(): boolean {
    return this.#demand.congested;
  }

  /** The link is another one. */
  reset(): void {
    this.#wanted = this.#came = false;
    this.#demand.reset();
    this.#pings.reset();
  }

  /** The peer wants an acknowledgement of what it has sent up to here. */
  wanted(): void {
    this.#wanted = true;
  }

  /** Asks the peer for a sign of life. */
  ask(): void {
    this.#sender.control(this.#pings.ask(this.#decoder.position, this.#sender.position, this.#options.time.now()));
  }

  /**
   * A read has been decoded.
   *
   * @throws {ProtocolError} `not-acknowledged`; {UnansweredError} if the path may carry nothing to the peer.
   */
  heard(now: number): void {
    if (this.#demand.heard(now)) this.ask();
  }

  /** Acknowledges what came with a read if that is wanted, and sends what there is room for since. */
  send(): void {
    if (this.#wanted) {
      this.#wanted = false;
      const { position } = this.#decoder;
      // Nagle's algorithm holds back what is small until the peer's stack has acknowledged this frame: a PONG brings that.
      this.#sender.control(this.#sender.nagle ? pingFrame(position, NO_TOKEN) : ackFrame(position));
    }
    if (this.#came) {
      this.#came = false;
      this.#sender.takeTurns();
    }
  }

  /** An ACK came. @throws {ProtocolError} if it cannot be, as the other two. */
  onAck(payload: Uint8Array): void {
    expectSize("ACK", payload, 8);
    this.#acknowledged(payload);
  }

  /** A PING came. */
  onPing(payload: Uint8Array): void {
    expectSize("PING", payload, 16);
    this.#acknowledged(payload);
    this.#sender.control(pongFrame(this.#decoder.position, payload.subarray(8), this.#options.time.wall()));
  }

  /** A PONG came. */
  onPong(payload: Uint8Array): void {
    expectSize("PONG", payload, 24);
    this.#acknowledged(payload);
    const { time } = this.#options;
    const roundTrip = this.#pings.answered(readUint(payload, 8, 8), readUint(payload, 16, 8), time.now(), time.wall());
    if (roundTrip === undefined) return;
    this.#demand.answered(readUint(payload, 0, 8), this.#pings.sent);
    this.#sender.confirm(roundTrip);
  }

  #acknowledged(payload: Uint8Array): void {
    this.#sender.acknowledged(readUint(payload, 0, 8));
    this.#came = true;
  }
}
