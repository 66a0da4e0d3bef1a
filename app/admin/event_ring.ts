/**
 * The last events, for those who ask later, and those who follow: bounded, and nobody who reads slowly holds any up.
 *
 * @module
 */

import { MAX_KEPT_EVENTS } from "../limits.ts";

/** An event, with its place and its time. */
export interface KeptEvent<E> {
  /** Its number, from 1. */
  readonly number: number;
  /** When it was, in milliseconds since 1970. */
  readonly time: number;
  readonly event: E;
}

/** Where somebody goes on to read. */
export interface Place {
  /** The number of the first event that was not read yet. */
  readonly next: number;
  /** How many were there since the cursor, and are not any more; of another run of the daemon: -1. */
  readonly missed: number;
}

/** Keeps the last events. */
export class EventRing<E> {
  /** When the daemon started, by the wall clock. */
  readonly since: number;
  /** Which run of the daemon it is: cursors of another lead nowhere. */
  readonly #run: string;
  readonly #size: number;
  readonly #kept: KeptEvent<E>[] = [];
  readonly #waiting = new Set<() => void>();
  #last = 0;

  /** Nothing yet; `since` is when the daemon started, by the wall clock. */
  constructor(since: number, size = MAX_KEPT_EVENTS) {
    this.since = since;
    this.#run = Math.floor(since).toString(36);
    this.#size = size;
  }

  /** The number that the next event will have. */
  get next(): number {
    return this.#last + 1;
  }

  /** The number of the oldest that is kept. */
  get oldest(): number {
    return Math.max(1, this.next - this.#size);
  }

  /** Keeps an event, and wakes those who wait for one. */
  add(time: number, event: E): void {
    const number = ++this.#last;
    this.#kept[number % this.#size] = { number, time, event };
    if (this.#waiting.size === 0) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  /** The event of a number, if it is kept. */
  get(number: number): KeptEvent<E> | undefined {
    const kept = this.#kept[number % this.#size];
    return kept?.number === number ? kept : undefined;
  }

  /** The cursor of an event: who comes with it goes on behind it. */
  cursorAt(number: number): string {
    return `${this.#run}-${number}`;
  }

  /** Where a cursor leads; `undefined` if it is none. */
  placeOf(cursor: string): Place | undefined {
    const [, run, text] = /^([0-9a-z]{1,12})-(\d{1,15})$/.exec(cursor) ?? [];
    if (run === undefined) return undefined;
    const next = Number(text) + 1;
    if (run !== this.#run || next > this.next) return { next: this.oldest, missed: -1 };
    return { next: Math.max(next, this.oldest), missed: Math.max(0, this.oldest - next) };
  }

  /** Calls `fn` once, at the next event. @returns what calls that off. */
  whenMore(fn: () => void): () => void {
    this.#waiting.add(fn);
    return () => this.#waiting.delete(fn);
  }
}
