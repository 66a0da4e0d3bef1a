/**
 * The device's side of a link: it sends LISTEN, then channels are opened to it.
 *
 * @module
 */

import type { Address } from "./address.ts";
import type { V1Channel } from "./v1_channel.ts";
import type { Codec } from "./codec.ts";
import { EarlyBytes } from "./early_bytes.ts";
import { ProtocolError } from "./errors.ts";
import { UNCONFIRMED_ID_REST_MS } from "./limits.ts";
import type { LinkOutput } from "./link.ts";
import { V1Link } from "./v1_link.ts";

/** What the device's side of a link tells its owner. */
export interface V1DeviceLinkEvents {
  /**
   * A client wants to reach the channel's target. The owner sets the channel's receiver, or closes it.
   *
   * @param early Bytes that came ahead of the CONNECT, in order; often none.
   */
  onOpen(channel: V1Channel, early: Uint8Array): void;
  /** A CONNECT could not be read; it was answered with CLOSE. */
  onBadConnect(id: number, why: string): void;
}

/** The device's side; see {@linkcode V1Link}. */
export class V1DeviceLink extends V1Link {
  protected readonly peerCloseReason = "client-closed";

  readonly #events: V1DeviceLinkEvents;
  readonly #early = new EarlyBytes();
  /** Ids that this side closed and the server has not confirmed, with the time of their CLOSE. */
  readonly #unconfirmed = new Map<number, number>();
  /** The id to knock with: the one that ended last is the last that a server hands out again. */
  #lastEnded = 0;
  #knocked: number | undefined;
  #answersKnocks = false;

  /** A link that has not sent LISTEN yet. */
  constructor(codec: Codec, output: LinkOutput, events: V1DeviceLinkEvents) {
    super(codec, output);
    this.#events = events;
  }

  get deadline(): number {
    return this.#early.deadline;
  }

  /** Whether the server has answered a knock on this link. */
  get answersKnocks(): boolean {
    return this.#answersKnocks;
  }

  /** Sends LISTEN: the first frame of a link. */
  listen(): void {
    this.output.control(this.codec.listen());
  }

  tick(now: number): void {
    this.now = now;
    for (const id of this.#early.expire(now)) this.#refuse(id);
  }

  /**
   * Sends a CLOSE for an id that is not in use. Known servers answer it, so an answer proves life on a profile that has
   * no ping; a server that does not answer takes it as a no-op.
   *
   * @returns false if so many ids are in use that the knock might hit a client who is just being opened.
   */
  knock(): boolean {
    if (this.channelCount >= this.codec.capabilities.maxChannels / 2) return false;
    if (this.channelOf(this.#lastEnded) || this.#awaitsConfirmation(this.#lastEnded)) return false;
    this.#knocked = this.#lastEnded;
    this.sendClose(this.#lastEnded);
    return true;
  }

  onListen(): void {
    throw new ProtocolError("wrong-direction", "Only a device may send LISTEN; is the other side a device too?");
  }

  onConnect(id: number, target: Address): void {
    const old = this.channelOf(id);
    if (old) this.forget(old, "id-reused"); // as the original device: close the old one, open anew
    this.#unconfirmed.delete(id);
    if (id === this.#knocked) this.#knocked = undefined;
    this.#events.onOpen(this.addChannel(id, target), this.#early.take(id));
  }

  onBadConnect(id: number, why: string): void {
    const old = this.channelOf(id);
    if (old) this.forget(old, "id-reused");
    this.#early.drop(id);
    this.#refuse(id);
    this.#events.onBadConnect(id, why);
  }

  protected unconfirmed(id: number, _dataSent: boolean): void {
    this.#lastEnded = id;
    this.#unconfirmed.delete(id);
    this.#unconfirmed.set(id, this.now);
  }

  protected confirmed(channel: V1Channel): void {
    this.#lastEnded = channel.id;
  }

  protected strayData(id: number, bytes: Uint8Array): void {
    if (this.#awaitsConfirmation(id)) {
      this.counters.strayData++; // on its way when this side closed
      return;
    }
    if (!this.#early.hold(id, bytes, this.now)) this.#refuse(id);
  }

  protected strayClose(id: number): void {
    this.counters.strayClose++;
    this.#early.drop(id);
    if (this.#unconfirmed.delete(id) || id !== this.#knocked) return;
    this.#knocked = undefined;
    this.#answersKnocks = true;
  }

  #awaitsConfirmation(id: number): boolean {
    const closed = this.#unconfirmed.get(id);
    return closed !== undefined && this.now < closed + UNCONFIRMED_ID_REST_MS;
  }

  #refuse(id: number): void {
    this.counters.strayData++;
    this.sendClose(id);
    this.unconfirmed(id, false);
  }
}
