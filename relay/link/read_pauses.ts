/**
 * Pauses in the reading of a link: while somebody holds it, for a moment where its peer makes too much work, and for a
 * turn of the event loop where it has had more than its part. While bytes are there, reads come back without a turn: a
 * peer that sends faster than it is read would else be the only one who is heard.
 *
 * @module
 */

import { SLICE_MS } from "../../base/limits.ts";
import { MAX_REST_MS } from "../limits.ts";
import type { Clock } from "../../base/clock.ts";

const NOTHING = (): void => {};

/** The pauses of one link. Its owner waits for one at a time. */
export class ReadPauses {
  /** When {@linkcode ReadPauses.turn} is to be asked next, in milliseconds of the clock: a comparison for each read. */
  due: number;
  readonly #clock: Clock;
  #holds = 0;
  #resume: (() => void) | undefined;
  #isTurnAhead = false;
  #onTurn = NOTHING;
  #cancelTurn = NOTHING;

  /** Nobody holds it. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.due = clock.now() + SLICE_MS;
  }

  /** Whether somebody holds it. */
  get isHeld(): boolean {
    return this.#holds > 0;
  }

  /** Holds it until as many {@linkcode ReadPauses.unhold} have come. */
  hold(): void {
    this.#holds++;
  }

  /** See {@linkcode ReadPauses.hold}. */
  unhold(): void {
    if (--this.#holds > 0) return;
    this.#resume?.();
    this.#resume = undefined;
  }

  /** Ends the pause that there may be: the link is about to end. */
  end(): void {
    this.#cancelTurn();
    this.#isTurnAhead = false;
    this.#onTurn();
    this.#resume?.();
  }

  /** Resolves when nobody holds it any more. */
  held(): Promise<void> {
    return new Promise((resolve) => this.#resume = resolve);
  }

  /**
   * Reading has gone on for `SLICE_MS` milliseconds since the last turn that was seen.
   *
   * @returns whether it had to wait for another one.
   */
  turn(now: number): Promise<boolean> | false {
    if (this.#isTurnAhead) return new Promise((resolve) => this.#onTurn = () => resolve(true));
    this.#isTurnAhead = true;
    this.due = now + SLICE_MS;
    this.#cancelTurn = this.#clock.soon(() => {
      this.#isTurnAhead = false;
      this.#onTurn();
    });
    return false;
  }

  /** A read of less than there was room for came at `now`, and had to wait: others have had their turn meanwhile. */
  waited(now: number): void {
    this.due = now + SLICE_MS;
  }

  /** Waits for `ms` milliseconds, or a moment if that is long: the link may end meanwhile. */
  rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(Math.min(MAX_REST_MS, Math.ceil(ms)), resolve);
      this.#resume = () => {
        cancel();
        resolve();
      };
    });
  }
}
