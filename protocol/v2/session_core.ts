/**
 * The state of a v2 session, the same for both roles: channels with credit, turns, acknowledgements, pings; on one link,
 * or on several one after the other.
 *
 * Sans I/O; see `link.ts`. `v2.md` is the specification.
 *
 * @module
 */

import { mayReceive, maySend } from "../channel_state.ts";
import { ProtocolError } from "../errors.ts";
import { type Goodbye, goodbye, goodbyeFrame, readGoodbye } from "./wire/goodbye.ts";
import type { Link, Sent } from "../link.ts";
import type { ChannelEndReason } from "../reasons.ts";
import { FrameLoad } from "./frame_load.ts";
import { ReceiveWindow } from "./receive_windows.ts";
import { V2Answers } from "./answers.ts";
import { V2Channel, type V2ChannelLink } from "./channel.ts";
import { creditFrame, v2Frame } from "./wire/codec.ts";
import { V2Command } from "./wire/commands.ts";
import { V2Decoder, type V2FrameHandler } from "./wire/decoder.ts";
import { expectSize, readUint } from "./wire/fields.ts";
import { SessionClock } from "./session_clock.ts";
import type { V2CoreOptions, V2LinkEvents } from "./session_options.ts";
import { closeFrame, readClose, readSettings, type Settings, settingsFrame } from "./wire/messages.ts";
import { type V2Path, V2Sender } from "./send/sender.ts";

/** A link of either role; see `server_link.ts` and `device_link.ts`. */
export abstract class V2SessionCore implements Link, V2FrameHandler, V2ChannelLink {
  /** Channels that were opened. */
  opened = 0;

  readonly clock: SessionClock;
  /** What it was given. */
  readonly options: V2CoreOptions;
  protected readonly channels = new Map<number, V2Channel>();

  readonly #decoder = new V2Decoder(this);
  readonly #sender: V2Sender;
  readonly #answers: V2Answers;
  readonly #load: FrameLoad;
  readonly #events: V2LinkEvents;

  /** A session whose first link is to be attached. */
  constructor(options: V2CoreOptions, events: V2LinkEvents) {
    this.options = options;
    this.#events = events;
    this.#load = new FrameLoad(options.time.now());
    this.#sender = new V2Sender(options.time, options.log, (channel) => this.#onSent(channel));
    const answers = this.#answers = new V2Answers(options, this.#decoder, this.#sender);
    this.clock = new SessionClock(options.time, () => answers.leastRoundTrip);
  }

  /** Position up to which numbered bytes were received, and are or will be applied. */
  get received(): number {
    return this.#decoder.position;
  }

  /** Position up to which the peer has acknowledged. */
  get acknowledged(): number {
    return this.#sender.acknowledgedUpTo;
  }

  /** Whether the session can go on with a peer that has received all before `position`. */
  canReplayFrom(position: number): boolean {
    return this.#sender.canReplayFrom(position);
  }

  /**
   * A link is up whose peer has received all before `position`.
   *
   * @returns the bytes that were sent again.
   * @throws {ProtocolError} `bad-position` if the session cannot go on from there.
   */
  attach(path: V2Path, position = 0): number {
    this.#decoder.resume();
    this.#answers.reset();
    const replayed = this.#sender.attach(path, position);
    this.ping(); // the round trip, the clock offset, and an acknowledgement of what was sent again
    this.#sender.takeTurns();
    return replayed;
  }

  /** The link is gone, and the session may go on with another. */
  detach(): void {
    this.#sender.detach();
  }

  /** The peer's wall clock less this side's, in milliseconds, as the last PONG had it. */
  get clockOffset(): number | undefined {
    return this.#answers.clockOffset;
  }

  /** The last round trip of a PING on this link, in milliseconds. */
  get roundTrip(): number | undefined {
    return this.#answers.roundTrip;
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

  /** Bytes that this side has sent and the peer has not acknowledged. */
  get onTheWay(): number {
    return this.#sender.onTheWay;
  }

  /** @throws {ProtocolError} if the peer broke the protocol; {UnansweredError} if the path may carry nothing to it. */
  receive(chunk: Uint8Array, now: number): void {
    try {
      this.#decoder.push(chunk);
      this.#answers.heard(now);
    } catch (error) {
      if (error instanceof ProtocolError) this.sendGoodbye(goodbye("protocol-error", error.message));
      throw error;
    }
    this.#answers.send();
  }

  pause(now: number): number {
    return this.#load.pause(now);
  }

  tick(): void {}

  end(reason: ChannelEndReason): void {
    this.#decoder.stop(); // what is left in a chunk is not for a link that is over
    const channels = [...this.channels.values()];
    this.channels.clear();
    this.#sender.close();
    for (const channel of channels) {
      this.#sender.forget(channel);
      channel.window.close();
      channel.lost(reason);
    }
    this.options.budget.close();
  }

  /** Asks the peer for a sign of life. */
  ping(): void {
    this.#answers.ask();
  }

  /** Says what is in force, or what is wanted. */
  sendSettings(settings: Settings): void {
    this.control(settingsFrame(settings));
  }

  /** Says the last word; the owner closes the connection when it is flushed. */
  sendGoodbye(goodbye: Goodbye): void {
    this.control(goodbyeFrame(goodbye));
  }

  sendData(channel: V2Channel, frame: Uint8Array, size: number): Sent {
    return this.#sender.data(channel, frame, size);
  }

  sendEnd(channel: V2Channel): void {
    this.control(v2Frame(V2Command.END, channel.id));
    if (channel.state === "both-ended") this.#gone(channel);
  }

  sendClose(channel: V2Channel, reason: ChannelEndReason, text: string): void {
    this.forget(channel);
    this.control(this.closing(channel, reason, text));
  }

  giveCredit(channel: V2Channel, consumed: number): void {
    const credit = channel.window.consumed(consumed, this.options.time.now(), this.#answers.leastRoundTrip);
    if (credit > 0) this.control(creditFrame(channel.id, credit));
  }

  onData(id: number, bytes: Uint8Array): void {
    const channel = this.channelOf(id);
    if (!channel) return this.#load.add(V2Command.DATA, bytes.length);
    if (!mayReceive(channel.state)) throw new ProtocolError("wrong-direction", `DATA behind the END of channel ${id}`);
    channel.received(bytes);
  }

  onAcknowledge(): void {
    this.#answers.wanted();
  }

  onFrame(command: V2Command, id: number, payload: Uint8Array): void {
    this.#load.add(command, payload.length);
    this.handle(command, id, payload);
  }

  onSkipped(command: number): void {
    this.#load.add(command, 0);
  }

  /** A control frame came: those that both roles know. */
  protected handle(command: V2Command, id: number, payload: Uint8Array): void {
    switch (command) {
      case V2Command.END: {
        expectSize("END", payload, 0);
        const channel = this.channelOf(id);
        if (!channel || !mayReceive(channel.state)) return;
        channel.peerEnd();
        if (channel.state === "both-ended" && !channel.piece) this.#gone(channel);
        return;
      }
      case V2Command.CREDIT:
        expectSize("CREDIT", payload, 4);
        return this.channelOf(id)?.credited(readUint(payload, 0, 4));
      case V2Command.CLOSE: {
        const { reason, text } = readClose(payload);
        const channel = this.channelOf(id);
        if (channel) this.closedByPeer(channel, reason, text);
        return;
      }
      case V2Command.SETTINGS:
        return this.#events.onSettings(readSettings(payload, this.options.adapts));
      case V2Command.GOODBYE:
        this.#decoder.stop(); // it is the last frame
        return this.#events.onGoodbye(readGoodbye(payload));
      case V2Command.ACK:
        return this.#answers.onAck(payload);
      case V2Command.PING:
        return this.#answers.onPing(payload);
      case V2Command.PONG:
        return this.#answers.onPong(payload);
      default:
        throw new ProtocolError("wrong-direction", `Command ${command} cannot come here`);
    }
  }

  /** The channel of a frame that came; `undefined` for one that is not open: the frame was on its way when it ended. */
  protected channelOf(id: number): V2Channel | undefined {
    const channel = this.channels.get(id);
    if (!channel && id === 0) throw new ProtocolError("bad-channel", "Channel 0 is the link itself, and has no bytes");
    return channel;
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
    const window = new ReceiveWindow(this.options.budget, this.options.time.now(), early);
    const channel = new V2Channel(this, id, window, credit);
    this.channels.set(id, channel);
    this.opened++;
    return channel;
  }

  /** Takes a channel out of the table without a word on the wire. */
  protected forget(channel: V2Channel): void {
    this.channels.delete(channel.id);
    this.#sender.forget(channel);
    channel.window.close();
  }

  /** Sends a control frame. It waits for nobody. */
  protected control(frame: Uint8Array): void {
    this.#sender.control(frame);
  }

  /** What waited of a channel has been sent: its END, if it has ended meanwhile, is next. */
  #onSent(channel: V2Channel): void {
    if (channel.open && !maySend(channel.state)) this.sendEnd(channel);
  }

  /** Both sides have sent their END. */
  #gone(channel: V2Channel): void {
    this.forget(channel);
    channel.shut();
  }

  /** Whether so much waits for acknowledgements that no new channels are to add to it. */
  protected get congested(): boolean {
    return this.#answers.congested;
  }
}
