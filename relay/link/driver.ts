/**
 * Runs a link on a transport: one read loop, one write queue, one timer, one end.
 *
 * @module
 */

import {
  COPY_MAX,
  FAREWELL_MS,
  LATE_TURN_MS,
  LINK_CONTROL_HIGH_WATER,
  LINK_HIGH_WATER,
  READ_WAIT_MS,
} from "../limits.ts";
import type { KeepAliveSettings } from "../../protocol/keep_alive.ts";
import type { FrameFate, Link, LinkOutput, Sent } from "../../protocol/link.ts";
import type { LinkEndReason } from "../../protocol/reasons.ts";
import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Carried } from "./day_bytes.ts";
import { channelReason, endOf, type LinkEnd, peerClosed, standsStill } from "./end.ts";
import { ReadPauses } from "./read_pauses.ts";
import { type ChunkBudget, type ReceiveChunk, ReceiveChunks } from "./receive_chunk.ts";
import { type Prober, SilenceWatch } from "./silence_watch.ts";
import type { Connection, KeepAlivePace } from "../../net/socket.ts";
import { PeerWatch } from "../../net/tcp_keep_alive.ts";
import type { Transport } from "../../net/transport.ts";
import { WriteQueue } from "../write_queue.ts";
import { WriteWatch } from "./write_watch.ts";

/** What a driver needs. */
export interface LinkDriverOptions {
  /** The connection; the driver closes it. */
  readonly transport: Transport;
  readonly clock: Clock;
  /** Milliseconds that the peer may take nothing; negative for ever. */
  readonly writeTimeout: number;
  /** Frames up to this size are gathered while a write is pending. @default {COPY_MAX} */
  readonly busyCopyMax?: number;
  /** What the link's chunks that blocked writes hold count against. @default {nothing} */
  readonly chunkBudget?: ChunkBudget | undefined;
}

const NOTHING = (): void => {};

/** The life of one link. */
export class LinkDriver implements LinkOutput {
  readonly transport: Transport;
  /** Resolves when the link has ended and its socket is closed; never rejects. */
  readonly ended: Promise<LinkEnd>;
  /** Bytes read from the link. */
  bytesReceived = 0;
  #reads = 0;

  readonly #clock: Clock;
  readonly #queue: WriteQueue;
  readonly #chunks: ReceiveChunks;
  readonly #resolveEnded: (end: LinkEnd) => void;
  #link: Link | undefined;
  #end: LinkEnd | undefined;
  #leaving: LinkEnd | undefined; // why this side is about to end: however the peer goes then, that is the reason
  #finishing = false;

  // Reading pauses while too many answers wait, and while somebody holds the link.
  #controlBytes = 0; // that may not have been written yet
  #controlMark = 0; // what has to be written before they are counted anew
  readonly #pauses: ReadPauses;
  #reading = false;
  #heardAt = -Infinity;
  readonly #listeners: (() => void)[] = [];

  // The one timer.
  #cancelTimer: () => void = NOTHING;
  #timerDue = Infinity;
  #silence: SilenceWatch | undefined;
  readonly #writes: WriteWatch;
  #peer: PeerWatch | undefined;

  /** A driver that does nothing until {@linkcode LinkDriver.start}. */
  constructor(options: LinkDriverOptions) {
    this.transport = options.transport;
    this.#clock = options.clock;
    this.#pauses = new ReadPauses(options.clock);
    this.#chunks = new ReceiveChunks(options.chunkBudget);
    const { promise, resolve } = Promise.withResolvers<LinkEnd>();
    this.ended = promise;
    this.#resolveEnded = resolve;
    this.#queue = new WriteQueue(options.transport.duplex, {
      copyMax: COPY_MAX,
      busyCopyMax: options.busyCopyMax ?? COPY_MAX,
      joins: true,
      onError: (error) => this.#gone({ reason: "connection-lost", detail: describeError(error) }),
    });
    this.#writes = new WriteWatch(this.#queue, options.writeTimeout);
  }

  /** The chunk that is being decoded; receivers pin it while they write views of it. */
  get chunk(): ReceiveChunk {
    return this.#chunks.current;
  }

  get pending(): number {
    return this.#queue.pending;
  }

  /** Bytes that the kernel has taken; while `pending` is not 0 and this stands still, the peer takes nothing. */
  get written(): number {
    return this.#queue.written;
  }

  /** What the link has carried so far. */
  get carried(): Carried {
    return { bytes: this.bytesReceived + this.#queue.written, pieces: this.#reads + this.#queue.progress };
  }

  /** Whether somebody pauses the reading: silence proves nothing then. */
  get isHeld(): boolean {
    return this.#pauses.isHeld;
  }

  /** When a byte last came, on the driver's clock. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** Resolves at the first byte that comes after the time `since`; never, if none comes. */
  heardAfter(since: number): Promise<void> {
    if (this.heardAt > since) return Promise.resolve();
    return new Promise((resolve) => this.#listeners.push(resolve));
  }

  /** Whether the link has ended. */
  get done(): boolean {
    return this.#end !== undefined;
  }

  /** Starts to read. `opening` is what was read from the transport before. */
  start(link: Link, opening: Uint8Array, prober?: Prober): void {
    this.#link = link;
    this.#silence = new SilenceWatch(prober, this.#clock.now());
    this.#read(link, opening).catch((error: unknown) => this.#gone(endOf(error)));
    this.#arm();
  }

  /** Changes the longest silence accepted, from now on, and whether the first probe is left to the peer for a moment. */
  setKeepAlive(settings: KeepAliveSettings, yields = false): void {
    if (this.#end) return;
    this.#silence?.change(settings, this.#clock.now(), yields);
    this.#arm();
  }

  /**
   * Has the system find out from now on whether the peer of `connection`, which is the link's, is gone; `undefined`: never.
   * With bytes under way it is looked at here.
   */
  watchPeer(connection: Connection, pace: KeepAlivePace | undefined): void {
    if (this.#end) return;
    this.#peer?.cancel();
    this.#peer = PeerWatch.start(connection, pace, this.#clock, () => this.close("keep-alive-timeout"));
    this.#peer?.sent(); // something may be under way already
  }

  control(frame: Uint8Array): void {
    const fresh = this.#queue.written >= this.#controlMark;
    this.#controlBytes = (fresh ? 0 : this.#controlBytes) + frame.length;
    this.#chunks.answers++;
    this.#queue.write(frame, NOTHING);
    if (fresh) this.#controlMark = this.#queue.queued;
    this.#watchWrites();
  }

  data(frame: Uint8Array, fate: FrameFate): Sent {
    this.#silence?.sent(frame.length);
    this.#watchWrites();
    if (fate === "lent") {
      if (frame.length > COPY_MAX) return this.#borrow(frame);
      this.#queue.write(frame, NOTHING);
    } else if (fate === "copied") {
      this.#queue.copy(frame);
    } else {
      this.#queue.keep(frame);
    }
    if (this.#queue.pending <= LINK_HIGH_WATER) return fate;
    return new Promise((resolve) => this.#queue.whenFlushed(() => resolve(fate)));
  }

  /** Pauses reading until as many {@linkcode LinkDriver.unhold} have come. */
  hold(): void {
    this.#pauses.hold();
  }

  /** See {@linkcode LinkDriver.hold}. */
  unhold(): void {
    this.#pauses.unhold();
  }

  /** Resolves when everything that was sent so far has been taken by the kernel, or the link has ended. */
  flushed(): Promise<void> {
    return this.#queue.flushed();
  }

  /** Ends the link in order: what was sent is flushed, this side's end is told, and the peer's own end is awaited. */
  async finish(reason: LinkEndReason, detail?: string): Promise<void> {
    this.#leaving ??= { reason, detail };
    await this.#queue.flushed();
    if (this.#end) return;
    this.#finishing = true;
    try {
      await this.transport.duplex.closeWrite();
    } catch {
      this.close(reason, detail); // the peer has gone already
    }
    await this.ended;
  }

  /**
   * Ends the link at once, but for the last words: nothing that comes is applied any more, and the peer has a moment to
   * hear what was sent, which it would lose if it were writing to a socket that is closed. Idempotent.
   */
  async dismiss(reason: LinkEndReason, detail?: string): Promise<void> {
    if (this.#end || this.#finishing) return;
    this.#finishing = true;
    this.#pauses.end();
    this.#link?.end(channelReason(reason));
    const cancel = this.#clock.after(FAREWELL_MS, () => this.close(reason, detail));
    await this.finish(reason, detail);
    cancel();
  }

  /** Ends the link at once: channels hear of it, the socket is closed. Idempotent; the first reason stays. */
  close(reason: LinkEndReason, detail?: string): void {
    if (this.#end) return;
    this.#end = { reason, detail };
    this.#cancelTimer();
    this.#peer?.cancel();
    this.#queue.abandon();
    if (standsStill(reason)) this.transport.cut();
    else this.transport.duplex.close();
    this.#pauses.end();
    this.#link?.end(channelReason(reason));
    this.#resolveEnded(this.#end);
  }

  async #read(link: Link, opening: Uint8Array): Promise<void> {
    let now = this.#clock.now();
    if (opening.length > 0) {
      this.chunk.bytes.set(opening);
      link.receive(this.chunk.bytes.subarray(0, opening.length), now);
    }
    const { duplex } = this.transport;
    const { sharesTurns = false } = duplex;
    while (!this.#end) {
      if (!sharesTurns && now >= this.#pauses.due && await this.#pauses.turn(now)) continue;
      const { bytes } = this.#chunks.next();
      this.#reading = true;
      const began = sharesTurns ? now : this.#clock.now();
      const read = duplex.read(bytes);
      const count = read instanceof Promise ? await read : read;
      this.#reading = false;
      if (count === null) return this.#gone(peerClosed(link.atBoundary));
      if (this.#end) return;
      now = this.#clock.now();
      if (!sharesTurns && count < bytes.length && now - began >= READ_WAIT_MS) this.#pauses.waited(now);
      // A socket that is closed with unread bytes resets, and the peer would lose what it has not read.
      if (this.#finishing) continue;
      this.bytesReceived += count;
      this.#reads++;
      this.#heardAt = now;
      this.#silence!.heard(now);
      if (this.#listeners.length > 0) { for (const resolve of this.#listeners.splice(0)) resolve(); }
      link.receive(count === bytes.length ? bytes : bytes.subarray(0, count), now);
      if (link.deadline < this.#timerDue) this.#arm();
      this.#chunks.learn(count);
      // A write that the kernel took at once comes back within two turns of the microtask queue: give it those, so
      // that the next read finds the same chunk, warm in the cache, rather than another one.
      if (this.chunk.pinned) await undefined;
      if (this.chunk.pinned) await undefined;
      if (this.chunk.pinned) await undefined;
      if (this.#controlBytes > LINK_CONTROL_HIGH_WATER && this.#queue.written < this.#controlMark) {
        await this.#queue.flushed(); // the peer asks more than it takes answers
      }
      if (this.#pauses.isHeld) await this.#pauses.held();
      for (let rest = link.pause?.(now) ?? 0; rest >= 1 && !this.#end; rest = link.pause!(this.#clock.now())) {
        await this.#pauses.rest(rest); // others have their turn
      }
    }
  }

  #borrow(frame: Uint8Array): Promise<FrameFate> {
    return new Promise((resolve) => {
      const release = () => resolve("lent");
      if (!this.#queue.write(frame, release)) release();
    });
  }

  /** The peer, or the path to it, has ended the link; unless this side was about to. */
  #gone(end: LinkEnd): void {
    const { reason, detail } = this.#leaving ?? end;
    this.close(reason, detail);
  }

  /** Sets the timer to what is due next. */
  #arm(): void {
    this.#cancelTimer();
    this.#cancelTimer = NOTHING;
    const due = Math.min(this.#link?.deadline ?? Infinity, this.#silence?.deadline ?? Infinity, this.#writes.due);
    this.#timerDue = due;
    if (due === Infinity || this.#end) return;
    this.#cancelTimer = this.#clock.after(Math.max(0, Math.ceil(due - this.#clock.now())), () => this.#tick());
  }

  #tick(): void {
    const now = this.#clock.now();
    this.#link?.tick();
    const stalled = this.#writes.look(now);
    if (stalled !== undefined) return this.close("write-timeout", stalled);
    // A turn that comes late says that this side was busy, not that the peer is gone.
    const attentive = this.#reading && now - this.#timerDue <= LATE_TURN_MS;
    if (this.#silence?.step(now, attentive, this.#queue.pending > 0)) return this.close("keep-alive-timeout");
    this.#arm();
  }

  /** Something was sent: starts the watches over a write that does not come back, and over the peer, unless they are on. */
  #watchWrites(): void {
    this.#peer?.sent();
    if (!this.#writes.idle) return;
    this.#writes.start(this.#clock.now());
    if (this.#writes.due < this.#timerDue) this.#arm();
  }
}
