/**
 * Somebody on the path of the link: counts its bytes, and looks whether they can be read.
 *
 * @module
 */

import type { Direction } from "../../../tests/rig/cable.ts";

/** Bytes of the beginning that are kept. */
const HEAD = 11;

/** Looks at the bytes of a link. */
export class Onlooker {
  /** How many went by. */
  readonly bytes: Record<Direction, number> = { "to server": 0, "to device": 0 };
  /** What the device began with. */
  readonly head: number[] = [];
  /** Whether the word was seen. */
  found = false;

  #word: string | undefined;
  #waiting: { readonly until: number; readonly resolve: () => void } | undefined;

  /** Looks out for a word from now on, in what one read brings. */
  lookFor(word: string): void {
    this.#word = word;
    this.found = false;
  }

  /** Looks out for nothing. @returns whether the word was seen. */
  stop(): boolean {
    this.#word = undefined;
    return this.found;
  }

  /** Resolves when `count` bytes more have gone by. */
  carried(count: number): Promise<void> {
    return new Promise((resolve) => this.#waiting = { until: this.#total + count, resolve });
  }

  get #total(): number {
    return this.bytes["to server"] + this.bytes["to device"];
  }

  /** For a tap. */
  watch(direction: Direction): (bytes: Uint8Array) => void {
    return (bytes) => {
      this.bytes[direction] += bytes.length;
      if (this.#waiting && this.#total >= this.#waiting.until) this.#waiting.resolve();
      if (direction === "to server" && this.head.length < HEAD) {
        this.head.push(...bytes.subarray(0, HEAD - this.head.length));
      }
      if (this.#word !== undefined) this.found ||= new TextDecoder("latin1").decode(bytes).includes(this.#word);
    };
  }
}
