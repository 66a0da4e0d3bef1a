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
   * @returns what to call once, when it has gone; nothing if it has to go.
   */
  enter({ service, site }: Waiter): (() => void) | undefined {
    const most = CLIENT_SHARE * (this.#room - this.#all);
    const same = this.#count(service);
    if (same >= MIN_CLIENTS && (same >= most || this.#count(site) >= most)) return undefined;
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

/** What whoever has to go is told of, in the log. */
export const NO_ROOM = "others need the descriptors that are left; raise the limit with ulimit -n";
