/**
 * Whether a silent peer is alive: the seed's KeepAliveSettings as a state machine without a clock.
 *
 * @module
 */

import { FIRST_PROBE_MS, MAX_KEEP_ALIVE_MS, MAX_PROBES, YIELD_PART } from "./limits.ts";

/** Seed 002, "Keep-alive", in milliseconds here; a negative value means never, a count of 0 means off. */
export interface KeepAliveSettings {
  /** Silence before the first probe. */
  readonly idleTimeout: number;
  /** Silence between a probe and the next, and after the last one. */
  readonly probeInterval: number;
  /** Probes before the peer is taken for lost. */
  readonly probeCount: number;
}

/** Whose settings: the device's, which watches the server; the server's, which watches the device; or both. */
export type Endpoint = "device" | "server" | "both";

/** The seed's defaults: 1 s, 1 s, 2. */
export const V2_KEEP_ALIVE: KeepAliveSettings = { idleTimeout: 1_000, probeInterval: 1_000, probeCount: 2 };

/**
 * When a v1 device knocks at a silent server, in milliseconds. v1 has no ping: the knock is a CLOSE for an id that is not
 * in use (or an empty DATA, for the original server), and silence counts against the server only once it has answered one
 * on the link.
 */
export const V1_KEEP_ALIVE: KeepAliveSettings = { idleTimeout: 15_000, probeInterval: 5_000, probeCount: 3 };

/**
 * Settings as they can be in force (seed 002): whole seconds from 1 to 32,767, counts from 0 to 127; what is between is
 * rounded, what is beyond is clamped, any negative time means never.
 */
export function normalKeepAlive({ idleTimeout, probeInterval, probeCount }: KeepAliveSettings): KeepAliveSettings {
  const time = (ms: number) =>
    ms < 0 ? -1 : Math.min(MAX_KEEP_ALIVE_MS, Math.max(1_000, Math.round((Number.isNaN(ms) ? 0 : ms) / 1_000) * 1_000));
  const count = Number.isNaN(probeCount) ? 0 : Math.round(probeCount);
  return {
    idleTimeout: time(idleTimeout),
    probeInterval: time(probeInterval),
    probeCount: Math.min(MAX_PROBES, Math.max(0, count)),
  };
}

/** What is due: nothing, a probe to send, or a peer to give up. */
export type KeepAliveStep = "wait" | "probe" | "lost";

/**
 * Counts silence. Any byte received proves life. The first probe goes out early and also on a busy link, so that it is
 * known whether this peer answers before the path may die.
 *
 * If both sides probe after the same silence, each does on an idle link, and one would do. So one of them yields: its
 * first probe comes a moment later, when that of the other has been heard. When it gives up its peer does not change.
 *
 * On a profile without a ping a peer need not answer probes; while it never has, probes go out at the pace of
 * `idleTimeout` (they keep a NAT's mapping, and let TCP find a dead path), and silence does not count against the peer.
 */
export class KeepAlive {
  readonly #settings: KeepAliveSettings;
  #heard: number;
  #probes = 0;
  #asked = false;
  #due: number;
  readonly #lag: number;

  /** Starts at `now`, a time in milliseconds; `yields` if the first probe is left to the peer for a moment. */
  constructor(settings: KeepAliveSettings, now: number, yields = false) {
    this.#settings = settings;
    const { idleTimeout, probeInterval } = settings;
    this.#lag = yields ? Math.max(0, Math.min(idleTimeout, probeInterval) * YIELD_PART) : 0;
    this.#heard = now;
    this.#due = this.#firstProbe(now);
  }

  /** When {@linkcode KeepAlive.step} wants to be asked; `Infinity` for never. */
  get deadline(): number {
    return this.#due;
  }

  /** Something was received at `now`. */
  heard(now: number): void {
    this.#heard = now;
    if (this.#probes === 0) return; // the deadline moves when it is asked for: nothing to do per read
    this.#probes = 0;
    this.#due = this.#after(now, this.#settings.idleTimeout + this.#lag);
  }

  /** Says what is due at `now`. After "probe" the owner sends one. `answers`: whether this peer answers probes. */
  step(now: number, answers: boolean): KeepAliveStep {
    if (now < this.#due) return "wait";
    if (this.#probes === 0 && (this.#asked || answers)) {
      const due = this.#after(this.#heard, this.#settings.idleTimeout + this.#lag);
      if (now < due) {
        this.#due = due;
        return "wait";
      }
    }
    if (this.#probes < this.#settings.probeCount || !answers) {
      const { idleTimeout, probeInterval } = this.#settings;
      const isLate = this.#probes === 0 && now >= this.#heard + idleTimeout + this.#lag;
      this.#asked = true;
      this.#probes++;
      this.#due = this.#after(now, answers ? probeInterval - (isLate ? this.#lag : 0) : idleTimeout);
      return "probe";
    }
    this.#due = Infinity;
    return "lost";
  }

  /** The probe that was due at `now` could not be sent: silence proves nothing yet, and the first one is tried again. */
  postpone(now: number): void {
    this.#heard = now;
    this.#probes = 0;
    this.#asked = false;
    this.#due = this.#firstProbe(now);
  }

  #firstProbe(now: number): number {
    const { idleTimeout } = this.#settings;
    return this.#after(now, Math.min(idleTimeout, FIRST_PROBE_MS));
  }

  #after(from: number, time: number): number {
    return time < 0 || this.#settings.probeCount === 0 ? Infinity : from + time;
  }
}
