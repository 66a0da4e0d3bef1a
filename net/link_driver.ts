/**
 * Runs a link on a transport: one read loop, one write queue, one timer, one end.
 *
 * @module
 */

import { ProtocolError } from "../protocol/errors.ts";
import { KeepAlive, type KeepAliveSettings } from "../protocol/keep_alive.ts";
import type { Link, LinkOutput } from "../protocol/link.ts";
import type { ChannelEndReason, LinkEndReason } from "../protocol/reasons.ts";
import type { Clock } from "./clock.ts";
import { describeError, isTlsCut } from "./errors.ts";
import {
  COPY_MAX,
  FAREWELL_MS,
  LINK_CONTROL_HIGH_WATER,
  LINK_HIGH_WATER,
  LOADED_LINK_BYTES,
  LOADED_LINK_GRACE_MS,
} from "./limits.ts";
import { type ReceiveChunk, ReceiveChunks } from "./receive_chunk.ts";
import { closeQuietly, type Transport } from "./transport.ts";
import { WriteQueue } from "./write_queue.ts";

/** Why and how a link ended. */
export interface LinkEnd {
  /** One word. */
  readonly reason: LinkEndReason;
  /** One line more for people, where there is more to say. */
  readonly detail: string | undefined;
}

/** How to send a keep-alive probe, and whether this peer answers them. */
export interface Prober {
  /** Silence that is suffered, in milliseconds; see {@linkcode LinkDriver.keepAlive}. */
  readonly settings: KeepAliveSettings;
  /** Sends a probe. @returns false if none can be sent now: then silence proves nothing. */
  probe(): boolean;
  /** Whether silence after a probe counts against the peer. */
  answers(): boolean;
  /** Whether bytes that a slow path has not carried yet excuse silence; without, what is on the way is bounded already. */
  readonly patient: boolean;
}

/** What a driver needs. */
export interface LinkDriverOptions {
  /** The connection; the driver closes it. */
  readonly transport: Transport;
  /** The time. */
  readonly clock: Clock;
  /** Milliseconds that the peer may take nothing; negative for ever. */
  readonly writeTimeout: number;
  /** Frames up to this size are gathered while a write is pending. @default {COPY_MAX} */
  readonly busyCopyMax?: number;
}

/** How often a write that does not come back is looked at within the write time: it is given up a quarter late at most. */
const WRITE_LOOKS = 4;

const NOTHING = (): void => {};

/** Ends after which the peer may never take what is queued. */
const STANDING_STILL: ReadonlySet<LinkEndReason> = new Set(["write-timeout", "keep-alive-timeout", "replaced"]);

/** The life of one link. */
export class LinkDriver implements LinkOutput {
  /** The connection. */
  readonly transport: Transport;
  /** Resolves when the link has ended and its socket is closed; never rejects. */
  readonly ended: Promise<LinkEnd>;
  /** Bytes read from the link. */
  bytesReceived = 0;

  readonly #clock: Clock;
  readonly #queue: WriteQueue;
  readonly #chunks = new ReceiveChunks();
  readonly #resolveEnded: (end: LinkEnd) => void;
  #link: Link | undefined;
  #end: LinkEnd | undefined;
  #leaving: LinkEnd | undefined; // why this side is about to end: however the peer goes then, that is the reason
  #finishing = false;

  // Reading pauses while too many answers wait, and while somebody holds the link.
  #controlBytes = 0; // that may not have been written yet
  #controlMark = 0; // what has to be written before they are counted anew
  #holds = 0;
  #resume: (() => void) | undefined;
  #reading = false;
  #heardAt = -Infinity;
  readonly #listeners: (() => void)[] = [];

  // The one timer.
  #cancelTimer: () => void = NOTHING;
  #timerDue = Infinity;
  #prober: Prober | undefined;
  #keepAlive: KeepAlive | undefined;
  readonly #writeTimeout: number;
  #writeDue = Infinity;
  #sentSinceHeard = 0;
  #sentAtLastLook = 0;
  #loadedUntil = -Infinity;
  #writeProgress = 0;
  #writeLooks = 0; // in a row that found no progress

  /** A driver that does nothing until {@linkcode LinkDriver.start}. */
  constructor(options: LinkDriverOptions) {
    this.transport = options.transport;
    this.#clock = options.clock;
    this.#writeTimeout = options.writeTimeout < 0 ? Infinity : options.writeTimeout;
    const { promise, resolve } = Promise.withResolvers<LinkEnd>();
    this.ended = promise;
    this.#resolveEnded = resolve;
    this.#queue = new WriteQueue(options.transport.duplex, {
      copyMax: COPY_MAX,
      busyCopyMax: options.busyCopyMax ?? COPY_MAX,
      onError: (error) =>
        this.#leaving
          ? this.close(this.#leaving.reason, this.#leaving.detail)
          : this.close("connection-lost", describeError(error)),
    });
  }

  /** The chunk that is being decoded; receivers pin it while they write views of it. */
  get chunk(): ReceiveChunk {
    return this.#chunks.current;
  }

  /** Whether silence would prove anything now: nobody pauses the reading, and nothing of ours waits to be written. */
  get attentive(): boolean {
    return this.#reading && this.#queue.pending === 0;
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
    this.#prober = prober;
    this.#keepAlive = new KeepAlive(
      prober?.settings ?? { idleTimeout: -1, probeInterval: -1, probeCount: 0 },
      this.#clock.now(),
    );
    this.#read(link, opening).catch((error: unknown) => this.#readFailed(error));
    this.#arm();
  }

  /** Changes what silence is suffered, from now on. */
  set keepAlive(settings: KeepAliveSettings) {
    if (this.#end) return;
    this.#keepAlive = new KeepAlive(settings, this.#clock.now());
    this.#arm();
  }

  control(frame: Uint8Array): void {
    const fresh = this.#queue.written >= this.#controlMark;
    this.#controlBytes = (fresh ? 0 : this.#controlBytes) + frame.length;
    this.#queue.write(frame, NOTHING);
    if (fresh) this.#controlMark = this.#queue.queued;
    this.#watchWrites();
  }

  data(frame: Uint8Array): Promise<void> | undefined {
    this.#sentSinceHeard += frame.length;
    this.#watchWrites();
    if (frame.length > COPY_MAX) {
      return new Promise((resolve) => {
        if (!this.#queue.write(frame, resolve)) resolve();
      });
    }
    this.#queue.write(frame, NOTHING);
    return this.#queue.pending > LINK_HIGH_WATER ? this.#queue.flushed() : undefined;
  }

  copy(frame: Uint8Array): Promise<void> | undefined {
    this.#sentSinceHeard += frame.length;
    this.#watchWrites();
    this.#queue.copy(frame);
    return this.#queue.pending > LINK_HIGH_WATER ? this.#queue.flushed() : undefined;
  }

  /** Pauses reading until as many {@linkcode LinkDriver.unhold} have come. */
  hold(): void {
    this.#holds++;
  }

  /** See {@linkcode LinkDriver.hold}. */
  unhold(): void {
    if (--this.#holds > 0) return;
    this.#resume?.();
    this.#resume = undefined;
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
    this.#resume?.();
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
    this.#queue.abandon();
    if (STANDING_STILL.has(reason)) this.transport.cut();
    else closeQuietly(this.transport.duplex);
    this.#resume?.();
    this.#link?.end(channelReason(reason));
    this.#resolveEnded(this.#end);
  }

  async #read(link: Link, opening: Uint8Array): Promise<void> {
    const { duplex } = this.transport;
    if (opening.length > 0) {
      const { bytes } = this.#chunks.current;
      bytes.set(opening);
      link.receive(bytes.subarray(0, opening.length), this.#clock.now());
    }
    while (!this.#end) {
      const { bytes } = this.#chunks.next();
      this.#reading = true;
      const count = await duplex.read(bytes);
      this.#reading = false;
      if (count === null) return this.#peerClosed(link);
      if (this.#end) return;
      // A socket that is closed with unread bytes resets, and the peer would lose what it has not read.
      if (this.#finishing) continue;
      this.bytesReceived += count;
      const now = this.#clock.now();
      this.#heardAt = now;
      this.#sentSinceHeard = 0;
      this.#keepAlive!.heard(now);
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
      if (this.#holds > 0) await this.#held();
    }
  }

  #held(): Promise<void> {
    return new Promise((resolve) => this.#resume = resolve);
  }

  #peerClosed(link: Link): void {
    if (this.#leaving) this.close(this.#leaving.reason, this.#leaving.detail);
    else this.close("peer-closed", link.atBoundary ? undefined : "in the middle of a frame");
  }

  #readFailed(error: unknown): void {
    if (this.#leaving) this.close(this.#leaving.reason, this.#leaving.detail);
    else if (error instanceof ProtocolError) this.close("protocol-error", error.message);
    else if (isTlsCut(error)) this.close("peer-closed", describeError(error));
    else this.close("connection-lost", describeError(error));
  }

  /** Sets the timer to what is due next. */
  #arm(): void {
    this.#cancelTimer();
    this.#cancelTimer = NOTHING;
    const due = Math.min(this.#link?.deadline ?? Infinity, this.#keepAlive?.deadline ?? Infinity, this.#writeDue);
    this.#timerDue = due;
    if (due === Infinity || this.#end) return;
    this.#cancelTimer = this.#clock.after(Math.max(0, Math.ceil(due - this.#clock.now())), () => this.#tick());
  }

  #tick(): void {
    const now = this.#clock.now();
    this.#link?.tick(now);
    if (now >= this.#writeDue) this.#checkWrites(now);
    if (!this.#reading || (this.#prober?.patient && this.#isLoaded(now))) this.#keepAlive?.postpone(now); // silence proves nothing just now
    switch (this.#keepAlive?.step(now, this.#prober?.answers() ?? false)) {
      case "probe":
        if (!this.#prober?.probe()) this.#keepAlive?.postpone(now);
        break;
      case "lost":
        return this.close("keep-alive-timeout");
    }
    this.#arm();
  }

  /**
   * Whether much was sent lately without a byte coming back: a probe, or its answer, then stands behind what a slow path
   * has not carried yet. The write time covers a path that carries nothing.
   */
  #isLoaded(now: number): boolean {
    if (this.#sentSinceHeard !== this.#sentAtLastLook) {
      this.#sentAtLastLook = this.#sentSinceHeard;
      if (this.#sentSinceHeard > LOADED_LINK_BYTES) this.#loadedUntil = now + LOADED_LINK_GRACE_MS;
    }
    return this.#sentSinceHeard > LOADED_LINK_BYTES && (this.#queue.pending > 0 || now < this.#loadedUntil);
  }

  /** Starts the watch over a write that does not come back, unless it is on already. */
  #watchWrites(): void {
    if (this.#writeDue !== Infinity || this.#writeTimeout === Infinity) return;
    this.#writeProgress = this.#queue.progress;
    this.#writeLooks = 0;
    this.#writeDue = this.#clock.now() + this.#writeTimeout / WRITE_LOOKS;
    if (this.#writeDue < this.#timerDue) this.#arm();
  }

  #checkWrites(now: number): void {
    this.#writeDue = Infinity;
    if (this.#queue.pending === 0) return;
    if (this.#queue.progress !== this.#writeProgress) this.#writeLooks = 0;
    else if (++this.#writeLooks === WRITE_LOOKS) {
      return this.close("write-timeout", `the peer took nothing for ${Math.round(this.#writeTimeout / 1000)} s`);
    }
    this.#writeProgress = this.#queue.progress;
    this.#writeDue = now + this.#writeTimeout / WRITE_LOOKS;
  }
}

/** What the channels of a link are told when it ends. */
function channelReason(reason: LinkEndReason): ChannelEndReason {
  return reason === "shutting-down" ? "shutting-down" : "link-lost";
}
