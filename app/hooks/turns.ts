/**
 * Whose hook is next: in order for each subject, and among subjects first whose hooks took least of late, so that one that
 * comes and goes, or whose hooks are slow, holds up no other.
 *
 * @module
 */

import { HOOK_USE_KEPT_MS, MAX_HOOK_USES, MAX_HOOKS_WAITING, SLOW_HOOKS_MS } from "../limits.ts";
import type { Clock } from "../../base/clock.ts";
import type { HookNotice } from "./hooks.ts";

interface Use {
  /** Milliseconds that its hooks took. */
  readonly ms: number;
  /** When the last of them ended. */
  readonly at: number;
}

/** Notices that wait for their turn. */
export class HookTurns {
  readonly #clock: Clock;
  readonly #waiting: HookNotice[] = [];
  /** By subject; whose hook ended last comes last. */
  readonly #uses = new Map<string, Use>();

  /** Nothing waits yet. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many wait. */
  get size(): number {
    return this.#waiting.length;
  }

  /** One more waits. @returns how many are left out for it: an older one of the same, or one of the subject that has most. */
  add(notice: HookNotice): number {
    const waiting = this.#waiting;
    const older = waiting.findIndex(({ event, subject }) => event === notice.event && subject === notice.subject);
    const out = older >= 0 ? older : waiting.length >= MAX_HOOKS_WAITING ? this.#crowding() : -1;
    if (out >= 0) waiting.splice(out, 1);
    const last = waiting.findLastIndex(({ subject }) => subject === notice.subject);
    if (notice.late && waiting[last]?.event === "online") waiting.splice(last, 0, notice);
    else waiting.push(notice);
    return out >= 0 ? 1 : 0;
  }

  /** The next one goes, of those whose subject `mayRun`. */
  take(mayRun: (subject: string) => boolean): HookNotice | undefined {
    let [least, next] = [Infinity, -1];
    const seen = new Set<string>();
    for (const [at, { subject }] of this.#waiting.entries()) {
      if (seen.has(subject)) continue; // those of one in their order
      seen.add(subject);
      const use = this.#useOf(subject);
      if (use < least && mayRun(subject)) [least, next] = [use, at];
    }
    return next < 0 ? undefined : this.#waiting.splice(next, 1)[0];
  }

  /** All go. @returns how many. */
  clear(): number {
    return this.#waiting.splice(0).length;
  }

  /** Whether the hooks of a subject took long of late. */
  isSlow(subject: string): boolean {
    return this.#useOf(subject) >= SLOW_HOOKS_MS;
  }

  /** A hook took so many milliseconds. */
  took(subject: string, ms: number): void {
    const use = this.#useOf(subject) + ms;
    this.#uses.delete(subject);
    this.#uses.set(subject, { ms: use, at: this.#clock.now() });
    if (this.#uses.size > MAX_HOOK_USES) this.#uses.delete(this.#uses.keys().next().value!);
  }

  #useOf(subject: string): number {
    const use = this.#uses.get(subject);
    return use && this.#clock.now() - use.at < HOOK_USE_KEPT_MS ? use.ms : 0;
  }

  /** The oldest of the subject that has most, of several that whose hooks took most, of these the oldest of all. */
  #crowding(): number {
    const counts = new Map<string, number>();
    for (const { subject } of this.#waiting) counts.set(subject, (counts.get(subject) ?? 0) + 1);
    let [most, use, out] = [0, 0, 0];
    for (const [at, { subject }] of this.#waiting.entries()) {
      const count = counts.get(subject)!;
      if (count < most) continue;
      const own = this.#useOf(subject);
      if (count > most || own > use) [most, use, out] = [count, own, at];
    }
    return out;
  }
}
