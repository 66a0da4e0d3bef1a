/**
 * Time that passes only when told to.
 *
 * @module
 */

import type { Clock } from "../../../base/clock.ts";

/** Turns of the microtask queue in which whoever was woken by an event goes on. */
const TURNS = 24;

interface Event {
  readonly at: number;
  readonly turn: number;
  run: (() => void) | undefined;
}

/** Virtual time: events happen in the order of their times, those of one time in the order in which they were asked for. */
export class Time {
  /** Milliseconds since the start. */
  now = 0;
  /** The same as the relay's code sees it. */
  readonly clock: Clock = {
    now: () => this.now,
    wall: () => 1_700_000_000_000 + this.now,
    after: (ms, fn) => this.after(ms, fn),
    soon: (fn) => this.after(0, fn),
  };
  #turn = 0;
  #pending = 0;
  readonly #events: Event[] = [];

  /** Events that are to come. */
  get pending(): number {
    return this.#pending;
  }

  /** Calls `run` in `ms` milliseconds. @returns what cancels it. */
  after(ms: number, run: () => void): () => void {
    const event: Event = { at: this.now + Math.max(0, ms), turn: this.#turn++, run };
    let low = 0;
    for (let high = this.#events.length; low < high;) {
      const middle = low + high >> 1;
      const other = this.#events[middle]!;
      if (other.at > event.at || (other.at === event.at && other.turn > event.turn)) low = middle + 1;
      else high = middle;
    }
    this.#events.splice(low, 0, event); // the next one stands last
    this.#pending++;
    return () => {
      if (event.run) this.#pending--;
      event.run = undefined;
    };
  }

  /** Resolves in `ms` milliseconds. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** Lets everything happen up to `until`, or until nothing is left to happen, or `enough` says so. */
  async run(until = Infinity, enough: () => boolean = () => false): Promise<void> {
    await this.#settle();
    while (!enough()) {
      const event = this.#events.at(-1);
      if (!event || event.at > until) {
        if (until < Infinity) this.now = until;
        return;
      }
      this.#events.pop();
      const { run } = event;
      if (!run) continue;
      event.run = undefined;
      this.#pending--;
      this.now = event.at;
      run();
      await this.#settle();
    }
  }

  async #settle(): Promise<void> {
    for (let turns = 0; turns < TURNS; turns++) await undefined;
  }
}
