/**
 * What somebody wants of the next dial of a device: to come at once, and to be made also while a link is up.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { Retry } from "./retry.ts";

/** Wishes, until a dial begins. */
export class Wishes {
  readonly #clock: Clock;
  readonly #retry: Retry;
  #hurry = new AbortController();
  #move = new AbortController();
  #isMoving = false; // another link was wanted, and has not come about
  #cancelRetry = () => {};

  /** Nobody wants anything. `random` gives numbers in [0, 1). */
  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#retry = new Retry(random);
  }

  /** Aborts when the wait for the next dial is to end. */
  get hurry(): AbortSignal {
    return this.#hurry.signal;
  }

  /** Aborts when another link is to be made while the one that is up goes on. */
  get move(): AbortSignal {
    return this.#move.signal;
  }

  /** The next dial is to come at once, if no link is up. */
  dialSoon(): void {
    this.#hurry.abort();
  }

  /** There is to be another link than the one that is up, or is being made. */
  moveSoon(): void {
    this.#retry.reset();
    this.#want();
  }

  /** A dial begins, by what is in force now. */
  begin(): void {
    this.#cancelRetry();
    this.#isMoving ||= this.#move.signal.aborted;
    this.#hurry = new AbortController();
    this.#move = new AbortController();
  }

  /** A link has come of it. */
  done(): void {
    this.#isMoving = false;
  }

  /** No link has come of it, and the one that is up goes on: if another was wanted, it is tried again, later and later. */
  failed(): void {
    if (this.#isMoving) this.#cancelRetry = this.#clock.after(this.#retry.after(undefined), () => this.#want());
  }

  /** Wants nothing any more. Idempotent. */
  close(): void {
    this.#cancelRetry();
  }

  #want(): void {
    this.#move.abort();
    this.#hurry.abort();
  }
}
