/**
 * The device's side of a link: it sends LISTEN, then channels are opened to it.
 *
 * @module
 */

import { CROSSED_ID_REST_MS, UNCONFIRMED_ID_REST_MS, V1_HEADER_SIZE, V1_MAX_CHANNELS } from "./limits.ts";
import type { Time } from "../../base/clock.ts";
import type { Address } from "../address.ts";
import type { V1Channel } from "./channel.ts";
import { v1Listen } from "./codec.ts";
import { EarlyBytes } from "./early_bytes.ts";
import { ProtocolError } from "../errors.ts";
import { Knocks } from "./knocks.ts";
import type { LinkOutput } from "../link.ts";
import { V1Link } from "./link.ts";

/** What the device's side of a link tells its owner. */
export interface V1DeviceLinkEvents {
  /**
   * A client wants to reach the channel's target. The owner sets the channel's receiver, or closes it.
   *
   * @param early Bytes that came ahead of the CONNECT, in order; often none.
   */
  onOpen(channel: V1Channel, early: Uint8Array): void;
  /** A client wanted to reach `target`, and had gone before its CONNECT came: nothing is to be done for it. */
  onGone(id: number, target: Address): void;
  /** A CONNECT could not be read; it was answered with CLOSE. */
  onBadConnect(id: number, why: string): void;
}

/** The device's side; see {@linkcode V1Link}. */
export class V1DeviceLink extends V1Link {
  protected readonly peerCloseReason = "client-closed";

  readonly #events: V1DeviceLinkEvents;
  readonly #ids: number;
  readonly #early = new EarlyBytes();
  /** Ids that this side closed and the server has not confirmed, with the time of their CLOSE. */
  readonly #unconfirmed = new Map<number, number>();
  readonly #knocks: Knocks;
  /** When a channel of this id ended last: a CLOSE soon after that is one more of its own. */
  readonly #endedAt = new Map<number, number>();

  /** A link that has not sent LISTEN yet, to a server with `ids` client ids. */
  constructor(output: LinkOutput, time: Pick<Time, "now">, events: V1DeviceLinkEvents, ids = V1_MAX_CHANNELS) {
    super(output, time);
    this.#ids = ids;
    this.#events = events;
    this.#knocks = new Knocks(ids);
  }

  get deadline(): number {
    return Math.min(this.#early.deadline, this.#knocks.deadline);
  }

  /** Whether the server has answered a knock on this link, and can be knocked at in that way. */
  get answersKnocks(): boolean {
    return this.#knocks.answered;
  }

  /** Sends LISTEN: the first frame of a link. */
  listen(): void {
    this.output.control(v1Listen());
  }

  tick(): void {
    const now = this.time.now();
    for (const id of this.#early.expire(now)) this.#refuse(id);
    const id = this.#knocks.secondTry(now);
    if (id !== undefined) this.#sendNothing(id);
  }

  /**
   * Asks a server that is silent for a sign of life, on a profile that has no ping, in the way that it is known to answer;
   * see {@linkcode Knocks}. A server that does not answer takes it as a no-op.
   *
   * @returns false if so many ids are in use that the knock might hit a client who is just being opened.
   */
  knock(): boolean {
    if (this.channelCount >= this.#ids / 2) return false;
    const { emptyDataId, closeId } = this.#knocks;
    if (emptyDataId !== undefined) {
      this.#sendNothing(emptyDataId);
      return true;
    }
    if (this.channelOf(closeId) || this.#awaitsConfirmation(closeId)) return false;
    this.#knocks.sentClose(closeId, this.time.now());
    this.sendClose(closeId);
    return true;
  }

  onListen(): void {
    throw new ProtocolError("wrong-direction", "Only a device may send LISTEN; is the other side a device too?");
  }

  onConnect(id: number, target: Address): void {
    const old = this.channelOf(id);
    if (old) this.forget(old, "id-reused"); // as the original device: close the old one, open anew
    this.#unconfirmed.delete(id);
    this.#knocks.used(id);
    const { bytes, closed } = this.#early.take(id);
    if (closed && bytes.length === 0) {
      this.counters.channels++;
      this.sendClose(id);
      this.unconfirmed(id, false);
      return this.#events.onGone(id, target);
    }
    this.#events.onOpen(this.addChannel(id, target), bytes);
    if (closed) this.onClose(id);
  }

  onBadConnect(id: number, why: string): void {
    const old = this.channelOf(id);
    if (old) this.forget(old, "id-reused");
    this.#knocks.used(id);
    this.#early.drop(id);
    this.#refuse(id);
    this.#events.onBadConnect(id, why);
  }

  protected unconfirmed(id: number, _dataSent: boolean): void {
    this.#knocks.ended(id);
    const now = this.time.now();
    this.#endedAt.set(id, now);
    this.#unconfirmed.delete(id);
    this.#unconfirmed.set(id, now);
  }

  protected confirmed(channel: V1Channel): void {
    this.#knocks.ended(channel.id);
    this.#endedAt.set(channel.id, this.time.now());
  }

  protected strayData(id: number, bytes: Uint8Array): void {
    if (this.#awaitsConfirmation(id)) {
      this.counters.strayData++; // on its way when this side closed
      return;
    }
    this.#knocks.used(id);
    if (!this.#early.hold(id, bytes, this.time.now())) this.#refuse(id);
  }

  /** The confirmation of this side's CLOSE, an answer to a knock, one CLOSE too many, or one ahead of its CONNECT. */
  protected strayClose(id: number): void {
    this.counters.strayClose++;
    if (this.#unconfirmed.delete(id)) return this.#early.drop(id);
    const now = this.time.now();
    if (this.#knocks.isAnswer(id, now)) return;
    this.#knocks.used(id);
    const endedAt = this.#endedAt.get(id);
    if (endedAt === undefined || endedAt + CROSSED_ID_REST_MS <= now) this.#early.close(id, now);
  }

  #awaitsConfirmation(id: number): boolean {
    const closed = this.#unconfirmed.get(id);
    return closed !== undefined && this.time.now() < closed + UNCONFIRMED_ID_REST_MS;
  }

  #refuse(id: number): void {
    this.counters.strayData++;
    this.sendClose(id);
    this.unconfirmed(id, false);
  }

  /** DATA of size 0. */
  #sendNothing(id: number): void {
    this.#knocks.sentEmptyData();
    this.sendData(id, new Uint8Array(V1_HEADER_SIZE), 0);
  }
}
