/**
 * Whether a peer that has ended its side is gone altogether, though nothing is read of it any more.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import type { Connection } from "../../net/socket.ts";

/** What a watch needs. */
export interface GoneWatchOptions {
  readonly conn: Connection;
  readonly clock: Clock;
  /** Milliseconds between two looks, where the engine does not tell by itself. */
  readonly lookEvery: number;
  /** Whether a write is under way, which would show a reset by itself. */
  isWriting(): boolean;
  /** It has closed as a whole, or reset the connection. */
  onGone(): void;
}

const NO_BYTES = new Uint8Array(0);

/** Watches one connection, whose end was read. */
export class GoneWatch {
  readonly #options: GoneWatchOptions;
  #cancelled = false;
  #cancelLook: () => void = () => {};

  /** Starts now. */
  constructor(options: GoneWatchOptions) {
    this.#options = options;
    const { conn } = options;
    if (conn.whenReset) conn.whenReset(() => this.#gone());
    else this.#look();
  }

  /** Tells nothing more. Idempotent. */
  cancel(): void {
    this.#cancelled = true;
    this.#cancelLook();
  }

  /** Where the engine does not tell of a reset: a write of nothing shows it. */
  #look(): void {
    const { clock, conn, lookEvery, isWriting } = this.#options;
    this.#cancelLook = clock.after(lookEvery, () => {
      this.#look();
      if (!isWriting()) Promise.resolve(conn.write(NO_BYTES)).catch(() => this.#gone());
    });
  }

  #gone(): void {
    if (this.#cancelled) return;
    this.cancel();
    this.#options.onGone();
  }
}
