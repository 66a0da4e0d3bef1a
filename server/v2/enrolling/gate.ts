/**
 * How many may enrol at once: whoever has proved to have a string waits here for the files, and no longer at the door.
 *
 * @module
 */

import { MAX_ENROLLING, MAX_ENROLLING_PER_ADDRESS, MAX_ENROLLING_PER_STRING } from "../../limits.ts";
import { addressGroup } from "../../../protocol/address_group.ts";

/** Counts those who enrol: with each string, from each address (an IPv4 address, or a /56 of IPv6) and in all. */
export class EnrolmentGate {
  #all = 0;
  readonly #counts = new Map<string, number>();

  /** Lets one more in, from `host`, an address in text. @returns what to call when it is done, or why it has to come back later. */
  enter(host: string, string: string): (() => void) | string {
    const { site } = addressGroup(host);
    const keys = [`string ${string}`, `site ${site}`] as const;
    const [same, near] = keys.map((key) => this.#counts.get(key) ?? 0) as [number, number];
    if (same >= MAX_ENROLLING_PER_STRING) return `${MAX_ENROLLING_PER_STRING} others enrol with this string just now`;
    if (near >= MAX_ENROLLING_PER_ADDRESS) return `${MAX_ENROLLING_PER_ADDRESS} others from ${site} enrol just now`;
    if (this.#all >= MAX_ENROLLING) return `${MAX_ENROLLING} others enrol just now`;
    const count = (more: 1 | -1) => {
      this.#all += more;
      for (const key of keys) {
        const left = (this.#counts.get(key) ?? 0) + more;
        if (left > 0) this.#counts.set(key, left);
        else this.#counts.delete(key);
      }
    };
    count(1);
    let inside = true;
    return () => {
      if (inside) count(-1);
      inside = false;
    };
  }
}
