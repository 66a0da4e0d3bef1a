/**
 * Time that passes only when told to. No tests here.
 *
 * @module
 */

/** Virtual time. */
export class Time {
  now = 0;
  #turn = 0;
  readonly #events: { readonly at: number; readonly turn: number; readonly run: () => void }[] = [];

  /** Calls `run` in `ms` milliseconds. */
  after(ms: number, run: () => void): void {
    const event = { at: this.now + ms, turn: this.#turn++, run };
    let low = 0;
    for (let high = this.#events.length; low < high;) {
      const middle = low + high >> 1;
      const other = this.#events[middle]!;
      if (other.at > event.at || (other.at === event.at && other.turn > event.turn)) low = middle + 1;
      else high = middle;
    }
    this.#events.splice(low, 0, event); // the next one stands last
  }

  /** Resolves in `ms` milliseconds. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** Lets everything happen up to `until`, or until nothing is left to happen. */
  async run(until = Infinity): Promise<void> {
    for (;;) {
      for (let turns = 0; turns < 10; turns++) await undefined; // whoever was woken goes on
      const event = this.#events.at(-1);
      if (!event || event.at > until) break;
      this.#events.pop();
      this.now = event.at;
      event.run();
    }
    if (until < Infinity) this.now = until;
  }
}
