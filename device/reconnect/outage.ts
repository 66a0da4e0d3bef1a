/**
 * What is logged of the tries to reach a server, so that a long outage does not fill a log: the first one, each reason once,
 * and now and then how long it has lasted.
 *
 * @module
 */

import { MAX_OUTAGE_REASONS, OUTAGE_EVERY_MS, OUTAGE_TOLD_MS } from "../limits.ts";

/** How long an outage has lasted. */
export interface OutageFacts {
  /** Tries that failed. */
  readonly tries: number;
  /** Milliseconds since the first one. */
  readonly duration: number;
}

/** The time without a link, from the first try that failed. */
export class Outage {
  readonly #reasons = new Set<string>();
  #since: number | undefined;
  #tries = 0;
  #toldUntil = 0; // milliseconds from the first one

  /**
   * A try failed at the time `now`. `reason` is why, with the place.
   *
   * @returns `new` if it is to be told, `still` with how long it has lasted if that is, `known` if neither.
   */
  failed(reason: string, now: number): "new" | "still" | "known" {
    const since = this.#since ??= now;
    this.#tries++;
    const kind = reason.replace(/\d+/g, "0"); // times and ports change from try to try, and say nothing new
    if (!this.#reasons.has(kind) && this.#reasons.size < MAX_OUTAGE_REASONS) {
      this.#reasons.add(kind);
      return "new";
    }
    const lasted = now - since;
    const due = OUTAGE_TOLD_MS.find((ms) => ms > this.#toldUntil) ?? this.#toldUntil + OUTAGE_EVERY_MS;
    if (lasted < due) return "known";
    this.#toldUntil = lasted;
    return "still";
  }

  /** How long it has lasted at the time `now`; `undefined` if there is none. */
  facts(now: number): OutageFacts | undefined {
    return this.#since === undefined ? undefined : { tries: this.#tries, duration: Math.round(now - this.#since) };
  }

  /** A link is up. */
  over(): void {
    this.#since = undefined;
    this.#tries = 0;
    this.#toldUntil = 0;
    this.#reasons.clear();
  }
}
