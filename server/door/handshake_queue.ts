/**
 * Who waits for the beginning of a handshake. A handshake is work, on both sides: if a whole fleet begins at once, each
 * takes as long as all together, and all are too late. So a few of each address are under way at a time, and done soon.
 *
 * Whoever takes clearly longer than devices do does not count any more, so strangers who say nothing hold up nobody for
 * long, and the less so the more of them there are; and addresses have their turns one after the other, so who comes from elsewhere does not wait for a crowd.
 *
 * @module
 */

import { HANDSHAKE_TIMEOUT_MS } from "../../net/limits.ts";
import {
  HANDSHAKES_A_TURN,
  LONG_HANDSHAKE_WAIT_MS,
  MAX_HANDSHAKE_TURN_MS,
  MIN_HANDSHAKE_TURN_MS,
  STRANGER_TURN_MS,
} from "./limits.ts";
import type { Clock } from "../../base/clock.ts";

/** A connection whose handshake has not begun. */
export interface Waiting {
  /** Where it came from: an IPv4 address, or a /56 of IPv6 (`addressGroup`). */
  readonly site: string;
  /** Begins the handshake. @returns what resolves when it is over, to whether it went well. */
  begin(): Promise<boolean>;
  /** It waited in vain; `why` is for the log. */
  giveUp(why: string): void;
}

export interface QueueBounds {
  /** Connections that wait. */
  readonly waiting: number;
  /** Handshakes of one address that are under way at a time. */
  readonly underWay: number;
}

/** Handshakes over which their usual time is taken. */
const USUAL_OF = 16;

/** Handshakes of an address over which it is seen how many go well. */
const WENT_WELL_OF = 64;

/** Those of one address. */
interface Site {
  readonly name: string;
  readonly queue: { readonly waiting: Waiting; readonly until: number }[];
  /** Handshakes that are under way, and have not taken long. */
  underWay: number;
  /** Whether it is the turn of the one that came last, if those before it wait for long. */
  lastIsNext: boolean;
  /** The part of its handshakes that went well lately, from 0 to 1. */
  wentWell: number;
}

/** A queue for each address; the addresses have turns. */
export class HandshakeQueue {
  readonly #clock: Clock;
  readonly #bounds: QueueBounds;
  readonly #sites = new Map<string, Site>();
  /** Addresses of which one may begin, in the order of their turns. */
  readonly #ready = new Set<Site>();
  readonly #timers = new Set<() => void>();
  #size = 0;
  #begun = 0; // in this turn of the event loop
  #usual = MIN_HANDSHAKE_TURN_MS; // milliseconds that handshakes take that go well
  #cancel: (() => void) | undefined;

  /** Nobody yet. */
  constructor(clock: Clock, bounds: QueueBounds) {
    this.#clock = clock;
    this.#bounds = bounds;
  }

  /** Connections that wait. */
  get size(): number {
    return this.#size;
  }

  /** Begins at once if nobody has to be waited for; else it waits. */
  enter(waiting: Waiting): void {
    const { site: name } = waiting;
    if (this.#size >= this.#bounds.waiting && !this.#makeRoom(waiting)) return;
    const site = this.#sites.get(name) ?? { name, queue: [], underWay: 0, lastIsNext: false, wentWell: 1 };
    this.#sites.set(name, site);
    site.queue.push({ waiting, until: this.#clock.now() + HANDSHAKE_TIMEOUT_MS });
    this.#size++;
    this.#place(site);
    this.#go();
  }

  /** The address with most gives up to `count` of its last ones up, one after the other. */
  evict(count: number, why: string): void {
    for (let n = 0; n < count && this.#size > 0; n++) this.#giveUpLast(this.#fullest()!, why);
  }

  /** Gives all up. Idempotent. */
  close(why: string): void {
    this.#cancel?.();
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    const all = [...this.#sites.values()].flatMap(({ queue }) => queue.splice(0));
    this.#sites.clear();
    this.#ready.clear();
    this.#size = 0;
    for (const { waiting } of all) waiting.giveUp(why);
  }

  /** Lets begin who may, and the rest in the turns of the event loop that follow. */
  #go(): void {
    for (const site of this.#ready) {
      if (this.#begun >= HANDSHAKES_A_TURN) break;
      this.#ready.delete(site); // its next turn comes after those of all others
      this.#beginOne(site);
      this.#place(site);
    }
    if (this.#begun === 0) return;
    this.#cancel ??= this.#clock.soon(() => {
      this.#cancel = undefined;
      this.#begun = 0;
      this.#go();
    });
  }

  #beginOne(site: Site): void {
    const now = this.#clock.now();
    for (;;) {
      const [first] = site.queue;
      if (!first) return;
      const waitsLong = now > first.until - HANDSHAKE_TIMEOUT_MS + LONG_HANDSHAKE_WAIT_MS && now < first.until;
      const place = waitsLong && site.lastIsNext ? site.queue.pop()! : site.queue.shift()!;
      if (waitsLong) site.lastIsNext = !site.lastIsNext;
      this.#size--;
      if (now < place.until) return this.#begin(site, place.waiting);
      place.waiting.giveUp(`its turn did not come within ${HANDSHAKE_TIMEOUT_MS / 1000} s`);
    }
  }

  #begin(site: Site, waiting: Waiting): void {
    this.#begun++;
    site.underWay++;
    const since = this.#clock.now();
    let counts = true;
    const release = () => {
      if (!counts) return;
      counts = false;
      cancel();
      this.#timers.delete(cancel);
      site.underWay--;
      this.#place(site);
      if (this.#cancel === undefined) this.#go();
    };
    const usual = Math.min(MAX_HANDSHAKE_TURN_MS, Math.max(MIN_HANDSHAKE_TURN_MS, 2 * this.#usual));
    // Where most are silent until they have to go, nobody is helped by waiting for them.
    const turn = Math.max(STRANGER_TURN_MS, Math.ceil(usual * site.wentWell));
    const cancel = this.#clock.after(turn, () => {
      learn(false);
      release();
    });
    const learn = (wentWell: boolean) => site.wentWell += (Number(wentWell) - site.wentWell) / WENT_WELL_OF;
    this.#timers.add(cancel);
    waiting.begin().then((wentWell) => {
      if (wentWell) this.#usual += (this.#clock.now() - since - this.#usual) / USUAL_OF;
      if (wentWell || counts) learn(wentWell); // one that took long and then failed was seen as that before
      release();
    });
  }

  /** Puts an address where it belongs: among those that may begin, or nowhere when it has nobody. */
  #place(site: Site): void {
    const waits = site.queue.length > 0;
    if (waits && site.underWay < this.#bounds.underWay) this.#ready.add(site);
    else this.#ready.delete(site);
    if (!waits && site.underWay === 0) this.#sites.delete(site.name);
  }

  /** The address with most makes room, with its last one: that is the newcomer, or somebody else. */
  #makeRoom(newcomer: Waiting): boolean {
    const own = (this.#sites.get(newcomer.site)?.queue.length ?? 0) + 1;
    const fullest = this.#fullest();
    const isOwn = !fullest || fullest.queue.length <= own;
    const from = isOwn ? newcomer.site : fullest.name;
    const why = `${this.#bounds.waiting} others wait for their handshake, most of them from ${from}`;
    if (isOwn) newcomer.giveUp(why);
    else this.#giveUpLast(fullest, why);
    return !isOwn;
  }

  /** The address of which most wait. */
  #fullest(): Site | undefined {
    let fullest: Site | undefined;
    for (const site of this.#sites.values()) if (!fullest || site.queue.length > fullest.queue.length) fullest = site;
    return fullest;
  }

  #giveUpLast(site: Site, why: string): void {
    const { waiting } = site.queue.pop()!;
    this.#size--;
    this.#place(site);
    waiting.giveUp(why);
  }
}
