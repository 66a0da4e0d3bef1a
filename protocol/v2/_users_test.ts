/**
 * Users of the channels of a simulated pair of sessions, and what has to be true of them. No tests here.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Random } from "../../tests/rig/random.ts";
import { fillPattern, patternBreak } from "../../tests/rig/sim/pattern.ts";
import type { Time } from "../../tests/rig/sim/time.ts";
import type { ChannelEndReason } from "../reasons.ts";
import type { V2Channel } from "./channel.ts";

/** One end of a channel: a pump whose connection is a stream of bytes and a sink of random speed. */
export class User {
  readonly channel: V2Channel;
  sent = 0;
  received = 0;
  /** Whether the sending side has come to its end, one way or the other. */
  sendingDone = false;
  peerEnded = false;
  readonly #time: Time;
  readonly #random: Random;
  readonly #out: number;
  readonly #in: number;
  #held = 0;
  #consuming = false;
  #ended = false;
  #reason: ChannelEndReason | undefined;

  /** `out` and `inward` tell the streams apart. `slow`: milliseconds that its sink takes for a piece, at most. */
  constructor(time: Time, random: Random, channel: V2Channel, out: number, inward: number, readonly slow: number) {
    this.channel = channel;
    this.#time = time;
    this.#random = random;
    this.#out = out;
    this.#in = inward;
    channel.receiver = {
      onData: (bytes) => this.#onData(bytes),
      onPeerEnd: () => {
        assert(!this.peerEnded && this.end === undefined, "the peer's end was told twice, or late");
        this.peerEnded = true;
      },
      onEnd: (reason) => {
        assert.equal(this.#reason, undefined, "it ended twice");
        this.#reason = reason;
      },
    };
  }

  /** How it ended: both directions in order, by the peer, or by itself. */
  get end(): "in order" | ChannelEndReason | undefined {
    return this.#reason ?? (this.#ended && this.peerEnded && !this.channel.open ? "in order" : undefined);
  }

  /** Sends `total` bytes, then ends its direction. */
  async send(total: number, piece: number, pause: number): Promise<void> {
    const { channel } = this;
    while (this.sent < total && channel.open) {
      if (channel.room === 0) {
        await channel.writable();
        continue;
      }
      const size = Math.min(channel.room, total - this.sent, 1 + this.#random.upTo(piece - 1));
      const frame = new Uint8Array(channel.headroom + size);
      fillPattern(frame.subarray(channel.headroom), this.#out, this.sent);
      this.sent += size;
      const fate = channel.send(frame, size);
      if (typeof fate === "string") {
        if (fate !== "kept") frame.fill(0xee);
      } else if (!this.#random.oneIn(8) || this.sent < total) {
        await fate; // the last piece may be followed by the end at once
      }
      if (pause > 0) await this.#time.sleep(this.#random.upTo(pause));
    }
    if (channel.open) {
      this.#ended = true;
      channel.end();
    }
    this.sendingDone = true;
  }

  /** Ends both directions from this side. */
  close(reason: ChannelEndReason): void {
    if (this.end !== undefined || !this.channel.open) return;
    this.#reason = reason;
    this.channel.close(reason);
  }

  #onData(bytes: Uint8Array): void {
    assert(this.end === undefined && !this.peerEnded, "bytes came after the end");
    const wrong = patternBreak(bytes, this.#in, this.received);
    assert(wrong < 0, `byte ${wrong} is another`);
    this.received += bytes.length;
    this.#held += bytes.length;
    if (this.slow === 0) this.#consume(this.#held);
    else if (!this.#consuming) this.#consumeLater();
  }

  #consumeLater(): void {
    this.#consuming = true;
    this.#time.after(this.#random.upTo(this.slow), () => {
      this.#consuming = false;
      this.#consume(1 + this.#random.upTo(this.#held - 1));
      if (this.#held > 0) this.#consumeLater();
    });
  }

  #consume(size: number): void {
    this.#held -= size;
    this.channel.consumed(size);
  }
}
