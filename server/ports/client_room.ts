/**
 * How many clients a server has, against the descriptors that it may have: neither one service nor one address may take
 * the last of them from all others.
 *
 * @module
 */

import { CLIENT_SHARE, MIN_CLIENTS } from "../limits.ts";
import { descriptorLimit, keptFrom } from "../../net/kernel/descriptor_room.ts";
import type { Waiter } from "./fair_line.ts";

/** Descriptors for clients, where it is known how many there are. */
function clientDescriptors(): number {
  const limit = descriptorLimit();
  return limit === undefined ? Infinity : limit - keptFrom("client", limit);
}

/** Of what there are too many for one more: of all clients, of those of its service, or of those from its address. */
export type Crowd = "all" | "service" | "address";

/** Clients of all services, by service and by where they came from. */
export class ClientRoom {
  readonly #room: number;
  readonly #counts = new Map<unknown, number>();
  #all = 0;

  /** Nobody yet, and room for `room`. */
  constructor(room = clientDescriptors()) {
    this.#room = room;
  }

  /** How many there are. */
  get used(): number {
    return this.#all;
  }

  /** Descriptors for them; `Infinity` where that is not known. */
  get most(): number {
    return this.#room;
  }

  /**
   * Lets one in, if that leaves enough for others: {@linkcode CLIENT_SHARE} times as many as are free may be of one service,
   * and of one address. A few of each service are let in however crowded its clients' address is: all may come by one.
   *
   * @returns what to call once, when it has gone; or why it has to go.
   */
  enter({ service, site }: Waiter): (() => void) | Crowd {
    const same = this.#count(service);
    if (same >= MIN_CLIENTS) {
      const free = this.#room - this.#all;
      const most = CLIENT_SHARE * free;
      if (free <= 0) return "all";
      if (same >= most) return "service";
      if (this.#count(site) >= most) return "address";
    }
    this.#add(service, site, 1);
    return () => this.#add(service, site, -1);
  }

  #add(service: unknown, site: string, more: 1 | -1): void {
    this.#all += more;
    for (const key of [service, site]) {
      const count = this.#count(key) + more;
      if (count > 0) this.#counts.set(key, count);
      else this.#counts.delete(key);
    }
  }

  #count(key: unknown): number {
    return this.#counts.get(key) ?? 0;
  }
}

/** Why whoever comes has to go, for the log. */
export function whyCrowded(crowd: Crowd): string {
  const what = crowd === "all"
    ? "all descriptors for clients are in use"
    : `its ${crowd} has its share of the descriptors for clients, and others need those that are left`;
  return `${what}; raise the limit with ulimit -n`;
}
