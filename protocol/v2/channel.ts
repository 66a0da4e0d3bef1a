/**
 * One client's byte stream on a v2 link: credit both ways, two ends, one waiting piece.
 *
 * @module
 */

import { V2_BULK_PAYLOAD, V2_HEADER_SIZE, V2_MAX_CREDIT } from "./limits.ts";
import type { Channel, ChannelReceiver } from "../channel.ts";
import { afterEnd, afterPeerEnd, type ChannelState, mayReceive, maySend } from "../channel_state.ts";
import { ProtocolError } from "../errors.ts";
import type { ChannelEndReason } from "../reasons.ts";
import type { FrameFate, Sent } from "../link.ts";
import type { SessionClock } from "./session_clock.ts";
import type { ReceiveWindow } from "./receive_windows.ts";
import { RecordTally } from "./wire/records.ts";

/** What a channel needs of its link. */
export interface V2ChannelLink {
  /** That of the session. */
  readonly clock: SessionClock;
  /** Sends a DATA frame now, or when it is the channel's turn. */
  sendData(channel: V2Channel, frame: Uint8Array, size: number): Sent;
  sendEnd(channel: V2Channel): void;
  /** Sends CLOSE, and forgets the channel. */
  sendClose(channel: V2Channel, reason: ChannelEndReason, text: string): void;
  /** Sends CREDIT if it is time. */
  giveCredit(channel: V2Channel, consumed: number): void;
}

/** A frame that waits for its turn. */
interface Piece {
  /** Headroom, then the bytes. */
  readonly frame: Uint8Array;
  /** How many bytes there are. */
  readonly total: number;
  /** Where the part that has not been sent starts, headroom not counted. */
  offset: number;
  readonly resolve: (fate: FrameFate) => void;
}

/** See {@linkcode Channel}. */
export class V2Channel implements Channel {
  readonly id: number;
  readonly headroom = V2_HEADER_SIZE;
  readonly maxPayload = V2_BULK_PAYLOAD;
  readonly halfClose = true;
  readonly credit = true;
  bytesReceived = 0;
  bytesSent = 0;
  /** This side has `ended` when it has sent END, or will behind the waiting piece. */
  state: ChannelState = "open";

  /** For the link: the credit that this side grants. */
  readonly window: ReceiveWindow;
  /** For the link: the piece that waits; its rest is {@linkcode V2Channel.size}. */
  piece: Piece | undefined;
  /** Bytes of the waiting piece that have not been sent. */
  size = 0;
  /** For the link: where this channel's last DATA ended in what was sent on the link. */
  sentUpTo = -1;
  /** For the server's link: whether the device has not answered the CONNECT: nothing else may come of it until then. */
  unanswered = false;

  readonly #link: V2ChannelLink;
  /** Of datagrams, if they go over it. */
  #tallies: { readonly received: RecordTally; readonly sent: RecordTally } | undefined;
  #credit: number;
  #receiver: ChannelReceiver | undefined;
  #wake: (() => void) | undefined;

  /** Made by the link. `credit`: bytes that this side may send at first. */
  constructor(link: V2ChannelLink, id: number, window: ReceiveWindow, credit: number) {
    this.#link = link;
    this.id = id;
    this.window = window;
    this.#credit = credit;
  }

  get clock(): SessionClock {
    return this.#link.clock;
  }

  get payloadReceived(): number {
    return this.#tallies?.received.bytes ?? this.bytesReceived;
  }

  get payloadSent(): number {
    return this.#tallies?.sent.bytes ?? this.bytesSent;
  }

  get open(): boolean {
    return this.state !== "closed";
  }

  get room(): number {
    return Math.max(0, Math.min(this.#credit, V2_BULK_PAYLOAD));
  }

  set receiver(receiver: ChannelReceiver) {
    this.#receiver = receiver;
  }

  /** Datagrams go over it, as records; to be said before anything does. */
  carryDatagrams(): void {
    this.#tallies = { received: new RecordTally(), sent: new RecordTally() };
  }

  writable(): Promise<void> {
    if (this.#credit > 0 || !this.open) return Promise.resolve();
    return new Promise((resolve) => this.#wake = resolve);
  }

  send(frame: Uint8Array, size: number): Sent {
    if (!maySend(this.state)) return "copied";
    this.#credit -= size;
    this.bytesSent += size;
    this.#tallies?.sent.add(frame, V2_HEADER_SIZE, V2_HEADER_SIZE + size);
    return this.#link.sendData(this, frame, size);
  }

  end(): void {
    if (!maySend(this.state)) return;
    this.state = afterEnd(this.state);
    if (!this.piece) this.#link.sendEnd(this); // otherwise the link does, behind the piece
  }

  close(reason: ChannelEndReason, text = ""): void {
    if (!this.open) return;
    this.shut();
    this.#link.sendClose(this, reason, text);
  }

  consumed(size: number): void {
    if (mayReceive(this.state)) this.#link.giveCredit(this, size);
  }

  /** For the link: nothing can be sent from now on; whoever waits is let go. */
  shut(): void {
    this.state = "closed";
    this.piece?.resolve("copied");
    this.piece = undefined;
    this.#wake?.();
    this.#wake = undefined;
  }

  /** For the link: bytes of the peer. */
  received(bytes: Uint8Array): void {
    this.window.received(bytes.length);
    this.bytesReceived += bytes.length;
    this.#tallies?.received.add(bytes, 0, bytes.length);
    this.#receiver?.onData(bytes);
  }

  /**
   * For the link: the peer grants more; or less, when what it grants takes the place of what could be sent before. Where
   * this side has ended, it came too late.
   *
   * @throws {ProtocolError} `credit-exceeded` if no channel can have so much.
   */
  credited(bytes: number): void {
    if (this.#credit + bytes > V2_MAX_CREDIT) {
      throw new ProtocolError(
        "credit-exceeded",
        `Cannot have ${this.#credit + bytes} bytes of credit on channel ${this.id}: ${V2_MAX_CREDIT} are the most`,
      );
    }
    if (!maySend(this.state)) return;
    this.#credit += bytes;
    if (this.#credit <= 0) return;
    this.#wake?.();
    this.#wake = undefined;
  }

  /** For the link: the peer will send no more. */
  peerEnd(): void {
    this.state = afterPeerEnd(this.state);
    this.#receiver?.onPeerEnd?.();
  }

  /** For the link: the peer, or the link, ended the channel. */
  lost(reason: ChannelEndReason): void {
    if (!this.open) return;
    this.shut();
    this.#receiver?.onEnd(reason);
  }
}
