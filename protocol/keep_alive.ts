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

/** What is in force while somebody waits, and while nobody does. */
export interface KeepAlivePlan {
  /** A client is attached, a session has just resumed, or somebody looks. */
  readonly waiting: KeepAliveSettings;
  /** Nobody would notice a dead link. */
  readonly idle: KeepAliveSettings;
}

/** Ways to probe by name: `fast` is always alike, the others are slow while nobody waits. */
export const KEEP_ALIVE_MODES = ["adaptive", "metered", "fast"] as const;

/** One of {@linkcode KEEP_ALIVE_MODES}. */
export type KeepAliveMode = (typeof KEEP_ALIVE_MODES)[number];

/** What can be asked for: a way by its name, or settings that are always in force. */
export type KeepAliveChoice = KeepAliveMode | KeepAliveSettings;

/** `adaptive` while nobody waits: 25 s, which most NATs outlast. */
export const ADAPTIVE_KEEP_ALIVE: KeepAliveSettings = { idleTimeout: 25_000, probeInterval: 5_000, probeCount: 2 };

/** `metered` while nobody waits, in milliseconds: 240 s, for paths that are known to keep a silent connection. */
export const METERED_KEEP_ALIVE: KeepAliveSettings = { idleTimeout: 240_000, probeInterval: 10_000, probeCount: 2 };

const PLANS: Readonly<Record<KeepAliveMode, KeepAlivePlan>> = {
  adaptive: { waiting: V2_KEEP_ALIVE, idle: ADAPTIVE_KEEP_ALIVE },
  metered: { waiting: V2_KEEP_ALIVE, idle: METERED_KEEP_ALIVE },
  fast: { waiting: V2_KEEP_ALIVE, idle: V2_KEEP_ALIVE },
};

/** What a choice comes to, as it can be in force. */
export function keepAlivePlan(choice: KeepAliveChoice): KeepAlivePlan {
  if (typeof choice === "string") return PLANS[choice];
  const settings = normalKeepAlive(choice);
  return { waiting: settings, idle: settings };
}

/** Whether a plan is the same whether somebody waits or not. */
export function isSteady({ waiting, idle }: KeepAlivePlan): boolean {
  return waiting.idleTimeout === idle.idleTimeout && waiting.probeInterval === idle.probeInterval &&
    waiting.probeCount === idle.probeCount;
}

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
  #settings: KeepAliveSettings;
  #heard: number;
  #probes = 0;
  #asked = false;
  #due: number;
  #lag: number;

  /** Starts at `now`, a time in milliseconds; `yields` if the first probe is left to the peer for a moment. */
  constructor(settings: KeepAliveSettings, now: number, yields = false) {
    this.#settings = settings;
    this.#lag = lagOf(settings, yields);
    this.#heard = now;
    this.#due = this.#firstProbe(now);
  }

  /** When {@linkcode KeepAlive.step} wants to be asked; `Infinity` for never. */
  get deadline(): number {
    return this.#due;
  }

  /** Whether the first probe after a silence is due at `now`. */
  isFirstDue(now: number): boolean {
    return this.#probes === 0 && now >= this.#due && now >= this.#heard + this.#settings.idleTimeout + this.#lag;
  }

  /** Other settings hold from now on; what was heard before counts, and no probe may be without its answer. */
  change(settings: KeepAliveSettings, yields: boolean): void {
    this.#settings = settings;
    this.#lag = lagOf(settings, yields);
    this.#due = this.#after(this.#heard, settings.idleTimeout + this.#lag);
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

function lagOf({ idleTimeout, probeInterval }: KeepAliveSettings, yields: boolean): number {
  return yields ? Math.max(0, Math.min(idleTimeout, probeInterval) * YIELD_PART) : 0;
}
