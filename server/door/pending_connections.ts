/**
 * Connections at the door that have not proved anything yet: a bounded number, shared fairly between addresses.
 *
 * Whoever comes finds room while there is some, so a fleet behind one address gets in together. When there is none, the
 * address that has most makes room: strangers who come by the hundreds push out each other, and not a device that comes
 * from elsewhere, however slow its path is. Among those of one address it is one that has stood still for a while; which
 * one of them is left to chance, and the one that has come further is spared.
 *
 * @module
 */

import { MAX_PROVED_ADDRESSES, PROVED_ADDRESS_MS, PROVED_ADDRESS_WEIGHT } from "./limits.ts";
import { addressGroup } from "../../protocol/address_group.ts";
import type { Clock } from "../../base/clock.ts";
import { type Entry, Net, Site, SitesByLoad } from "./address_share.ts";

/** A connection that has not proved anything yet. */
export interface Pending {
  /** The host that it came from. */
  readonly host: string;
  /** Ends it. */
  evict(): void;
}

export interface DoorBounds {
  /** Connections, as things stand. */
  most(): number;
  /** Milliseconds without a step of its handshake after which a connection may have to make room for its own kind. */
  readonly grace: number;
}

/** How many are looked at to find two that stand still. */
const SAMPLES = 8;

/** Who is at the door. */
export class PendingConnections {
  readonly #clock: Clock;
  readonly #bounds: DoorBounds;
  readonly #random: () => number;
  readonly #entries = new Map<Pending, Entry>();
  readonly #owners = new Map<Entry, Pending>();
  readonly #sites = new Map<string, Site>();
  readonly #byLoad = new SitesByLoad();
  /** Sites from which somebody proved a key, oldest first, with the time. */
  readonly #proved = new Map<string, number>();

  /** Nobody yet. `random` gives numbers in [0, 1). */
  constructor(clock: Clock, bounds: DoorBounds, random: () => number = Math.random) {
    this.#clock = clock;
    this.#bounds = bounds;
    this.#random = random;
  }

  /** Connections at the door. */
  get size(): number {
    return this.#entries.size;
  }

  /** How many there may be. */
  get most(): number {
    return this.#bounds.most();
  }

  /** Lets one in, at the cost of another if need be. @returns why not, or `undefined` if it is in. */
  add(pending: Pending): string | undefined {
    const group = addressGroup(pending.host);
    const { most } = this;
    if (this.#entries.size >= most) {
      const victim = this.#victimFor(group.site, group.net);
      if (!victim) {
        const same = this.#sites.get(group.site)?.size ?? 0;
        return `${most} others are at the door${same > 0 ? `, ${same} of them from ${group.site}` : ""}`;
      }
      this.#evict(victim);
    }
    const entry: Entry = { group, stage: 0, movedAt: this.#clock.now() };
    this.#entries.set(pending, entry);
    this.#owners.set(entry, pending);
    const site = this.#sites.get(group.site) ?? new Site();
    this.#sites.set(group.site, site);
    const net = site.nets.get(group.net) ?? new Net();
    site.nets.set(group.net, net);
    net.add(entry);
    site.size++;
    this.#byLoad.place(site, this.#load(group.site, site.size));
    return undefined;
  }

  /** It is one step further in its handshake. */
  progressed(pending: Pending): void {
    const entry = this.#entries.get(pending);
    if (!entry) return;
    entry.stage++;
    entry.movedAt = this.#clock.now();
    this.#sites.get(entry.group.site)!.nets.get(entry.group.net)!.moved(entry);
  }

  /** It has proved who it is, and is welcome: for a while those who come from there weigh less. */
  proved({ host }: Pending): void {
    const { site: name } = addressGroup(host);
    this.#proved.delete(name);
    this.#proved.set(name, this.#clock.now());
    if (this.#proved.size > MAX_PROVED_ADDRESSES) {
      for (const oldest of this.#proved.keys()) {
        this.#proved.delete(oldest);
        break;
      }
    }
    const site = this.#sites.get(name);
    if (site) this.#byLoad.place(site, this.#load(name, site.size));
  }

  /** It has gone, or its handshake is over. Idempotent. */
  remove(pending: Pending): void {
    const entry = this.#entries.get(pending);
    if (!entry) return;
    this.#entries.delete(pending);
    this.#owners.delete(entry);
    const { site: name, net: netName } = entry.group;
    const site = this.#sites.get(name)!;
    const net = site.nets.get(netName)!;
    net.remove(entry);
    if (net.size === 0) site.nets.delete(netName);
    site.size--;
    if (site.size === 0) this.#sites.delete(name);
    this.#byLoad.place(site, this.#load(name, site.size));
  }

  /** Descriptors have run out: up to `count` make room, one after the other, each from the address that has most. */
  evict(count: number): void {
    for (let n = 0; n < count && this.size > 0; n++) {
      this.#evict(this.#pick(this.#byLoad.heaviest(this.#random()).fullest, true)!);
    }
  }

  /** Ends all. */
  evictAll(): void {
    for (const pending of [...this.#entries.keys()]) this.#evict(pending);
  }

  #load(site: string, size: number): number {
    const provedAt = this.#proved.get(site);
    if (provedAt === undefined || this.#clock.now() - provedAt >= PROVED_ADDRESS_MS) return size;
    return Math.ceil(size / PROVED_ADDRESS_WEIGHT);
  }

  /** Who makes room for somebody from there, if anybody has to. */
  #victimFor(siteName: string, netName: string): Pending | undefined {
    const own = this.#sites.get(siteName);
    const load = this.#load(siteName, (own?.size ?? 0) + 1);
    const { top } = this.#byLoad;
    if (own && load > top) {
      const net = own.fullest;
      return this.#pick(net, (own.nets.get(netName)?.size ?? 0) + 1 < net.size);
    }
    const isFair = load < top;
    for (let tries = 0; tries < (isFair ? 1 : SAMPLES); tries++) {
      const victim = this.#pick(this.#byLoad.heaviest(this.#random()).fullest, isFair);
      if (victim) return victim;
    }
    return undefined;
  }

  /** One of a net who stands still; if nobody does, and `isAny`, any one. Of two, the one that has come less far. */
  #pick(net: Net, isAny: boolean): Pending | undefined {
    const now = this.#clock.now();
    const isStill = ({ movedAt }: Entry) => now - movedAt >= this.#bounds.grace;
    const stalest = net.stalest!;
    if (!isStill(stalest) && !isAny) return undefined;
    let victim: Entry | undefined;
    for (let n = 0, found = 0; n < SAMPLES && found < 2; n++) {
      const entry = net.any(this.#random());
      if (isStill(stalest) && !isStill(entry)) continue;
      found++;
      if (!victim || entry.stage < victim.stage) victim = entry;
    }
    return this.#owners.get(victim ?? stalest);
  }

  #evict(pending: Pending): void {
    this.remove(pending);
    pending.evict();
  }
}
