/**
 * What a peer's control frames cost this side: whoever sends more than anybody needs is read more slowly.
 *
 * @module
 */

import { FRAME_LOAD_BURST, FRAME_LOAD_PER_MS } from "./limits.ts";
import { V2Command } from "./wire/commands.ts";

/** Frames that make work beyond their own channel; any other costs 1. */
const COSTS: Partial<Record<number, number>> = {
  [V2Command.SETTINGS]: 20,
  [V2Command.PING]: 5,
};

/** Cost of a byte of LISTEN: an entry of some 10 bytes may open a host port. */
const LISTEN_BYTE_COST = 20;

/** A token bucket that may be overdrawn, without a clock of its own: `now` is in milliseconds. */
export class FrameLoad {
  #spent = 0;
  #at: number;

  /** Full at `now`. */
  constructor(now: number) {
    this.#at = now;
  }

  /** A frame came, with `size` bytes of payload. */
  add(command: number, size: number): void {
    this.#spent += command === V2Command.LISTEN ? 1 + size * LISTEN_BYTE_COST : COSTS[command] ?? 1;
  }

  /** Milliseconds for which nothing more is to be read; 0 as long as the peer keeps within what is usual. */
  pause(now: number): number {
    this.#spent = Math.max(0, this.#spent - (now - this.#at) * FRAME_LOAD_PER_MS);
    this.#at = now;
    return Math.max(0, this.#spent - FRAME_LOAD_BURST) / FRAME_LOAD_PER_MS;
  }
}
