/**
 * A session, whatever its role and its profile: the pumps of its channels, over what carries them, and its end.
 *
 * A link is one connection. A v1 session has one; a v2 session goes on from one to the next.
 *
 * @module
 */

import { SHUTDOWN_TIMEOUT_MS } from "../base/limits.ts";
import type { LinkEndReason } from "../protocol/reasons.ts";
import type { ChannelPumpOptions } from "./channel_pump.ts";
import type { ChunkSource } from "./link/receive_chunk.ts";
import type { LinkEnd } from "./link/end.ts";
import { Pumps, type PumpSettings } from "./pumps.ts";

/** What carries a session: the driver of its one link, or its links one after the other. */
export interface SessionCarrier extends ChunkSource {
  /** Whether it is over. */
  readonly done: boolean;
  /** Resolves when it is over and its last socket is closed; never rejects. */
  readonly ended: Promise<LinkEnd>;
  /** Ends it in order: what was sent is flushed, and the peer's own end is awaited. */
  finish(reason: LinkEndReason): Promise<void>;
  /** Ends it at once: channels hear of it. Idempotent; the first reason stays. */
  close(reason: LinkEndReason, detail?: string): void;
}

/** The life of a session. Its owner says when it ends; channels come and go by what its role is. */
export abstract class Session<Carrier extends SessionCarrier> {
  /** What carries it. */
  readonly links: Carrier;

  protected readonly pumps: Pumps;
  readonly #clock: PumpSettings["clock"];
  #leaving = false;

  /** `end`: who is at the other end of its connections. */
  constructor(links: Carrier, end: ChannelPumpOptions["end"], settings: PumpSettings) {
    this.links = links;
    this.pumps = new Pumps(links, end, settings);
    this.#clock = settings.clock;
  }

  /** Whether it is over: it has no channels any more, though connections may still take what came for them. */
  get done(): boolean {
    return this.links.done;
  }

  /** Whether it takes its leave: whoever comes now is refused. */
  protected get leaving(): boolean {
    return this.#leaving;
  }

  /**
   * Ends in order: each channel is ended, what came is delivered, the peer is told, and the link closes. After
   * {@linkcode SHUTDOWN_TIMEOUT_MS}, at once. Resolves when nothing is left.
   */
  async shutdown(): Promise<void> {
    this.#leaving = true;
    const cancel = this.#clock.after(SHUTDOWN_TIMEOUT_MS, () => this.close("shutting-down"));
    await this.pumps.end("shutting-down");
    if (!this.done) this.sayFarewell();
    await this.links.finish("shutting-down");
    await this.ended();
    cancel();
  }

  /** Ends at once. Idempotent; the first reason stays. */
  close(reason: LinkEndReason, detail?: string): void {
    const leaves = reason === "shutting-down";
    if (leaves && !this.done) this.sayFarewell();
    this.links.close(reason, detail);
    if (leaves) this.pumps.abort(reason); // at any other end the channels have been told, and what came is delivered
  }

  /** Resolves when it is over, and its connections are closed. */
  async ended(): Promise<void> {
    await this.links.ended;
    await this.pumps.done();
  }

  /** Tells the peer that this side is shutting down, where the profile has a word for it. */
  protected sayFarewell(): void {}
}
