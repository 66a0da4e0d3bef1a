/**
 * One client's byte stream on a v1 link.
 *
 * @module
 */

import { V1_HEADER_SIZE, V1_MAX_PAYLOAD } from "./limits.ts";
import type { Address } from "../address.ts";
import type { Channel, ChannelReceiver } from "../channel.ts";
import type { ChannelState } from "../channel_state.ts";
import type { Sent } from "../link.ts";
import type { ChannelEndReason } from "../reasons.ts";

/** What a channel needs of its link. */
export interface V1ChannelLink {
  /** Sends a DATA frame whose payload stands behind room for a header; see {@linkcode V1Channel.send}. */
  sendData(id: number, frame: Uint8Array, size: number): Sent;
  /** Sends the CLOSE of a channel that this side ended. */
  closeChannel(channel: V1Channel): void;
}

/** The state of a channel on this side of the link. */
export class V1Channel implements Channel {
  readonly id: number;
  readonly headroom = V1_HEADER_SIZE;
  readonly maxPayload = V1_MAX_PAYLOAD;
  readonly halfClose = false;
  readonly credit = false;
  /** The service that the client wants. */
  readonly target: Address;
  bytesReceived = 0;
  bytesSent = 0;
  /** v1 has no half-close: `open`, then `closed`. */
  state: ChannelState = "open";

  readonly #link: V1ChannelLink;
  #receiver: ChannelReceiver | undefined;

  /** Made by the link. */
  constructor(link: V1ChannelLink, id: number, target: Address) {
    this.#link = link;
    this.id = id;
    this.target = target;
  }

  get payloadReceived(): number {
    return this.bytesReceived;
  }

  get payloadSent(): number {
    return this.bytesSent;
  }

  get open(): boolean {
    return this.state !== "closed";
  }

  get room(): number {
    return this.maxPayload; // v1 has no credit
  }

  set receiver(receiver: ChannelReceiver) {
    this.#receiver = receiver;
  }

  writable(): Promise<void> {
    return Promise.resolve();
  }

  send(frame: Uint8Array, size: number): Sent {
    if (this.state === "closed") return "copied";
    this.bytesSent += size;
    return this.#link.sendData(this.id, frame, size);
  }

  end(): void {
    throw new Error("Cannot end one direction: v1 has no half-close");
  }

  /** What was sent before goes ahead of the CLOSE. */
  close(): void {
    if (this.state === "closed") return;
    this.state = "closed";
    this.#link.closeChannel(this);
  }

  consumed(_size: number): void {}

  /** For the link: bytes of the peer. */
  received(bytes: Uint8Array): void {
    this.bytesReceived += bytes.length;
    this.#receiver?.onData(bytes);
  }

  /** For the link: the peer, or the link, ended the channel. */
  ended(reason: ChannelEndReason): void {
    if (this.state === "closed") return;
    this.state = "closed";
    this.#receiver?.onEnd(reason);
  }
}
