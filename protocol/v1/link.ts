/**
 * The state of a v1 link, the same for both roles: a table of channels between a decoder and an output.
 *
 * Sans I/O; see `../link.ts`.
 *
 * @module
 */

import { V1_HEADER_SIZE } from "./limits.ts";
import type { Time } from "../../base/clock.ts";
import type { Address } from "../address.ts";
import { V1Channel, type V1ChannelLink } from "./channel.ts";
import { v1Close, writeV1Header } from "./codec.ts";
import { V1Decoder, type V1FrameHandler } from "./decoder.ts";
import type { Link, LinkOutput, Sent } from "../link.ts";
import type { ChannelEndReason } from "../reasons.ts";

/** What a link saw and passed over, for metrics and for one log line at its end. */
export interface V1LinkCounters {
  /** DATA frames (or joined runs of them) for a client id that had ended or never was. */
  strayData: number;
  /** CLOSE frames for such an id. */
  strayClose: number;
  /** Frames of no meaning and no harm. */
  ignored: number;
  /** Channels that were opened. */
  channels: number;
}

/** A link of either role; see {@linkcode V1ServerLink} and {@linkcode V1DeviceLink}. */
export abstract class V1Link implements Link, V1FrameHandler, V1ChannelLink {
  /** What was passed over. */
  readonly counters: V1LinkCounters = { strayData: 0, strayClose: 0, ignored: 0, channels: 0 };

  protected readonly output: LinkOutput;
  protected readonly time: Pick<Time, "now">;

  readonly #decoder = new V1Decoder(this);
  readonly #channels = new Map<number, V1Channel>();

  /** A link whose frames go into `output`. */
  constructor(output: LinkOutput, time: Pick<Time, "now">) {
    this.output = output;
    this.time = time;
  }

  /** Channels that are open. */
  get channelCount(): number {
    return this.#channels.size;
  }

  get atBoundary(): boolean {
    return this.#decoder.atBoundary;
  }

  abstract get deadline(): number;

  receive(chunk: Uint8Array): void {
    this.#decoder.push(chunk);
  }

  abstract tick(): void;

  end(reason: ChannelEndReason): void {
    const channels = [...this.#channels.values()];
    this.#channels.clear();
    for (const channel of channels) channel.ended(reason);
  }

  sendData(id: number, frame: Uint8Array, size: number): Sent {
    writeV1Header(frame, id, size);
    return this.output.data(frame.subarray(0, V1_HEADER_SIZE + size), "lent");
  }

  closeChannel(channel: V1Channel): void {
    this.#channels.delete(channel.id);
    this.sendClose(channel.id);
    this.unconfirmed(channel.id, channel.bytesSent > 0);
  }

  onData(id: number, bytes: Uint8Array): void {
    const channel = this.#channels.get(id);
    if (channel) channel.received(bytes);
    else this.strayData(id, bytes);
  }

  onClose(id: number): void {
    const channel = this.#channels.get(id);
    if (!channel) return this.strayClose(id);
    this.#channels.delete(id);
    this.sendClose(id); // the confirmation: from here on nothing is sent for this id
    this.confirmed(channel);
    channel.ended(this.peerCloseReason);
  }

  onIgnored(_command: number, _id: number): void {
    this.counters.ignored++;
  }

  abstract onListen(): void;
  abstract onConnect(id: number, target: Address): void;
  abstract onBadConnect(id: number, why: string): void;

  /** Why a channel ends when the peer closes it. */
  protected abstract readonly peerCloseReason: ChannelEndReason;
  /** This side sent a CLOSE that the peer has not answered yet; `dataSent` if it had sent bytes before. */
  protected abstract unconfirmed(id: number, dataSent: boolean): void;
  /** The peer closed a channel, and this side answered. */
  protected abstract confirmed(channel: V1Channel): void;
  /** DATA for an id without a channel. */
  protected abstract strayData(id: number, bytes: Uint8Array): void;
  /** CLOSE for an id without a channel. */
  protected abstract strayClose(id: number): void;

  protected sendClose(id: number): void {
    this.output.control(v1Close(id));
  }

  protected channelOf(id: number): V1Channel | undefined {
    return this.#channels.get(id);
  }

  protected addChannel(id: number, target: Address): V1Channel {
    const channel = new V1Channel(this, id, target);
    this.#channels.set(id, channel);
    this.counters.channels++;
    return channel;
  }

  /** Takes a channel out of the table without a word on the wire. */
  protected forget(channel: V1Channel, reason: ChannelEndReason): void {
    this.#channels.delete(channel.id);
    channel.ended(reason);
  }
}
