/**
 * How often one device may make a link: some at once, for a path that flaps; after that at a steady pace.
 *
 * @module
 */

import { LINK_BURST, LINK_INTERVAL_MS, MAX_RATED_DEVICES } from "./limits.ts";
import type { Clock } from "../../base/clock.ts";

interface Bucket {
  /** Milliseconds that were saved up; a link costs {@linkcode LINK_INTERVAL_MS}. */
  readonly saved: number;
  readonly at: number;
}

const FULL = LINK_BURST * LINK_INTERVAL_MS;

/** A bucket for each device. */
export class LinkRates {
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  /** Nobody has come yet. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The device named `key` makes a link. @returns 0 if it may; else milliseconds after which it may. */
  take(key: string): number {
    const now = this.#clock.now();
    const before = this.#buckets.get(key) ?? { saved: FULL, at: now };
    const saved = Math.min(FULL, before.saved + now - before.at);
    const wait = Math.max(0, Math.ceil(LINK_INTERVAL_MS - saved));
    this.#buckets.delete(key);
    this.#buckets.set(key, { saved: wait > 0 ? saved : saved - LINK_INTERVAL_MS, at: now });
    if (this.#buckets.size > MAX_RATED_DEVICES) {
      for (const oldest of this.#buckets.keys()) {
        this.#buckets.delete(oldest);
        break;
      }
    }
    return wait;
  }
}
