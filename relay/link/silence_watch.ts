/**
 * The watch over a link's silence: when to probe the peer, and when silence proves that it is lost.
 *
 * @module
 */

import { LOADED_LINK_BYTES, LOADED_LINK_GRACE_MS } from "../limits.ts";
import { KeepAlive, type KeepAliveSettings } from "../../protocol/keep_alive.ts";

/** How to send a keep-alive probe, and whether this peer answers them. */
export interface Prober {
  /** The longest silence accepted, in milliseconds; see {@linkcode SilenceWatch.settings}. */
  readonly settings: KeepAliveSettings;
  /** Sends a probe. @returns false if none can be sent now: then silence proves nothing. */
  probe(): boolean;
  /** Whether silence after a probe counts against the peer. */
  answers(): boolean;
  /** Whether bytes that a slow path has not carried yet excuse silence; without, what is on the way is bounded already. */
  readonly patient: boolean;
  /** Whether the first probe is left to the peer for a moment. @default {false} */
  readonly yields?: boolean;
  /** Called now and then, a little after a probe may have been due. */
  looked?(): void;
  /** Called when a first probe is due: what holds from now on in place of what did, if it is to be put off. */
  calmer?(): Pick<Prober, "settings" | "yields"> | undefined;
}

/** What is accepted from a peer without a prober: any silence. */
const NEVER: KeepAliveSettings = { idleTimeout: -1, probeInterval: -1, probeCount: 0 };

/** Probes, and declares the peer lost. Times are those of the owner's clock. */
export class SilenceWatch {
  readonly #prober: Prober | undefined;
  #keepAlive: KeepAlive;
  #sentSinceHeard = 0;
  #sentAtLastLook = 0;
  #loadedUntil = -Infinity;

  /** Starts at the time `now`; without a prober silence is never noticed. */
  constructor(prober: Prober | undefined, now: number) {
    this.#prober = prober;
    this.#keepAlive = new KeepAlive(prober?.settings ?? NEVER, now, prober?.yields);
  }

  /** When the next step is due. */
  get deadline(): number {
    return this.#keepAlive.deadline;
  }

  /** Changes the longest silence accepted, from `now` on, and whether the first probe is left to the peer for a moment. */
  change(settings: KeepAliveSettings, now: number, yields = false): void {
    this.#keepAlive = new KeepAlive(settings, now, yields);
  }

  /** Something came. */
  heard(now: number): void {
    this.#sentSinceHeard = 0;
    this.#keepAlive.heard(now);
  }

  /** Something was sent that a slow path may take long to carry. */
  sent(bytes: number): void {
    this.#sentSinceHeard += bytes;
  }

  /**
   * Does what is due. `listening`: silence would be the peer's; `pending`: bytes wait to be written.
   *
   * @returns whether the peer is lost.
   */
  step(now: number, listening: boolean, pending: boolean): boolean {
    const prober = this.#prober;
    if (!listening || (prober?.patient && this.#isLoaded(now, pending))) this.#keepAlive.postpone(now);
    if (prober?.looked && now >= this.#keepAlive.deadline) prober.looked();
    if (prober?.calmer && this.#keepAlive.isFirstDue(now)) {
      const calmer = prober.calmer();
      if (calmer) this.#keepAlive.change(calmer.settings, calmer.yields ?? false);
    }
    const due = this.#keepAlive.step(now, prober?.answers() ?? false);
    if (due === "probe" && !prober?.probe()) this.#keepAlive.postpone(now);
    return due === "lost";
  }

  /**
   * Whether much was sent lately without a byte coming back: a probe, or its answer, then stands behind what a slow path
   * has not carried yet. The write time covers a path that carries nothing.
   */
  #isLoaded(now: number, pending: boolean): boolean {
    if (this.#sentSinceHeard !== this.#sentAtLastLook) {
      this.#sentAtLastLook = this.#sentSinceHeard;
      if (this.#sentSinceHeard > LOADED_LINK_BYTES) this.#loadedUntil = now + LOADED_LINK_GRACE_MS;
    }
    return this.#sentSinceHeard > LOADED_LINK_BYTES && (pending || now < this.#loadedUntil);
  }
}
