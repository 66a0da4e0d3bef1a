/**
 * Since when devices are refused: one that was barred a moment ago may be back in a moment, and asks soon; one that was
 * barred long ago asks seldom.
 *
 * @module
 */

import { BARRED_PATIENCE, MAX_BARRED, MIN_BARRED_COME_BACK_MS } from "../limits.ts";
import type { Goodbye } from "../../protocol/v2/wire/goodbye.ts";
import type { Clock } from "../../base/clock.ts";

/** Remembers a bounded number of keys; beyond, the one that was barred first is forgotten. */
export class BarredDevices {
  readonly #clock: Clock;
  readonly #since = new Map<string, number>();

  /** Nobody yet. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A goodbye to the device with a key, as text, with the time to come back that fits; it is barred from now on. */
  refuse(key: string, word: Goodbye): Goodbye {
    const { comeBackAfter } = word;
    if (comeBackAfter === undefined) return word;
    const now = this.#clock.now();
    const since = this.#since.get(key) ?? now;
    this.#since.set(key, since);
    for (const oldest of this.#since.keys()) {
      if (this.#since.size <= MAX_BARRED) break;
      this.#since.delete(oldest);
    }
    const soon = Math.max(MIN_BARRED_COME_BACK_MS, Math.round((now - since) / BARRED_PATIENCE));
    return { ...word, comeBackAfter: Math.min(comeBackAfter, soon) };
  }

  /** The device with a key is welcome again. */
  forget(key: string): void {
    this.#since.delete(key);
  }
}
