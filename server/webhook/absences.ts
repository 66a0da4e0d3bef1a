/**
 * Who has been without a link for so long that it is worth a word. One timer, however many devices: all wait equally long,
 * so who began to wait first is due first.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import type { Renamed } from "../devices/differences.ts";
import { ABSENCES_A_TURN } from "../limits.ts";

/** What is known of an absence. */
export interface Absence<T> {
  /** When it began, on the clock. */
  readonly since: number;
  readonly facts: T;
}

/** Those who are away. */
export class Absences<T> {
  readonly #clock: Clock;
  #grace: number;
  readonly #due: (name: string, absence: Absence<T>) => boolean;
  /** In the order of their beginning. */
  readonly #waiting = new Map<string, Absence<T>>();
  readonly #told = new Map<string, Absence<T>>();
  #cancel: (() => void) | undefined;

  /** `due` is called for whoever has been away for `grace` milliseconds, and says whether that was worth a word. */
  constructor(clock: Clock, grace: number, due: (name: string, absence: Absence<T>) => boolean) {
    this.#clock = clock;
    this.#grace = grace;
    this.#due = due;
  }

  /** One is away from now on, if it was not before. */
  begin(name: string, facts: T): void {
    if (this.#waiting.has(name) || this.#told.has(name)) return;
    this.#waiting.set(name, { since: this.#clock.now(), facts });
    this.#cancel ??= this.#clock.after(this.#grace, () => this.#look());
  }

  /** It is back, or will not be missed. @returns its absence, if it was told. */
  end(name: string): Absence<T> | undefined {
    this.#waiting.delete(name);
    const told = this.#told.get(name);
    this.#told.delete(name);
    return told;
  }

  /** Some have other names: their absences go on, in the order of their beginning. */
  rename(names: readonly Renamed[]): void {
    const after = new Map(names);
    for (const absences of [this.#waiting, this.#told]) {
      if (!names.some(([before]) => absences.has(before))) continue;
      const all = [...absences];
      absences.clear();
      for (const [name, absence] of all) absences.set(after.get(name) ?? name, absence);
    }
  }

  /** Whoever is away and was not told yet is due after `grace` milliseconds from the beginning of its absence. */
  set grace(grace: number) {
    this.#grace = grace;
    this.#cancel?.();
    this.#look();
  }

  /** Looks no more. Idempotent. */
  close(): void {
    this.#cancel?.();
    this.#waiting.clear();
  }

  /** Of a whole fleet that is away, some are told in each turn. */
  #look(): void {
    this.#cancel = undefined;
    const now = this.#clock.now();
    let told = 0;
    for (const [name, absence] of this.#waiting) {
      if (told++ === ABSENCES_A_TURN) {
        this.#cancel = this.#clock.soon(() => this.#look());
        return;
      }
      const left = absence.since + this.#grace - now;
      if (left > 0) {
        this.#cancel = this.#clock.after(Math.ceil(left), () => this.#look());
        return;
      }
      this.#waiting.delete(name);
      if (this.#due(name, absence)) this.#told.set(name, absence);
    }
  }
}
