/**
 * How much of what a session keeps for replay are control frames: they wait for no acknowledgement, so a peer that sends
 * none would make them grow.
 *
 * @module
 */

/** Positions are remembered once for so many bytes of control frames. */
const STEP = 64 * 1024;

/** Counts the control frames that are not acknowledged, in bytes; up to 64 KiB more than there are. */
export class KeptControl {
  /** Position behind a control frame, and how many bytes of them had been sent then. */
  readonly #marks: { readonly position: number; readonly sent: number }[] = [];
  #sent = 0;
  #markedAt = 0;
  #acknowledged = 0;

  /** Bytes that are kept. */
  get bytes(): number {
    return this.#sent - this.#acknowledged;
  }

  /** A control frame of `size` bytes was sent; `position` is behind it. */
  sent(size: number, position: number): void {
    this.#sent += size;
    if (this.#sent - this.#markedAt < STEP) return;
    this.#markedAt = this.#sent;
    this.#marks.push({ position, sent: this.#sent });
  }

  /** All up to `position` is acknowledged; `everything`: there is nothing behind it. */
  acknowledged(position: number, everything: boolean): void {
    let count = 0;
    while (count < this.#marks.length && this.#marks[count]!.position <= position) count++;
    if (count > 0) this.#acknowledged = this.#marks.splice(0, count).at(-1)!.sent;
    if (everything) this.#acknowledged = this.#sent;
  }
}
