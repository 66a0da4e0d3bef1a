/**
 * The rate at which a path delivers: the highest that was seen of late.
 *
 * @module
 */

/** Rounds of the newer and of the older half of the window in which the highest counts. */
const ROUNDS = 2;

/** Bytes per millisecond, over a window of 2 to 4 round trips. */
export class DeliveryRate {
  #newer = 0;
  #older = 0;
  #rounds = 0;
  #recent = 0;
  #settled = false;

  /** The rate; 0 if none was seen. */
  get value(): number {
    return Math.max(this.#newer, this.#older);
  }

  /** Whether it was seen for a whole half of the window with a sender that had enough to send. */
  get settled(): boolean {
    return this.#settled;
  }

  /** Was seen. `demanding`: the sender had enough to send; otherwise it can only raise the rate. `round`: one is over. */
  saw(rate: number, demanding: boolean, round: boolean): void {
    this.#newer = Math.max(this.#newer, rate);
    if (!demanding) return; // nothing else follows: it does not let the window move on
    this.#recent = Math.max(this.#recent, rate);
    if (!round || ++this.#rounds <= ROUNDS) return;
    this.#older = this.#newer;
    this.#newer = 0;
    this.#rounds = 0;
    this.#settled = true;
  }

  /** Looks apart at what is seen from here on. */
  mark(): void {
    this.#recent = 0;
  }

  /** Forgets what was seen before {@linkcode DeliveryRate.mark}, if it was more and something was seen since. */
  forget(): void {
    if (this.#recent > 0 && this.#recent < this.value) this.#newer = this.#older = this.#recent;
  }
}
