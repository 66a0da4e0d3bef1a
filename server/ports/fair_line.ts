/**
 * A line of clients that wait, with room for so many: who crowds it makes room for others, by service, then by address.
 *
 * @module
 */

/** A client that waits. */
export interface Waiter {
  /** The service that it came to. */
  readonly service: unknown;
  /** Where it came from, as in `AddressGroup.site`. */
  readonly site: string;
}

/** Who waits, in the order of their coming. What it does when it is full grows with its room, which is small. */
export class FairLine<T extends Waiter> implements Iterable<T> {
  readonly #room: number;
  readonly #all = new Set<T>();

  /** Nobody yet, and room for `room`. */
  constructor(room: number) {
    this.#room = room;
  }

  /** How many wait. */
  get size(): number {
    return this.#all.size;
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#all.keys();
  }

  /** One comes. @returns who has to go for it, which may be itself: the newest of the address that crowds the fullest service. */
  add(waiter: T): T | undefined {
    this.#all.add(waiter);
    if (this.#all.size <= this.#room) return undefined;
    const { service, site } = waiter;
    const fullest = most(this.#all, (each) => each.service, service);
    const rivals = [...this.#all].filter((each) => each.service === fullest);
    const crowding = most(rivals, (each) => each.site, fullest === service ? site : undefined);
    const out = rivals.findLast((each) => each.site === crowding)!;
    this.#all.delete(out);
    return out;
  }

  /** One goes. */
  delete(waiter: T): void {
    this.#all.delete(waiter);
  }

  /** All that wait for a service go. */
  takeAll(service: unknown): T[] {
    const taken = [...this.#all].filter((each) => each.service === service);
    for (const waiter of taken) this.#all.delete(waiter);
    return taken;
  }

  /** The one with the least load goes, of several the one that has waited longest; nobody whose load is infinite. */
  take(load: (waiter: T) => number): T | undefined {
    let [least, taken]: [number, T | undefined] = [Infinity, undefined];
    for (const waiter of this.#all) {
      const own = load(waiter);
      if (own < least) [least, taken] = [own, waiter];
    }
    if (taken) this.#all.delete(taken);
    return taken;
  }
}

/** What most have in common; `own`, if no other has more. */
function most<T, K>(all: Iterable<T>, of: (each: T) => K, own: K | undefined): K {
  const counts = new Map<K, number>();
  for (const each of all) counts.set(of(each), (counts.get(of(each)) ?? 0) + 1);
  let [found, count] = [own, own === undefined ? 0 : counts.get(own) ?? 0];
  for (const [key, more] of counts) if (more > count) [found, count] = [key, more];
  return found!;
}
