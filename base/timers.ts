/**
 * Many timers over one of the runtime's, which costs far more than an entry in a heap: a connection sets several, and nearly
 * all of them are cancelled.
 *
 * @module
 */

import { MAX_ALARM_MS, SLICE_MS, TIMERS_PER_LOOK } from "./limits.ts";

/** What wakes the timers: one timer, as of the runtime. */
export interface Alarm {
  /** Monotonic milliseconds. */
  now(): number;
  /** Calls `fn` once after `ms` milliseconds. @returns what cancels it. */
  set(ms: number, fn: () => void): () => void;
}

interface Entry {
  readonly due: number;
  /** Which of two that are due at the same time was set first. */
  readonly order: number;
  readonly fn: () => void;
  /** Where it stands in the heap; -1: it has left. */
  at: number;
}

/** Timers in the order in which they are due. */
export class Timers {
  readonly #alarm: Alarm;
  readonly #heap: Entry[] = [];
  #order = 0;
  #cancel: (() => void) | undefined;
  #wakes = Infinity; // when the alarm goes off
  #ringing = false;

  constructor(alarm: Alarm) {
    this.#alarm = alarm;
  }

  /** Timers that are set. */
  get size(): number {
    return this.#heap.length;
  }

  /** Calls `fn` once after `ms` milliseconds, never before. @returns what cancels it. @throws {TypeError} if `ms` is NaN. */
  after(ms: number, fn: () => void): () => void {
    if (Number.isNaN(ms)) throw new TypeError("a timer's delay is not a number"); // it would stand in the way of all others
    const entry: Entry = { due: this.#alarm.now() + ms, order: this.#order++, fn, at: this.#heap.length };
    this.#heap.push(entry);
    this.#rise(entry);
    if (entry.due < this.#wakes && !this.#ringing) this.#arm();
    return () => this.#remove(entry);
  }

  #remove(entry: Entry): void {
    const { at } = entry;
    if (at < 0) return;
    entry.at = -1;
    const last = this.#heap.pop()!;
    if (last !== entry) {
      this.#put(last, at);
      this.#sink(last);
      this.#rise(last);
    }
    if (this.#heap.length === 0 && !this.#ringing) this.#arm(); // nothing keeps the process alive any more
  }

  /** The alarm goes off for the first timer; one that comes for nothing, or too early as it cannot be later, is set anew. */
  #arm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#wakes = this.#heap[0]?.due ?? Infinity;
    if (this.#wakes === Infinity) return;
    const ms = Math.ceil(this.#wakes - this.#alarm.now());
    this.#cancel = this.#alarm.set(Math.min(Math.max(0, ms), MAX_ALARM_MS), this.#ring);
  }

  readonly #ring = (): void => {
    this.#cancel = undefined;
    this.#ringing = true;
    const now = this.#alarm.now();
    try {
      for (let called = 1; this.#heap.length > 0 && this.#heap[0]!.due <= now; called++) {
        const first = this.#heap[0]!;
        this.#remove(first);
        first.fn();
        if (called % TIMERS_PER_LOOK === 0 && this.#alarm.now() - now >= SLICE_MS) break; // sockets have their turn
      }
    } finally {
      this.#ringing = false;
      this.#arm();
    }
  };

  #put(entry: Entry, at: number): void {
    this.#heap[at] = entry;
    entry.at = at;
  }

  #rise(entry: Entry): void {
    let { at } = entry;
    while (at > 0) {
      const above = this.#heap[(at - 1) >> 1]!;
      if (!isBefore(entry, above)) break;
      this.#put(above, at);
      at = (at - 1) >> 1;
    }
    this.#put(entry, at);
  }

  #sink(entry: Entry): void {
    const { length } = this.#heap;
    let { at } = entry;
    for (;;) {
      let next = 2 * at + 1;
      if (next >= length) break;
      if (next + 1 < length && isBefore(this.#heap[next + 1]!, this.#heap[next]!)) next++;
      const below = this.#heap[next]!;
      if (!isBefore(below, entry)) break;
      this.#put(below, at);
      at = next;
    }
    this.#put(entry, at);
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order);
}
