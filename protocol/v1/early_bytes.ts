/**
 * Bytes that arrive for a client id just before its CONNECT, and a CLOSE that does.
 *
 * The original server sends DATA ahead of CONNECT when a client speaks at once (seen in 8 of 50 tries), and CLOSE when
 * one leaves at once (3 to 4 of 100); the original device loses the one, and serves the other who is not there any more.
 * Here both wait a moment, within bounds.
 *
 * @module
 */

import { EARLY_HOLD_MS, MAX_EARLY_BYTES, MAX_EARLY_BYTES_PER_LINK } from "./limits.ts";

const NOTHING: Early = { bytes: new Uint8Array(0), closed: false };

/** First size of the buffer of an id; it doubles as it fills. */
const MIN_BUFFER = 256;

interface Held {
  readonly since: number;
  buffer: Uint8Array;
  size: number;
  closed: boolean;
}

/** What came ahead of a CONNECT. */
export interface Early {
  /** Bytes, in order; often none. */
  readonly bytes: Uint8Array;
  /** Whether a CLOSE came, after the bytes. */
  readonly closed: boolean;
}

/** Copies of early bytes, by client id, in the order of their arrival. */
export class EarlyBytes {
  readonly #held = new Map<number, Held>();
  #total = 0;

  /** When the oldest bytes have waited long enough; `Infinity` if there are none. */
  get deadline(): number {
    for (const held of this.#held.values()) return held.since + EARLY_HOLD_MS;
    return Infinity;
  }

  /**
   * Keeps a copy of `bytes`; those behind a CLOSE are nobody's, and dropped.
   *
   * @returns false if a bound is reached: then nothing of that id is kept any more.
   */
  hold(id: number, bytes: Uint8Array, now: number): boolean {
    const held = this.#held.get(id) ?? { since: now, buffer: new Uint8Array(MIN_BUFFER), size: 0, closed: false };
    if (held.closed) return true;
    if (
      held.size + bytes.length > MAX_EARLY_BYTES || this.#total + bytes.length > MAX_EARLY_BYTES_PER_LINK
    ) {
      this.drop(id);
      return false;
    }
    if (held.size + bytes.length > held.buffer.length) {
      const larger = new Uint8Array(Math.max(held.buffer.length * 2, held.size + bytes.length));
      larger.set(held.buffer.subarray(0, held.size));
      held.buffer = larger;
    }
    held.buffer.set(bytes, held.size);
    held.size += bytes.length;
    this.#total += bytes.length;
    this.#held.set(id, held);
    return true;
  }

  /** Keeps that an id was closed. */
  close(id: number, now: number): void {
    const held = this.#held.get(id);
    if (held) held.closed = true;
    else this.#held.set(id, { since: now, buffer: NOTHING.bytes, size: 0, closed: true });
  }

  /** Takes what was kept for an id; often nothing. */
  take(id: number): Early {
    const held = this.#held.get(id);
    if (!held) return NOTHING;
    this.drop(id);
    return { bytes: held.buffer.subarray(0, held.size), closed: held.closed };
  }

  /** Forgets what was kept for an id. */
  drop(id: number): void {
    const held = this.#held.get(id);
    if (!held) return;
    this.#total -= held.size;
    this.#held.delete(id);
  }

  /** Forgets what has waited too long. @returns the ids of those who have not been closed since. */
  expire(now: number): number[] {
    const ids: number[] = [];
    for (const [id, held] of this.#held) {
      if (held.since + EARLY_HOLD_MS > now) break;
      this.drop(id);
      if (!held.closed) ids.push(id);
    }
    return ids;
  }
}
