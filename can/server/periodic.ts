/**
 * Frames that a client has sent again and again.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { BusError } from "../bus/bus.ts";
import type { CanFrame } from "../frame.ts";
import { MAX_PERIODIC, MAX_PERIODIC_RATE } from "../limits.ts";
import type { PeriodicRequest } from "../wire.ts";

/** Longest time that a timer of the runtime can have, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What all clients of a bus may have sent so, in frames a second. */
export class PeriodicBudget {
  #left = MAX_PERIODIC_RATE;

  /** @returns whether there is so much left; it is taken then. */
  take(rate: number): boolean {
    if (rate > this.#left) return false;
    this.#left -= rate;
    return true;
  }

  /** Gives back what was taken. */
  give(rate: number): void {
    this.#left += rate;
  }
}

interface Task {
  frame: CanFrame;
  readonly period: number;
  readonly end: number;
  next: number;
  cancel: () => void;
}

/** The periodic frames of one client. */
export class PeriodicTasks {
  readonly #clock: Clock;
  readonly #budget: PeriodicBudget;
  readonly #send: (frame: CanFrame) => void;
  readonly #tasks = new Map<string, Task>();

  /** `send` deals with what may come of it. */
  constructor(clock: Clock, budget: PeriodicBudget, send: (frame: CanFrame) => void) {
    this.#clock = clock;
    this.#budget = budget;
    this.#send = send;
  }

  /** Starts one, at once; of one that runs, the data is changed. @throws {BusError} if it cannot be. */
  start({ key, frame, period, duration }: PeriodicRequest): void {
    const running = this.#tasks.get(key);
    if (running) {
      running.frame = frame;
      return;
    }
    if (period === 0) return; // a change of what does not run
    if (!(period >= 1 && period <= MAX_TIMER_MS)) {
      throw new BusError(`a period of ${period} ms; it has to be from 1 ms to ${MAX_TIMER_MS}`);
    }
    if (this.#tasks.size >= MAX_PERIODIC) throw new BusError(`a client may have ${MAX_PERIODIC} periodic frames`);
    if (!this.#budget.take(1000 / period)) {
      throw new BusError(`all periodic frames of the bus may be ${MAX_PERIODIC_RATE} a second`);
    }
    const now = this.#clock.now();
    const task = { frame, period, end: duration > 0 ? now + duration : Infinity, next: now, cancel: () => {} };
    this.#tasks.set(key, task);
    this.#turn(key, task);
  }

  /** Ends one, which need not run. */
  stop(key: string): void {
    const task = this.#tasks.get(key);
    if (!task) return;
    task.cancel();
    this.#tasks.delete(key);
    this.#budget.give(1000 / task.period);
  }

  /** Ends all. */
  stopAll(): void {
    for (const key of [...this.#tasks.keys()]) this.stop(key);
  }

  /** Sends, and sets the time of the next: by the plan, not by when this one was; what was missed is left out. */
  #turn(key: string, task: Task): void {
    const now = this.#clock.now();
    if (now >= task.end) return this.stop(key);
    this.#send(task.frame);
    if (this.#tasks.get(key) !== task) return; // its client has gone by that
    task.next += task.period;
    if (task.next <= now) task.next = now + task.period;
    task.cancel = this.#clock.after(task.next - now, () => this.#turn(key, task));
  }
}
