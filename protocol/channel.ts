/**
 * One client's byte stream on a link.
 *
 * @module
 */

import type { Address } from "./address.ts";
import type { Codec } from "./codec.ts";
import type { ChannelEndReason } from "./reasons.ts";

/** Where the bytes go that the peer sends on a channel. */
export interface ChannelReceiver {
  /** Bytes in order. The view is valid during the call, unless the owner of the chunk lets it be pinned. */
  onData(bytes: Uint8Array): void;
  /** Nothing more comes, and nothing can be sent: deliver what came, then end. */
  onEnd(reason: ChannelEndReason): void;
}

/** What a channel needs of its link. */
export interface ChannelLink {
  /** The wire profile. */
  readonly codec: Codec;
  /** Sends a DATA frame whose payload stands behind the codec's headroom; see {@linkcode Channel.send}. */
  sendData(id: number, frame: Uint8Array, size: number): Promise<void> | undefined;
  /** Sends the CLOSE of a channel that this side ended. */
  closeChannel(channel: Channel, now: number): void;
}

/** The state of a channel on this side of the link. */
export class Channel {
  /** The client id on the wire. */
  readonly id: number;
  /** The service that the client wants. */
  readonly target: Address;
  /** Bytes that came from the peer. */
  bytesReceived = 0;
  /** Bytes that went to the peer. */
  bytesSent = 0;

  readonly #link: ChannelLink;
  #receiver: ChannelReceiver | undefined;
  #open = true;

  /** Made by the link. */
  constructor(link: ChannelLink, id: number, target: Address) {
    this.#link = link;
    this.id = id;
    this.target = target;
  }

  /** The profile of the link. */
  get codec(): Codec {
    return this.#link.codec;
  }

  /** Whether bytes can be sent. */
  get open(): boolean {
    return this.#open;
  }

  /** Says where received bytes go; to be called before the next chunk is decoded. */
  set receiver(receiver: ChannelReceiver) {
    this.#receiver = receiver;
  }

  /**
   * Sends `size` bytes that stand in `frame` behind the codec's headroom, which is overwritten. Does nothing once the
   * channel has ended.
   *
   * @returns a promise if the caller has to wait before it touches `frame` or sends more.
   */
  send(frame: Uint8Array, size: number): Promise<void> | undefined {
    if (!this.#open) return undefined;
    this.bytesSent += size;
    return this.#link.sendData(this.id, frame, size);
  }

  /** Ends the channel from this side; what was sent before goes ahead of it. Idempotent. `now` in milliseconds. */
  close(now: number): void {
    if (!this.#open) return;
    this.#open = false;
    this.#link.closeChannel(this, now);
  }

  /** For the link: bytes of the peer. */
  received(bytes: Uint8Array): void {
    this.bytesReceived += bytes.length;
    this.#receiver?.onData(bytes);
  }

  /** For the link: the peer, or the link, ended the channel. */
  ended(reason: ChannelEndReason): void {
    if (!this.#open) return;
    this.#open = false;
    this.#receiver?.onEnd(reason);
  }
}
