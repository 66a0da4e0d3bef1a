/**
 * What waits to be written to a line.
 *
 * @module
 */

import { MAX_SERIAL_OUTPUT, SERIAL_WRITE_SIZE } from "../limits.ts";
import type { SerialLine } from "../line/line.ts";
import { ByteQueue } from "./byte_queue.ts";

/** Writes to the line that is open, in one loop; without one, it keeps what it has. */
export class LineOutput {
  readonly #onProgress: () => void;
  readonly #onFailed: (line: SerialLine, error: unknown) => void;
  readonly #queue = new ByteQueue(MAX_SERIAL_OUTPUT);
  readonly #scratch = new Uint8Array(SERIAL_WRITE_SIZE); // out of the queue, as that may be dropped meanwhile
  #piece = 0; // bytes of it that are still to be written
  #isWriting = false;
  #line: SerialLine | undefined;

  /** @param onProgress called when more has been written or dropped; `onFailed` when the line fails. */
  constructor(onProgress: () => void, onFailed: (line: SerialLine, error: unknown) => void) {
    this.#onProgress = onProgress;
    this.#onFailed = onFailed;
  }

  /** The line that is open. */
  set line(line: SerialLine | undefined) {
    this.#line = line;
    this.#writeOn();
  }

  /** Bytes that there is room for. */
  get room(): number {
    return this.#queue.room;
  }

  /** Bytes that have not been given to the system. */
  get waiting(): number {
    return this.#queue.length + this.#piece;
  }

  /** Takes bytes, for which there has to be room. */
  push(bytes: Uint8Array): void {
    this.#queue.push(bytes);
    this.#writeOn();
  }

  /** Drops what waits. */
  drop(): void {
    this.#queue.clear();
    this.#piece = 0;
    this.#onProgress();
  }

  async #writeOn(): Promise<void> {
    const line = this.#line;
    if (!line || this.#isWriting) return;
    this.#isWriting = true;
    try {
      while (this.#queue.length > 0 && this.#line === line) await this.#writePiece(line);
    } catch (error) {
      this.#onFailed(line, error);
    } finally {
      this.#isWriting = false;
      if (this.#line !== line) this.#writeOn();
    }
  }

  async #writePiece(line: SerialLine): Promise<void> {
    const next = this.#queue.peek().subarray(0, this.#scratch.length);
    this.#scratch.set(next);
    this.#queue.skip(next.length);
    const end = this.#piece = next.length;
    for (let at = 0; this.#piece > 0 && this.#line === line;) {
      const soon = line.write(this.#scratch.subarray(at, end));
      const count = typeof soon === "number" ? soon : await soon;
      at += count;
      this.#piece = Math.max(0, this.#piece - count);
    }
    this.#piece = 0;
    this.#onProgress();
  }
}
