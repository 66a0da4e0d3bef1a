/**
 * The sending side of a v2 link: positions, turns, and how much may be on the way; `v2.md`, "Acknowledgement, and what may
 * be on the way".
 *
 * @module
 */

import { FairQueue } from "./fair_queue.ts";
import { V2_BULK_PAYLOAD, V2_HEADER_SIZE, V2_OVERDRAFT, V2_SHARED_PAYLOAD, V2_SPARSE_MAX } from "./limits.ts";
import type { LinkOutput } from "./link.ts";
import { PathEstimator } from "./path_estimator.ts";
import type { V2Channel } from "./v2_channel.ts";
import { flagAcknowledge, writeV2Header } from "./v2_codec.ts";
import { NOT_NUMBERED, V2Command } from "./v2_commands.ts";

/** Frames below this size wait for Nagle's algorithm. */
const SMALL_FRAME = 1024;

/** Frames in a row of the channel that sent last after which it counts as the only busy one. */
const ALONE_AFTER = 8;

/** Sends the frames of one link. */
export class V2Sender {
  readonly #output: LinkOutput;
  readonly #now: () => number;
  readonly #nagle: boolean;
  readonly #path: PathEstimator;
  readonly #queue = new FairQueue<V2Channel>();
  readonly #onSent: (channel: V2Channel) => void;
  #position = 0;
  #acknowledged = 0;
  // Whether several channels send much: then frames are smaller, so that none waits long behind another.
  #lastSender: V2Channel | undefined;
  #shared = 0;

  /**
   * Sends to `output`. `nagle`: whether small writes wait in this side's network stack until the peer has acknowledged
   * what went before. `onSent` hears when a piece that waited has been sent in full.
   */
  constructor(output: LinkOutput, now: () => number, nagle: boolean, onSent: (channel: V2Channel) => void) {
    this.#output = output;
    this.#now = now;
    this.#nagle = nagle;
    this.#onSent = onSent;
    this.#path = new PathEstimator(now());
  }

  /** Bytes that have been sent and not acknowledged. */
  get onTheWay(): number {
    return this.#path.onTheWay;
  }

  /** The least round trip that acknowledgements showed, in milliseconds; `Infinity` before the first. */
  get leastRoundTrip(): number {
    return this.#path.leastRoundTrip;
  }

  /** Sends a control frame. It waits for nobody. */
  control(frame: Uint8Array): void {
    if ((frame[2]! & NOT_NUMBERED) === 0) this.#number(frame, frame.length);
    this.#output.control(frame);
  }

  /** Sends a DATA frame now, or when it is the channel's turn. @returns a promise if the caller has to wait. */
  data(channel: V2Channel, frame: Uint8Array, size: number): Promise<void> | undefined {
    const whole = frame.subarray(0, V2_HEADER_SIZE + size);
    if (this.#mayGo(channel, size)) return this.#emit(channel, whole, size, false);
    const { promise, resolve } = Promise.withResolvers<void>();
    channel.piece = { frame: whole, offset: 0, resolve };
    channel.size = size;
    this.#queue.add(channel);
    this.takeTurns(); // there may be room for a part
    return promise;
  }

  /** Drops what waits of a channel that is gone. */
  forget(channel: V2Channel): void {
    this.#queue.forget(channel);
  }

  /**
   * The peer has received everything before `position`; {@linkcode V2Sender.takeTurns} is due then.
   *
   * @throws {ProtocolError} `bad-position`.
   */
  acknowledged(position: number): void {
    this.#path.acknowledged(position, this.#now());
    this.#acknowledged = position;
  }

  /** A round trip of a PING was seen. */
  confirm(roundTrip: number): void {
    this.#path.confirm(roundTrip, this.#now());
  }

  /** Sends what waits, in turns, as far as the path has room. */
  takeTurns(): void {
    for (;;) {
      const turn = this.#queue.next(Math.min(this.#frameMax, this.#path.room - V2_HEADER_SIZE));
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
      this.#onSent(channel);
    }
  }

  /** Largest payload of a frame now. */
  get #frameMax(): number {
    return this.#shared > 0 ? V2_SHARED_PAYLOAD : V2_BULK_PAYLOAD;
  }

  /** Whether a frame may go at once: there is room on the path, or it is a keystroke, which does not wait for bulk. */
  #mayGo(channel: V2Channel, size: number): boolean {
    const { onTheWay, limit, room } = this.#path;
    if (this.#queue.waiting === 0 && size <= this.#frameMax && size + V2_HEADER_SIZE <= room) return true;
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
    channel.sentUpTo = this.#position;
    return copy ? this.#output.copy(frame) : this.#output.data(frame);
  }

  #number(frame: Uint8Array, size: number): void {
    this.#position += size;
    const flag = this.#path.sent(size, this.#now());
    if (flag || (this.#nagle && size < SMALL_FRAME)) flagAcknowledge(frame, 0);
  }
}
