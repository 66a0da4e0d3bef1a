/**
 * How often devices lost their links within the last hour: those that flap are to be seen first.
 *
 * @module
 */

import type { ServerEvent } from "../events.ts";
import { LOSSES_MS, MAX_LOSING_DEVICES, MAX_LOSSES_COUNTED } from "./limits.ts";

/** Counts losses. Bounded: of each device the last ones, and devices that lost theirs most recently. */
export class LinkLosses {
  readonly #times = new Map<string, number[]>();

  /** How many devices are known. */
  get size(): number {
    return this.#times.size;
  }

  /** Counts an event, if it is a loss: of a link, of a session, or of a link that another took the place of. */
  add(event: ServerEvent, now: number): boolean {
    if (event.type !== "link-interrupted" && event.type !== "link-down") {
      if (event.type !== "link-resumed" || !event.moved) return false;
    }
    const { device } = event;
    const times = this.#times.get(device) ?? [];
    this.#times.delete(device);
    if (times.length >= MAX_LOSSES_COUNTED) times.shift();
    times.push(now);
    this.#times.set(device, times);
    const [oldest] = this.#times.keys();
    if (this.#times.size > MAX_LOSING_DEVICES) this.#times.delete(oldest!);
    return true;
  }

  /** Losses of a device within the last hour, at most {@linkcode MAX_LOSSES_COUNTED}. */
  of(device: string, now: number): number {
    const times = this.#times.get(device);
    if (!times) return 0;
    while (times.length > 0 && times[0]! <= now - LOSSES_MS) times.shift();
    if (times.length === 0) this.#times.delete(device);
    return times.length;
  }
}
