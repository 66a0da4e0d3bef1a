/**
 * Which of a device's links is the newest, however late the network brings the words of another.
 *
 * @module
 */

/** The links of one device, as far as they are taken. */
export class NewestLink {
  #order = 0; // of the newest
  #epoch: number | undefined; // of the newest
  #highest = 0;

  /** The greatest epoch that was seen; 0 for none. */
  get highest(): number {
    return this.#highest;
  }

  /**
   * Takes a link for the newest, unless one is already that came after it. To be asked again: whether it still is.
   *
   * Epochs decide, which the device raises; where this link or the newest has none, the order in which they were accepted.
   *
   * @param order Of its connection: greater than those of all that were accepted before.
   * @returns whether it is the newest.
   */
  take(order: number, epoch: number | undefined): boolean {
    if (order === this.#order) return true;
    if (epoch !== undefined && epoch <= this.#highest) return false;
    const decided = epoch !== undefined && this.#epoch !== undefined;
    if (!decided && order < this.#order) return false;
    this.#order = order;
    this.#epoch = epoch;
    this.#highest = Math.max(this.#highest, epoch ?? 0);
    return true;
  }
}
