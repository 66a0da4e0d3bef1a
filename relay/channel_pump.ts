/**
 * Joins a connection (to a client, or to a service) with its channel: bytes both ways, and the end in order.
 *
 * @module
 */

import { COPY_MAX, GONE_LOOK_MS, MAX_CHANNEL_BACKLOG, MAX_LINK_CHUNK, RESUME_CHANNEL_BACKLOG } from "./limits.ts";
import type { Channel, ChannelReceiver } from "../protocol/channel.ts";
import { afterEnd, afterPeerEnd, type ChannelState, mayReceive, maySend } from "../protocol/channel_state.ts";
import type { ChannelEndReason } from "../protocol/reasons.ts";
import { type ChannelSummary, CONNECTION_ENDS, type ConnectionEnds, dropsBacklog, isOrderly } from "./channel_end.ts";
import type { Clock } from "../base/clock.ts";
import { Delivery } from "./ending/delivery.ts";
import { EndPace } from "./ending/end_pace.ts";
import { GoneWatch } from "./ending/gone_watch.ts";
import { HalfCloseHold } from "./ending/half_close_hold.ts";
import { watchIdle } from "./ending/idle_watch.ts";
import { ReadBuffer } from "./read_buffer.ts";
import type { ChunkSource } from "./link/receive_chunk.ts";
import { keepAlivePace, PeerWatch } from "../net/tcp_keep_alive.ts";
import type { Connection } from "../net/socket.ts";
import type { DatagramCounts } from "../net/udp/counts.ts";
import { WriteQueue } from "./write_queue.ts";

/** What a pump needs. */
export interface ChannelPumpOptions {
  /** The channel; the pump becomes its receiver. */
  readonly channel: Channel;
  /** The link's driver, or the session's links, whose chunks the pump writes from. */
  readonly driver: ChunkSource;
  readonly clock: Clock;
  /** Who is at the other end of the connection. */
  readonly end: keyof typeof CONNECTION_ENDS;
  /** Milliseconds that the connection may hold the link. */
  readonly stallTimeout: number;
  /** Milliseconds of silence after which a connection that does not answer is gone; negative: never. */
  readonly tcpKeepAlive: number;
  /**
   * Milliseconds without a byte that a channel lives on after the connection's writing side ended, on a link that cannot
   * carry a half-close; 0 ends it at once.
   */
  readonly halfCloseTimeout: number;
}

const NOTHING = (): void => {};

/** The life of one channel's connection. */
export class ChannelPump implements ChannelReceiver {
  readonly channel: Channel;
  /** Resolves when the connection is closed, or soon after where many are at once; never rejects. */
  readonly done: Promise<ChannelSummary>;

  readonly #driver: ChunkSource;
  readonly #clock: Clock;
  readonly #options: ChannelPumpOptions;
  readonly #ends: ConnectionEnds;
  readonly #since: number;
  readonly #resolveDone: (summary: ChannelSummary) => void;
  readonly #queue: WriteQueue;
  #conn: Connection | undefined;
  #watch: PeerWatch | undefined;

  // The end: a reason, then what came is delivered, then the connection is closed.
  #reason: ChannelEndReason | undefined;
  #state: ChannelState = "open"; // of the connection: has it ended, has the peer, is it closed
  #delivery: Delivery | undefined;

  // While the backlog is too large, the link waits for this receiver; where there is credit, only its own channel does.
  #holding = false;
  #consumed = 0;

  #cancelTurn: (() => void) | undefined; // an end waits for its turn
  #cancelStall: () => void = NOTHING;
  #cancelIdle: () => void = NOTHING;
  #halfClose: HalfCloseHold | undefined;
  #gone: GoneWatch | undefined;

  /** Starts with the bytes of the channel; those of the connection follow with {@linkcode ChannelPump.attach}. */
  constructor(options: ChannelPumpOptions) {
    this.channel = options.channel;
    this.#driver = options.driver;
    this.#clock = options.clock;
    this.#options = options;
    this.#ends = CONNECTION_ENDS[options.end];
    this.#since = this.#clock.now();
    const { promise, resolve } = Promise.withResolvers<ChannelSummary>();
    this.done = promise;
    this.#resolveDone = (summary) => EndPace.of(options.clock).tell(() => resolve(summary));
    this.#queue = new WriteQueue(undefined, {
      copyMax: COPY_MAX,
      busyCopyMax: Infinity,
      fits: true,
      onError: () => this.#abortInTurn(maySend(this.#state) ? this.#ends.reset : this.#ends.own),
      onProgress: () => this.#progressed(),
    });
    options.channel.receiver = this;
  }

  /** Whether its connection is closed, or waits for its turn to be. */
  get isEnding(): boolean {
    return this.#state === "closed" || this.#cancelTurn !== undefined;
  }

  /** Whether the connection's writing side has ended and the channel only lives for what may still come. */
  get halfClosed(): boolean {
    return !maySend(this.#state) && this.#reason === undefined;
  }

  /** Since when nothing came for a connection that has {@linkcode ChannelPump.halfClosed}; `Infinity` while that does not count. */
  get quietSince(): number {
    return this.#halfClose?.quietSince ?? Infinity;
  }

  /** What became of the connection's datagrams, if it carries any. */
  get datagrams(): DatagramCounts | undefined {
    return this.#conn?.datagrams;
  }

  /** Called when the connection's writing side ends while the channel lives on; see {@linkcode ChannelPump.halfClosed}. */
  onHalfClosed: () => void = NOTHING;

  /** Gives the pump its connection, which it closes at the end. */
  attach(conn: Connection): void {
    if (this.#state === "closed") return conn.reset();
    this.#conn = conn;
    conn.joined?.(this.channel.clock);
    const { tcpKeepAlive: ms } = this.#options;
    const pace = ms < 0 ? undefined : keepAlivePace(ms);
    this.#watch = PeerWatch.start(conn, pace, this.#clock, () => this.abort(this.#ends.reset));
    if (this.#queue.pending > 0) this.#watch?.sent();
    conn.setResetAtClose(true); // also by the end of this process
    this.#queue.attach(conn);
    if (!mayReceive(this.#state)) this.#passPeerEnd();
    this.#readLoop(conn).catch(() => this.#readFailed());
  }

  /** Ends the channel when nothing went either way for `ms` milliseconds. */
  endWhenIdle(ms: number): void {
    if (this.#state === "closed") return;
    this.#cancelIdle();
    this.#cancelIdle = watchIdle(this.channel, this.#clock, ms, () => this.end("idle-timeout"));
  }

  /** Takes bytes of the channel; a view of the link's chunk is written from where it stands, and pins the chunk. */
  onData(bytes: Uint8Array): void {
    if (this.#state === "closed") return;
    this.#watch?.sent();
    const { chunk } = this.#driver;
    if (!chunk.lends(bytes.length)) this.#queue.copy(bytes);
    else if (this.#queue.write(bytes, chunk.unpin)) chunk.pin();
    this.#halfClose?.heard();
    if (!this.channel.credit && this.#queue.pending > MAX_CHANNEL_BACKLOG - MAX_LINK_CHUNK) this.#hold();
  }

  onPeerEnd(): void {
    if (this.#state === "closed") return;
    this.#state = afterPeerEnd(this.#state);
    if (this.#state === "both-ended") this.#finish(this.#ends.own);
    else if (this.#conn) this.#passPeerEnd();
  }

  onEnd(reason: ChannelEndReason): void {
    // Where the other side had ended in order before, what came is whole: it is delivered, with that end.
    if (!mayReceive(this.#state)) return this.#finish(reason, true);
    if (dropsBacklog(reason) && this.channel.credit) {
      this.#reason ??= reason; // nothing more is read into the channel
      return this.#abortInTurn(reason);
    }
    this.#finish(!maySend(this.#state) && reason === "service-closed" ? this.#ends.own : reason);
  }

  /** Ends the channel in order: nothing more is read, CLOSE is sent, what came is delivered. Idempotent. */
  end(reason: ChannelEndReason): void {
    this.channel.close(reason);
    this.#finish(reason);
  }

  /** Ends the channel at once; what came and was not delivered is dropped. Idempotent. */
  abort(reason: ChannelEndReason): void {
    if (this.#state === "closed") return;
    const peerHadEnded = !mayReceive(this.#state);
    this.#state = "closed";
    this.#reason = this.#queue.pending > 0 ? reason : this.#reason ?? reason; // what loses bytes is the reason
    this.#cancelTurn?.();
    this.#cancelStall();
    this.#cancelIdle();
    this.#halfClose?.cancel();
    this.#gone?.cancel();
    this.#watch?.cancel();
    this.#delivery?.cancel();
    this.channel.close(reason);
    // A reset would take from the connection's other side what came ahead of an orderly end, and is not acknowledged yet.
    const wouldTakeBack = () => peerHadEnded && this.#conn !== undefined && this.#conn.unacknowledged() > 0;
    const inOrder = this.#queue.pending === 0 && (isOrderly(this.#reason) || wouldTakeBack());
    this.#queue.abandon();
    if (inOrder) {
      this.#conn?.setResetAtClose(false);
      this.#conn?.close();
    } else this.#conn?.reset();
    this.#unhold();
    this.#resolveDone({
      reason: this.#reason,
      bytesSent: this.channel.payloadSent,
      bytesReceived: this.channel.payloadReceived,
      duration: this.#clock.now() - this.#since,
    });
  }

  /** The same for one of many that a rule ends: its channel is closed now, its connection in a turn of its own. Idempotent. */
  abortInTurn(reason: ChannelEndReason): void {
    if (this.#state === "closed") return;
    this.#reason ??= reason; // nothing more is read into the channel
    this.channel.close(reason);
    this.#abortInTurn(reason);
  }

  /** {@linkcode ChannelPump.abort}, once, in a turn of its own where many end. */
  #abortInTurn(reason: ChannelEndReason): void {
    if (this.#state !== "closed") this.#cancelTurn ??= EndPace.of(this.#clock).tell(() => this.abort(reason));
  }

  /** Reads the connection into the channel; once the channel has ended, reads on to see the peer's own end. */
  async #readLoop(conn: Connection): Promise<void> {
    const { channel } = this;
    const buffer = new ReadBuffer(channel.headroom, channel.maxPayload);
    for (;;) {
      const { room } = channel;
      if (room === 0 && channel.open) {
        await channel.writable();
        continue;
      }
      const { payload } = buffer;
      const read = conn.read(room === 0 || room >= payload.length ? payload : payload.subarray(0, room));
      const count = read instanceof Promise ? await read : read;
      if (count === null) break;
      if (this.#reason !== undefined) {
        // A client that still sends may still read, and a close now would reset what it has not read. A service whose
        // client has gone gets no more than its time.
        if (this.#options.end === "client") this.#delivery?.linger();
        continue;
      }
      let fate = channel.send(buffer.frame, count);
      if (typeof fate !== "string") fate = await fate;
      buffer.learn(count, fate === "kept");
    }
    this.#state = afterEnd(this.#state);
    if (this.#reason !== undefined) return this.#delivery?.ended();
    if (conn.endsWhole) return this.end(this.#ends.own);
    if (channel.halfClose) {
      channel.end();
      if (this.#state === "both-ended") this.#finish(this.#ends.peer);
      else this.#watchForGone(conn);
      return;
    }
    if (this.#options.halfCloseTimeout === 0) return this.end(this.#ends.own);
    this.onHalfClosed();
    await this.#driver.flushed(); // the service has not seen the end of its request before
    if (this.#reason !== undefined) return;
    this.#halfClose = new HalfCloseHold({
      conn,
      clock: this.#clock,
      timeout: this.#options.halfCloseTimeout,
      isWriting: () => this.#queue.pending > 0,
      onQuiet: () => this.end("client-finished"),
      onGone: () => this.abort(this.#ends.own),
    }, this.#holding);
  }

  /** The other side may never write to one that has gone since, and would be kept for it. */
  #watchForGone(conn: Connection): void {
    const isWriting = () => this.#queue.pending > 0;
    const onGone = () => {
      if (this.#reason !== undefined || !mayReceive(this.#state)) return;
      if (conn.endsWhole) this.end(this.#ends.own);
      else this.abort(this.#ends.reset);
    };
    this.#gone = new GoneWatch({ conn, clock: this.#clock, lookEvery: GONE_LOOK_MS, isWriting, onGone });
  }

  /** What came is delivered, then the connection's other side hears that no more will. */
  async #passPeerEnd(): Promise<void> {
    await this.#queue.flushed();
    if (this.#state === "closed" || this.#delivery?.delivered) return;
    try {
      await this.#endWriting();
    } catch {
      if (this.#reason === undefined) this.abort(this.#ends.reset);
    }
  }

  /** Everything was written, and it was all: from here on no end may take it back. */
  #endWriting(): Promise<void> {
    this.#conn!.setResetAtClose(false);
    return this.#conn!.closeWrite();
  }

  #readFailed(): void {
    this.#state = afterEnd(this.#state);
    if (this.#reason === undefined) this.#abortInTurn(this.#ends.reset);
    else this.#delivery?.ended();
  }

  #finish(reason: ChannelEndReason, isWhole: boolean = isOrderly(reason)): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#halfClose?.cancel();
    this.#unhold();
    // A service that is still being dialled gets what came for it before the close.
    if (this.#queue.pending === 0 && this.#conn === undefined) return this.abort(reason);
    this.#delivery = new Delivery({
      queue: this.#queue,
      clock: this.#clock,
      isWhole,
      resets: () => this.#conn!.resets !== false,
      closeWrite: () => this.#endWriting(),
      unacknowledged: () => this.#conn!.unacknowledged(),
      close: (loss = reason) => this.#abortInTurn(loss),
    }, !maySend(this.#state));
  }

  #hold(): void {
    if (this.#holding || this.#reason !== undefined) return;
    this.#holding = true;
    this.#driver.hold();
    this.#halfClose?.pause();
    this.#cancelStall = this.#clock.after(this.#options.stallTimeout, () => this.abort("stalled"));
  }

  #unhold(): void {
    if (!this.#holding) return;
    this.#holding = false;
    this.#cancelStall();
    this.#driver.unhold();
    this.#halfClose?.resume();
  }

  #progressed(): void {
    if (this.channel.credit && this.#state !== "closed") {
      const consumed = this.channel.bytesReceived - this.#queue.pending;
      if (consumed > this.#consumed) this.channel.consumed(consumed - this.#consumed);
      this.#consumed = consumed;
    }
    this.#halfClose?.heard();
    if (this.#holding && this.#queue.pending <= RESUME_CHANNEL_BACKLOG) this.#unhold();
  }
}
