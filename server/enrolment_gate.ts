/**
 * How many may enrol at once: whoever has proved to have a string waits here for the files, and no longer at the door.
 *
 * @module
 */

import { MAX_ENROLLING, MAX_ENROLLING_PER_ADDRESS } from "../net/limits.ts";

/** Counts those who enrol, from each address and in all. */
export class EnrolmentGate {
  #all = 0;
  readonly #byHost = new Map<string, number>();

  /** Lets one more in. @returns what to call when it is done, or why it has to come back later. */
  enter(host: string): (() => void) | string {
    const count = this.#byHost.get(host) ?? 0;
    if (count >= MAX_ENROLLING_PER_ADDRESS) return `${MAX_ENROLLING_PER_ADDRESS} others from ${host} enrol just now`;
    if (this.#all >= MAX_ENROLLING) return `${MAX_ENROLLING} others enrol just now`;
    this.#all++;
    this.#byHost.set(host, count + 1);
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      this.#all--;
      const left = this.#byHost.get(host)! - 1;
      if (left > 0) this.#byHost.set(host, left);
      else this.#byHost.delete(host);
    };
  }
}
