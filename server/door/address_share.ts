/**
 * Who of those at a door came from where, and which address has most of them.
 *
 * @module
 */

import type { AddressGroup } from "../../protocol/address_group.ts";

/** One at the door. */
export interface Entry {
  /** Where it came from. */
  readonly group: AddressGroup;
  /** Steps of its handshake that are done. */
  stage: number;
  /** When the last of them was, or when it came. */
  movedAt: number;
}

/** Those of one address: an IPv4 address, or a /64. In the order in which they moved last, and in any order. */
export class Net {
  readonly #byAge = new Set<Entry>();
  readonly #all: Entry[] = [];
  readonly #places = new Map<Entry, number>();

  /** How many. */
  get size(): number {
    return this.#all.length;
  }

  /** The one that has not moved for longest. */
  get stalest(): Entry | undefined {
    for (const entry of this.#byAge) return entry;
    return undefined;
  }

  /** Any one; `random` is a number in [0, 1). */
  any(random: number): Entry {
    return this.#all[Math.floor(random * this.#all.length)]!;
  }

  /** One comes. */
  add(entry: Entry): void {
    this.#byAge.add(entry);
    this.#places.set(entry, this.#all.push(entry) - 1);
  }

  /** One goes. */
  remove(entry: Entry): void {
    const place = this.#places.get(entry)!;
    this.#places.delete(entry);
    this.#byAge.delete(entry);
    const last = this.#all.pop()!;
    if (last === entry) return;
    this.#all[place] = last;
    this.#places.set(last, place);
  }

  /** One has moved. */
  moved(entry: Entry): void {
    this.#byAge.delete(entry);
    this.#byAge.add(entry);
  }
}

/** Those of one IPv4 address, or of a /56 with its nets. */
export class Site {
  /** Its place among those of the same load. */
  at = 0;
  /** What it weighs against others: how many it has, or a part of that. */
  load = 0;
  /** How many. */
  size = 0;
  /** Its nets, by name. */
  readonly nets = new Map<string, Net>();

  /** The net that has most; a /56 has 256 at most. */
  get fullest(): Net {
    let fullest: Net | undefined;
    for (const net of this.nets.values()) if (!fullest || net.size > fullest.size) fullest = net;
    return fullest!;
  }
}

/** Sites by their load: the heaviest is found without looking at all. */
export class SitesByLoad {
  readonly #rows: Site[][] = [];
  #top = 0;

  /** The heaviest load of all. */
  get top(): number {
    while (this.#top > 0 && !this.#rows[this.#top]?.length) this.#top--;
    return this.#top;
  }

  /** Any of the heaviest; `random` is a number in [0, 1). */
  heaviest(random: number): Site {
    const row = this.#rows[this.top]!;
    return row[Math.floor(random * row.length)]!;
  }

  /** Gives a site its place for another load; 0 takes it out. */
  place(site: Site, load: number): void {
    if (site.load > 0) this.#take(site);
    site.load = load;
    if (load === 0) return;
    const row = this.#rows[load] ??= [];
    site.at = row.push(site) - 1;
    this.#top = Math.max(this.#top, load);
  }

  #take(site: Site): void {
    const row = this.#rows[site.load]!;
    const last = row.pop()!;
    if (last === site) return;
    row[site.at] = last;
    last.at = site.at;
  }
}
