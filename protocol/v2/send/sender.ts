/**
 * The sending side of a v2 session: positions, turns, how much may be on the way, and what is kept for replay; `v2.md`,
 * "Acknowledgement, and what may be on the way" and "Resume".
 *
 * @module
 */

import {
  KEEP_WHOLE,
  MAX_KEPT_CONTROL,
  V2_BULK_PAYLOAD,
  V2_HEADER_SIZE,
  V2_IN_THE_WAY_MS,
  V2_OVERDRAFT,
  V2_SHARED_PAYLOAD,
  V2_SPARSE_MAX,
} from "../limits.ts";
import type { Time } from "../../../base/clock.ts";
import { ProtocolError } from "../../errors.ts";
import { FairQueue } from "./fair_queue.ts";
import { KeptControl } from "./kept_control.ts";
import type { FrameFate, LinkOutput, Sent } from "../../link.ts";
import { PathEstimator } from "./path_estimator.ts";
import type { SendLog } from "./send_log.ts";
import type { V2Channel } from "../channel.ts";
import { flagAcknowledge, writeV2Header } from "../wire/codec.ts";
import { NOT_NUMBERED, V2Command } from "../wire/commands.ts";

/** Frames below this size wait for Nagle's algorithm. */
const SMALL_FRAME = 1024;

/** Frames in a row of the channel that sent last after which it counts as the only busy one. */
const ALONE_AFTER = 8;

/** Where a session's frames go while a link is up. */
export interface V2Path {
  /** The link's output. */
  readonly output: LinkOutput;
  /** Whether small writes wait in this side's network stack until the peer has acknowledged what went before (Nagle). */
  readonly nagle: boolean;
}

/** Sends the frames of one session, on one link after the other. */
export class V2Sender {
  readonly #time: Pick<Time, "now">;
  readonly #log: SendLog | undefined;
  readonly #queue = new FairQueue<V2Channel>();
  readonly #onSent: (channel: V2Channel) => void;
  #output: LinkOutput | undefined;
  #nagle = false;
  #path: PathEstimator;
  #position = 0;
  #acknowledged = 0;
  #closed = false;
  readonly #kept = new KeptControl();
  // Up to where the peer was asked to acknowledge, and since when that, or its last acknowledgement, is.
  #askedUpTo = 0;
  #waitsSince = 0;
  // Whether several channels send much: then frames are smaller, unless the path is fast, so that none waits long behind another.
  #lastSender: V2Channel | undefined;
  #shared = 0;

  /**
   * A sender without a link. `log`: keeps what is sent until it is acknowledged; without, nothing outlives its link.
   * `onSent` hears when a piece that waited has been sent in full.
   */
  constructor(time: Pick<Time, "now">, log: SendLog | undefined, onSent: (channel: V2Channel) => void) {
    this.#time = time;
    this.#log = log;
    this.#onSent = onSent;
    this.#path = new PathEstimator(time.now());
  }

  /** See {@linkcode V2Path.nagle}; of the link that is up. */
  get nagle(): boolean {
    return this.#nagle;
  }

  /** Position of what was sent. */
  get position(): number {
    return this.#position;
  }

  /** Position up to which the peer has acknowledged. */
  get acknowledgedUpTo(): number {
    return this.#acknowledged;
  }

  /** Bytes that have been sent and not acknowledged. */
  get onTheWay(): number {
    return this.#path.onTheWay;
  }

  /** The least round trip that acknowledgements showed on this link, in milliseconds; `Infinity` before the first. */
  get leastRoundTrip(): number {
    return this.#path.leastRoundTrip;
  }

  /** Milliseconds for which the peer has acknowledged nothing, though it was asked to; 0 if it was not. */
  unanswered(now: number): number {
    return this.#askedUpTo > this.#acknowledged ? now - this.#waitsSince : 0;
  }

  /** Bytes of control frames that the peer has not acknowledged; up to 64 KiB more than there are. */
  get keptControl(): number {
    return this.#kept.bytes;
  }

  /** What these may come to before the peer is given up. */
  get controlLimit(): number {
    return this.#log?.controlLimit ?? MAX_KEPT_CONTROL;
  }

  /** Whether a session can go on whose peer has received all before `position`. */
  canReplayFrom(position: number): boolean {
    return position >= (this.#log?.base ?? this.#position) && position <= this.#position;
  }

  /**
   * A link is up, and its peer has received all before `position`: what follows is sent again, then what waits.
   *
   * @returns the bytes that were sent again.
   * @throws {ProtocolError} `bad-position` if that cannot be.
   */
  attach({ output, nagle }: V2Path, position: number): number {
    if (!this.canReplayFrom(position)) {
      throw new ProtocolError(
        "bad-position",
        `Cannot replay from ${position}: current range is ${this.#log?.base ?? this.#position} to ${this.#position}`,
      );
    }
    this.#output = output;
    this.#nagle = nagle;
    this.#acknowledged = position;
    this.#path = new PathEstimator(this.#time.now(), position, this.#position);
    this.#setQuantum();
    this.#kept.acknowledged(position, position === this.#position);
    this.#askedUpTo = this.#position; // by the PING that follows
    this.#waitsSince = this.#time.now();
    this.#log?.acknowledged(position);
    this.#share();
    if (this.#log) { for (const bytes of this.#log.kept()) output.data(bytes, "logged"); }
    return this.#position - position;
  }

  /** The link is gone: what has to be sent is kept, and channels wait. */
  detach(): void {
    this.#output = undefined;
    this.#log?.unpool();
  }

  /** Sends a control frame. It waits for nobody; what is about the link itself is dropped where there is none. */
  control(frame: Uint8Array): void {
    if (this.#closed) return;
    if ((frame[2]! & NOT_NUMBERED) === 0) {
      this.#number(frame, frame.length);
      this.#kept.sent(frame.length, this.#position);
      this.#log?.copy(frame);
    }
    this.#output?.control(frame);
  }

  /** Sends a DATA frame now, or when it is the channel's turn. */
  data(channel: V2Channel, frame: Uint8Array, size: number): Sent {
    if (this.#mayGo(channel, size)) return this.#emit(channel, frame, 0, size, true);
    const { promise, resolve } = Promise.withResolvers<FrameFate>();
    channel.piece = { frame, total: size, offset: 0, resolve };
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
    const now = this.#time.now();
    this.#path.acknowledged(position, now);
    if (position > this.#acknowledged) this.#waitsSince = now;
    this.#acknowledged = position;
    // Only what is written is let go of: a peer that lies would else be sent what its buffers are used for next.
    const written = this.#position - (this.#output?.pending ?? 0);
    const gone = Math.min(position, written);
    this.#kept.acknowledged(gone, gone === this.#position);
    this.#setQuantum();
    if (this.#log && gone > this.#log.base) this.#log.acknowledged(gone);
    this.#share();
  }

  /** A round trip of a PING was seen. */
  confirm(roundTrip: number): void {
    this.#path.confirm(roundTrip, this.#time.now());
  }

  /** The session is over: nothing is kept any more. */
  close(): void {
    this.detach();
    this.#closed = true;
    this.#log?.close();
  }

  /** Sends what waits, in turns, as far as the path has room. */
  takeTurns(): void {
    while (this.#output) {
      const turn = this.#queue.next(Math.min(this.#frameMax, this.#path.room - V2_HEADER_SIZE));
      if (!turn) return;
      const { item: channel, size } = turn;
      const piece = channel.piece!;
      const whole = piece.offset === 0 && size === piece.total;
      const sent = this.#emit(channel, piece.frame, piece.offset, size, whole);
      channel.size -= size;
      piece.offset += size;
      if (channel.size > 0) continue;
      channel.piece = undefined;
      if (typeof sent === "string") piece.resolve(sent);
      else sent.then(piece.resolve);
      this.#onSent(channel);
    }
  }

  /** Largest payload of a frame now. */
  get #frameMax(): number {
    return this.#shared > 0 ? this.#queue.quantum : V2_BULK_PAYLOAD;
  }

  /** On a fast path a large frame is in nobody's way for long, and costs a quarter of what four small ones do. */
  #setQuantum(): void {
    const isFast = this.#path.rate * V2_IN_THE_WAY_MS >= V2_BULK_PAYLOAD;
    this.#queue.quantum = isFast ? V2_BULK_PAYLOAD : V2_SHARED_PAYLOAD;
  }

  /** Holds what may be on the way to this session's part of what the process may keep. */
  #share(): void {
    if (this.#log) this.#path.most = this.#log.limit;
  }

  /** Whether a frame may go at once: there is room on the path, or it is a keystroke, which does not wait for bulk. */
  #mayGo(channel: V2Channel, size: number): boolean {
    if (!this.#output) return false;
    if (this.#queue.waiting === 0 && size <= this.#frameMax && size + V2_HEADER_SIZE <= this.#path.room) return true;
    const { onTheWay, limit } = this.#path;
    return size <= V2_SPARSE_MAX && channel.sentUpTo <= this.#acknowledged && onTheWay < limit + V2_OVERDRAFT;
  }

  /** Sends `size` bytes that stand in `frame` behind the headroom and `offset`. `whole`: that is all that is in it. */
  #emit(channel: V2Channel, frame: Uint8Array, offset: number, size: number, whole: boolean): Sent {
    if (size > V2_SPARSE_MAX) {
      if (this.#lastSender === channel) this.#shared = Math.max(0, this.#shared - 1);
      else if (this.#lastSender !== undefined) this.#shared = ALONE_AFTER;
      this.#lastSender = channel;
    }
    const end = V2_HEADER_SIZE + size;
    const bytes = frame.subarray(offset, offset + end);
    writeV2Header(bytes, 0, size, V2Command.DATA, channel.id);
    this.#number(bytes, end);
    channel.sentUpTo = this.#position;
    // A part is copied, so that the header of the next one can stand where its end was.
    if (!this.#log) return this.#output!.data(bytes, whole ? "lent" : "copied");
    if (!whole || size < KEEP_WHOLE) return this.#output!.data(this.#log.copy(bytes), "logged");
    this.#log.keep(frame, end);
    return this.#output!.data(bytes, "kept");
  }

  #number(frame: Uint8Array, size: number): void {
    this.#position += size;
    const now = this.#time.now();
    const flag = this.#path.sent(size, now);
    if (!flag && !(this.#nagle && size < SMALL_FRAME)) return;
    if (this.#askedUpTo <= this.#acknowledged) this.#waitsSince = now;
    this.#askedUpTo = this.#position;
    flagAcknowledge(frame, 0);
  }
}
