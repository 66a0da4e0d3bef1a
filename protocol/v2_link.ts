/**
 * The state of a v2 link, the same for both roles: channels with credit, turns, acknowledgements, pings.
 *
 * Sans I/O; see `link.ts`. `v2.md` is the specification.
 *
 * @module
 */

import { ProtocolError } from "./errors.ts";
import { FairQueue } from "./fair_queue.ts";
import { type Goodbye, goodbye, goodbyeFrame, readGoodbye } from "./goodbye.ts";
import { V2_BULK_PAYLOAD, V2_HEADER_SIZE, V2_OVERDRAFT, V2_SHARED_PAYLOAD, V2_SPARSE_MAX } from "./limits.ts";
import type { Link, LinkOutput } from "./link.ts";
import { PathEstimator } from "./path_estimator.ts";
import type { ChannelEndReason } from "./reasons.ts";
import { ReceiveWindow, type WindowBudget } from "./receive_windows.ts";
import { V2Channel, type V2ChannelLink } from "./v2_channel.ts";
import { ackFrame, creditFrame, flagAcknowledge, pingFrame, pongFrame, v2Frame, writeV2Header } from "./v2_codec.ts";
import { NOT_NUMBERED, V2Command } from "./v2_commands.ts";
import { V2Decoder, type V2FrameHandler } from "./v2_decoder.ts";
import { readUint } from "./v2_fields.ts";
import { closeFrame, readClose, readSettings, type Settings, settingsFrame } from "./v2_messages.ts";

/** What a link of either role tells its owner. */
export interface V2LinkEvents {
  /** The peer takes its leave: close the connection. */
  onGoodbye(goodbye: Goodbye): void;
  /** The peer says what is in force, or what it wants. */
  onSettings(settings: Settings): void;
}

/** What a link needs. */
export interface V2LinkOptions {
  /** Where frames go. */
  readonly output: LinkOutput;
  /** The time, in milliseconds of a monotonic clock. */
  readonly now: () => number;
  /** The time, in milliseconds since 1970. */
  readonly wallClock: () => number;
  /** What may be granted. */
  readonly budget: WindowBudget;
  /** Whether small writes wait in this side's network stack until the peer has acknowledged what went before (Nagle). */
  readonly nagle: boolean;
}

/** Frames below this size wait for Nagle's algorithm. */
const SMALL_FRAME = 1024;

/** Frames in a row of the channel that sent last after which it counts as the only busy one. */
const ALONE_AFTER = 8;

/** A link of either role; see `v2_server_link.ts` and `v2_device_link.ts`. */
export abstract class V2Link implements Link, V2FrameHandler, V2ChannelLink {
  /** Channels that were opened. */
  opened = 0;
  /** The peer's wall clock less this side's, in milliseconds, as the last PONG had it. */
  clockOffset: number | undefined;
  /** The last round trip of a PING, in milliseconds. */
  roundTrip: number | undefined;

  protected readonly options: V2LinkOptions;
  protected readonly channels = new Map<number, V2Channel>();

  readonly #output: LinkOutput;
  readonly #decoder = new V2Decoder(this);
  readonly #path: PathEstimator;
  readonly #queue = new FairQueue<V2Channel>();
  readonly #events: V2LinkEvents;
  #sent = 0; // position of what this side has sent
  #acknowledged = 0;
  #ackWanted = false;
  #acknowledging = false;
  // Whether several channels send much: then frames are smaller, so that none waits long behind another.
  #lastSender: V2Channel | undefined;
  #shared = 0;

  /** A link whose handshake is done. */
  constructor(options: V2LinkOptions, events: V2LinkEvents) {
    this.options = options;
    this.#output = options.output;
    this.#events = events;
    this.#path = new PathEstimator(options.now());
  }

  /** Channels that are open. */
  get channelCount(): number {
    return this.channels.size;
  }

  get atBoundary(): boolean {
    return this.#decoder.atBoundary;
  }

  get deadline(): number {
    return Infinity;
  }

  /** Largest payload of a frame now. */
  private get frameMax(): number {
    return this.#shared > 0 ? V2_SHARED_PAYLOAD : V2_BULK_PAYLOAD;
  }

  /** Bytes that this side has sent and the peer has not acknowledged. */
  get onTheWay(): number {
    return this.#path.onTheWay;
  }

  receive(chunk: Uint8Array, _now: number): void {
    try {
      this.#decoder.push(chunk);
    } catch (error) {
      if (error instanceof ProtocolError) this.sendGoodbye(goodbye("protocol-error", error.message));
      throw error;
    }
    if (this.#ackWanted) {
      this.#ackWanted = false;
      this.#output.control(ackFrame(this.#decoder.position));
    }
    if (this.#acknowledging) {
      this.#acknowledging = false;
      this.#takeTurns();
    }
  }

  tick(_now: number): void {}

  end(reason: ChannelEndReason): void {
    this.#decoder.stop(); // what is left in a chunk is not for a link that is over
    const channels = [...this.channels.values()];
    this.channels.clear();
    for (const channel of channels) {
      this.#queue.forget(channel);
      channel.window.close();
      channel.lost(reason);
    }
  }

  /** Asks the peer for a sign of life. */
  ping(): void {
    this.#output.control(pingFrame(this.#decoder.position, Math.round(this.options.now() * 1000)));
  }

  /** Says what is in force, or what is wanted. */
  sendSettings(settings: Settings): void {
    this.control(settingsFrame(settings));
  }

  /** Says the last word; the owner closes the connection when it is flushed. */
  sendGoodbye(goodbye: Goodbye): void {
    this.#output.control(goodbyeFrame(goodbye));
  }

  sendData(channel: V2Channel, frame: Uint8Array, size: number): Promise<void> | undefined {
    if (this.#mayGo(channel, size)) return this.#emit(channel, frame.subarray(0, V2_HEADER_SIZE + size), size, false);
    const { promise, resolve } = Promise.withResolvers<void>();
    channel.piece = { frame: frame.subarray(0, V2_HEADER_SIZE + size), offset: 0, resolve };
    channel.size = size;
    this.#queue.add(channel);
    this.#takeTurns(); // there may be room for a part
    return promise;
  }

  sendEnd(channel: V2Channel): void {
    this.control(v2Frame(V2Command.END, channel.id));
    if (channel.peerEnded) this.#gone(channel);
  }

  sendClose(channel: V2Channel, reason: ChannelEndReason, text: string): void {
    this.forget(channel);
    this.control(this.closing(channel, reason, text));
  }

  giveCredit(channel: V2Channel, consumed: number): void {
    const credit = channel.window.consumed(consumed, this.options.now(), this.#leastRoundTrip);
    if (credit > 0) this.control(creditFrame(channel.id, credit));
  }

  onData(id: number, bytes: Uint8Array): void {
    const channel = this.channels.get(id);
    if (!channel) return; // on its way when this side closed
    if (channel.peerEnded) throw new ProtocolError("wrong-direction", `DATA behind the END of channel ${id}`);
    channel.received(bytes);
  }

  onAcknowledge(): void {
    this.#ackWanted = true;
  }

  onFrame(command: V2Command, id: number, payload: Uint8Array): void {
    switch (command) {
      case V2Command.END: {
        expectSize("END", payload, 0);
        const channel = this.channels.get(id);
        if (!channel || channel.peerEnded) return;
        channel.peerEnd();
        if (channel.ended && !channel.piece) this.#gone(channel);
        return;
      }
      case V2Command.CREDIT:
        expectSize("CREDIT", payload, 4);
        return this.channels.get(id)?.credited(readUint(payload, 0, 4));
      case V2Command.CLOSE: {
        const { reason, text } = readClose(payload);
        const channel = this.channels.get(id);
        if (channel) this.closedByPeer(channel, reason, text);
        return;
      }
      case V2Command.SETTINGS:
        return this.#events.onSettings(readSettings(payload));
      case V2Command.GOODBYE:
        this.#decoder.stop(); // it is the last frame
        return this.#events.onGoodbye(readGoodbye(payload));
      case V2Command.ACK:
        expectSize("ACK", payload, 8);
        return this.#acknowledge(payload);
      case V2Command.PING:
        expectSize("PING", payload, 16);
        this.#acknowledge(payload);
        this.#output.control(pongFrame(this.#decoder.position, payload.subarray(8), this.options.wallClock()));
        return;
      case V2Command.PONG:
        expectSize("PONG", payload, 24);
        this.#acknowledge(payload);
        return this.#onPong(readUint(payload, 8, 8) / 1000, readUint(payload, 16, 8));
      default:
        throw new ProtocolError("wrong-direction", `Command ${command} cannot come here`);
    }
  }

  /** The peer closed a channel. */
  protected closedByPeer(channel: V2Channel, reason: ChannelEndReason, _text: string): void {
    this.forget(channel);
    channel.lost(reason);
  }

  /** The frame that tells the peer of a channel's end by this side. */
  protected closing(channel: V2Channel, reason: ChannelEndReason, text: string): Uint8Array {
    return closeFrame(channel.id, reason, text);
  }

  /** Makes a channel. `credit`: what may be sent at first; `early`: what the peer may send before it is granted anything. */
  protected addChannel(id: number, credit: number, early: number): V2Channel {
    const window = new ReceiveWindow(this.options.budget, this.options.now(), early);
    const channel = new V2Channel(this, id, window, credit);
    this.channels.set(id, channel);
    this.opened++;
    return channel;
  }

  /** Takes a channel out of the table without a word on the wire. */
  protected forget(channel: V2Channel): void {
    this.channels.delete(channel.id);
    this.#queue.forget(channel);
    channel.window.close();
  }

  /** Sends a control frame. It waits for nobody. */
  protected control(frame: Uint8Array): void {
    if ((frame[2]! & NOT_NUMBERED) === 0) this.#number(frame, frame.length);
    this.#output.control(frame);
  }

  /** Both sides have sent their END. */
  #gone(channel: V2Channel): void {
    this.forget(channel);
    channel.shut();
  }

  get #leastRoundTrip(): number {
    return Math.min(this.#path.leastRoundTrip, this.roundTrip ?? Infinity);
  }

  /** Whether a frame may go at once: there is room on the path, or it is a keystroke, which does not wait for bulk. */
  #mayGo(channel: V2Channel, size: number): boolean {
    const { onTheWay, limit, room } = this.#path;
    if (this.#queue.waiting === 0 && size <= this.frameMax && size + V2_HEADER_SIZE <= room) return true;
    return size <= V2_SPARSE_MAX && channel.sentUpTo <= this.#acknowledged && onTheWay < limit + V2_OVERDRAFT;
  }

  #emit(channel: V2Channel, frame: Uint8Array, size: number, copy: boolean): Promise<void> | undefined {
    if (size > V2_SPARSE_MAX) {
      if (this.#lastSender === channel) this.#shared = Math.max(0, this.#shared - 1);
      else if (this.#lastSender !== undefined) this.#shared = ALONE_AFTER;
      this.#lastSender = channel;
    }
    writeV2Header(frame, 0, size, V2Command.DATA, channel.id);
    this.#number(frame, V2_HEADER_SIZE + size);
    channel.sentUpTo = this.#sent;
    return copy ? this.#output.copy(frame) : this.#output.data(frame);
  }

  #number(frame: Uint8Array, size: number): void {
    this.#sent += size;
    const flag = this.#path.sent(size, this.options.now());
    if (flag || (this.options.nagle && size < SMALL_FRAME)) flagAcknowledge(frame, 0);
  }

  #acknowledge(payload: Uint8Array): void {
    const position = readUint(payload, 0, 8);
    this.#path.acknowledged(position, this.options.now());
    this.#acknowledged = position;
    this.#acknowledging = true;
  }

  /** Sends what waits, in turns, as far as the path has room. */
  #takeTurns(): void {
    for (;;) {
      const turn = this.#queue.next(Math.min(this.frameMax, this.#path.room - V2_HEADER_SIZE));
      if (!turn) return;
      const { item: channel, size } = turn;
      const piece = channel.piece!;
      const whole = piece.offset === 0 && size === piece.frame.length - V2_HEADER_SIZE;
      // A part is copied, so that the header of the next one can stand where its end was.
      const part = piece.frame.subarray(piece.offset, piece.offset + V2_HEADER_SIZE + size);
      const wait = this.#emit(channel, part, size, !whole);
      channel.size -= size;
      piece.offset += size;
      if (channel.size > 0) continue;
      channel.piece = undefined;
      if (wait) wait.then(piece.resolve);
      else piece.resolve();
      if (channel.ended) this.sendEnd(channel);
    }
  }

  #onPong(sentAt: number, peerClock: number): void {
    const now = this.options.now();
    if (sentAt > now) return; // no PING of ours
    this.roundTrip = now - sentAt;
    this.#path.confirm(this.roundTrip, now);
    this.clockOffset = Math.round(peerClock - (this.options.wallClock() - this.roundTrip / 2));
  }
}

/** Refuses a payload of another size. */
export function expectSize(command: string, payload: Uint8Array, size: number): void {
  if (payload.length !== size) {
    throw new ProtocolError("bad-size", `${command} has a payload of ${payload.length} bytes, and has to have ${size}`);
  }
}
