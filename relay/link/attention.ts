/**
 * Whether somebody waits for a v2 session, and which keep-alive is in force for that: `v2.md`, "Keep-alive, clocks, settings".
 *
 * @module
 */

import type { KeepAlivePlan, KeepAliveSettings } from "../../protocol/keep_alive.ts";
import { MAX_ATTENTION_MS } from "../../protocol/limits.ts";
import type { Settings } from "../../protocol/v2/wire/messages.ts";
import type { Time } from "../../base/clock.ts";

/** What {@linkcode Attention} needs. */
export interface AttentionOptions {
  readonly time: Pick<Time, "now">;
  /** Whether both sides adapt; without, it is always as if somebody waited. */
  readonly adapts: boolean;
  /** Whether this side leaves the first probe to a peer that probes as soon. */
  readonly leaves: boolean;
  /** Whether a channel is open. */
  inUse(): boolean;
}

/**
 * Of one session. Slow is left at once. It is come to after one probe more, when the next would be due: so short clients cost
 * nothing, and all that was said is acknowledged by then. A session starts fast.
 */
export class Attention {
  /** What this side does. */
  plan: KeepAlivePlan;
  /** What its peer does, as it said. */
  peerPlan: KeepAlivePlan | undefined;

  readonly #options: AttentionOptions;
  #isRoused = true;
  #isLast = false; // whether the last fast probe has gone out
  #until = -Infinity;

  /** Starts with nobody. */
  constructor(options: AttentionOptions, plan: KeepAlivePlan) {
    this.#options = options;
    this.plan = plan;
  }

  /** What there is to say of this side. */
  get said(): Settings {
    const { waiting, idle } = this.plan;
    return { keepAlive: waiting, ...(this.#options.adapts && { idleKeepAlive: idle }) };
  }

  /** How to say that the peer had better do by `plan`. */
  wanted({ waiting, idle }: KeepAlivePlan): Settings {
    return { wantedKeepAlive: waiting, ...(this.#options.adapts && { wantedIdleKeepAlive: idle }) };
  }

  /** What is in force on this side now. */
  get own(): KeepAliveSettings {
    return this.#isRoused ? this.plan.waiting : this.plan.idle;
  }

  /** What is in force with the peer, but for the moment that it takes to come to it; `undefined` if it has not said. */
  get peer(): KeepAliveSettings | undefined {
    return this.#isAwaited ? this.peerPlan?.waiting : this.peerPlan?.idle;
  }

  /** Whether the first probe after a silence is left to the peer for a moment: then its probes do for both. */
  get yields(): boolean {
    const { own } = this;
    const peer = this.#isRoused ? this.peerPlan?.waiting : this.peerPlan?.idle;
    return this.#options.leaves && peer !== undefined && peer.probeCount > 0 && peer.idleTimeout >= 0 &&
      peer.idleTimeout <= own.idleTimeout;
  }

  /** A client has come, or somebody waits in another way. @returns whether that changes what is in force. */
  rouse(): boolean {
    this.#isLast = false;
    if (this.#isRoused) return false;
    return this.#isRoused = true;
  }

  /** The same, for `ms` milliseconds from now on. @returns whether it was known that somebody waits for half as long. */
  attend(ms: number): boolean {
    const now = this.#options.time.now();
    const until = now + Math.min(ms, MAX_ATTENTION_MS);
    const known = this.#until - now >= (until - now) / 2;
    if (!known) this.#until = until;
    return known;
  }

  /** A probe is due: is it, if nobody waits any more? @returns whether that changes what is in force. */
  relax(): boolean {
    if (!this.#isRoused || this.#isAwaited) return this.#isLast = false;
    if (!this.#isLast) return !(this.#isLast = true);
    this.#isRoused = false;
    return true;
  }

  /** Whether somebody waits, or has to be taken to. */
  get #isAwaited(): boolean {
    const { adapts, time } = this.#options;
    return !adapts || this.#options.inUse() || time.now() < this.#until;
  }
}
