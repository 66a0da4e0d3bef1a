/**
 * One client's byte stream on a link, whatever the profile: what its connection's pump sees of it.
 *
 * @module
 */

import type { ChannelState } from "./channel_state.ts";
import type { Sent } from "./link.ts";
import type { ChannelEndReason } from "./reasons.ts";

/** Where the bytes go that the peer sends on a channel. */
export interface ChannelReceiver {
  /** Bytes in order. The view is valid during the call, unless the owner of the chunk lets it be pinned. */
  onData(bytes: Uint8Array): void;
  /** The peer will send no more; bytes can still be sent to it. Only where {@linkcode Channel.halfClose}. */
  onPeerEnd?(): void;
  /** Nothing more comes, and nothing can be sent: deliver what came, or drop it where the reason is a reset. */
  onEnd(reason: ChannelEndReason): void;
}

/** How old datagrams are. */
export interface DatagramClock {
  /** A time of the clock as it stands in a record. */
  stamp(at: number): number;
  /** Whether what its sender got at `stamp` comes more than `maxAge` milliseconds later than the path explains. */
  isLate(stamp: number, maxAge: number): boolean;
}

/** The state of a channel on this side of the link. */
export interface Channel {
  /** Its number on the wire. */
  readonly id: number;
  /** Bytes that came from the peer, as the wire has them. */
  readonly bytesReceived: number;
  /** Bytes that went to the peer, as the wire has them. */
  readonly bytesSent: number;
  /** Of those that came, the ones that are the users' own: where datagrams go over it, theirs without their headers. */
  readonly payloadReceived: number;
  /** Of those that went, the ones that are the users' own. */
  readonly payloadSent: number;
  /** Room that {@linkcode Channel.send} needs in front of a payload. */
  readonly headroom: number;
  /** Largest payload of one frame. */
  readonly maxPayload: number;
  /** Whether one direction can end while the other goes on. Without: an end is an end of both. */
  readonly halfClose: boolean;
  /** Whether the channel is flow-controlled apart. Without: a slow receiver has to hold the whole link. */
  readonly credit: boolean;
  /** Which of its ways are open. */
  readonly state: ChannelState;
  /** Whether it is not `closed`. */
  readonly open: boolean;
  /** Bytes that can be sent now; 0: wait for {@linkcode Channel.writable}. */
  readonly room: number;
  /** Tells how old datagrams are, where the profile carries any. */
  readonly clock?: DatagramClock;
  /** Says where received bytes go; to be set before the next chunk is decoded. */
  set receiver(receiver: ChannelReceiver);
  /** Resolves when there is room, or the channel is closed. */
  writable(): Promise<void>;
  /**
   * Sends `size` bytes that stand in `frame` behind the headroom, which is overwritten; {@linkcode Channel.room} at most.
   * Does nothing once this side has ended.
   *
   * @returns what becomes of `frame`; a promise if the caller has to wait before it touches it or sends more.
   */
  send(frame: Uint8Array, size: number): Sent;
  /** Says that this side will send no more; what was sent before goes ahead of it. Only where `halfClose`. */
  end(): void;
  /** Ends the channel from this side, both ways; the peer is told the reason and `text` where the profile can. Idempotent. */
  close(reason: ChannelEndReason, text?: string): void;
  /** The receiver's sink has taken `size` bytes of what came. */
  consumed(size: number): void;
}
