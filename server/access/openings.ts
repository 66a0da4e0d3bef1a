/**
 * Services that are closed by default, and open for a time: since when, until when, for whom, why and by whose word.
 *
 * @module
 */

import { MAX_OPENINGS, OPENING_LOOK_MS } from "../limits.ts";
import type { Clock } from "../../base/clock.ts";
import { Emitter } from "../../base/emitter.ts";
import { type Logger, silentLogger } from "../../base/logger.ts";

/** A service that is open for a time. Times are of the wall clock, in milliseconds since 1970. */
export interface Opening {
  /** The device's name. */
  readonly device: string;
  /** The service's. */
  readonly service: string;
  /** Since when. */
  readonly since: number;
  /** Until when. */
  readonly until: number;
  /**
   * What the device dials, `HOST:PORT`, if this is no service that it is granted, but an address that somebody asked for (seed
   * 003, "command").
   */
  readonly to?: string;
  /** Where clients reach that, as a granted address is written; any free port of loopback by default. */
  readonly listen?: string;
  /** Networks that it is open to; to all that its rules let in by default. */
  readonly from?: readonly string[];
  /** Why, for people. */
  readonly reason?: string;
  /** Who opened it, for people. */
  readonly by?: string;
  /** Whether clients who are there when it closes may stay. @default {false} */
  readonly keepClients?: boolean;
}

/** A service was opened, or closed. */
export interface OpeningChange {
  /** What has changed. */
  readonly opening: Opening;
  /** Whether it is open now. */
  readonly open: boolean;
  /** Who closed it; `undefined` for the clock. */
  readonly closedBy?: string;
}

/** All that are open. */
export class Openings {
  readonly #clock: Clock;
  readonly #all = new Map<string, Opening>();
  /** Until when, by the clock that nobody sets: an opening does not last longer for somebody setting the other one back. */
  readonly #due = new Map<string, number>();
  /** The names of those that somebody asked for with an address, by device. */
  readonly #asked = new Map<string, Set<string>>();
  readonly #changes: Emitter<OpeningChange>;
  #cancelLook: (() => void) | undefined;

  /** None yet. */
  constructor(clock: Clock, logger: Logger = silentLogger) {
    this.#clock = clock;
    this.#changes = new Emitter(logger);
  }

  /** Those that are open, in the order of their opening. */
  get all(): Opening[] {
    return [...this.#all.values()];
  }

  /** How long and for whom a service is open, if it is. */
  get(device: string, service: string): Opening | undefined {
    const opening = this.#all.get(openingKey(device, service));
    return opening && !this.#isOver(opening) ? opening : undefined;
  }

  /** Addresses of a device's network that can be reached for now. */
  asked(device: string): Opening[] {
    return [...this.#asked.get(device) ?? []].flatMap((service) => this.get(device, service) ?? []);
  }

  /** Calls `subscriber` for every change from now on. @returns what ends that. */
  subscribe(subscriber: (change: OpeningChange) => void): () => void {
    return this.#changes.subscribe(subscriber);
  }

  /**
   * Opens a service; what held for it before does not any more.
   *
   * @throws {RangeError} if {@linkcode MAX_OPENINGS} are open, or its time is over.
   */
  open(opening: Opening): void {
    const key = openingKey(opening.device, opening.service);
    if (opening.until <= this.#clock.wall()) throw new RangeError("its time is over already");
    if (!this.#all.has(key) && this.#all.size >= MAX_OPENINGS) {
      throw new RangeError(`${MAX_OPENINGS} services are open for a time, which are the most; close one`);
    }
    this.#put(opening);
    this.#changes.emit({ opening, open: true });
    this.#lookLater();
  }

  /** Closes a service. @returns whether it was open. */
  close(device: string, service: string, by = "somebody"): boolean {
    const opening = this.get(device, service);
    if (!opening) return false;
    this.#end(opening, by);
    return true;
  }

  /**
   * Devices have other names: what is open of them stays so. Two may have changed names with each other.
   *
   * @returns what was open, with the old names, and with the new ones.
   */
  rename(
    names: readonly (readonly [before: string, after: string])[],
  ): { readonly before: readonly Opening[]; readonly after: readonly Opening[] } {
    if (this.#all.size === 0) return { before: [], after: [] };
    const moving = names.flatMap(([from, device]) =>
      this.of(from).map((opening) => {
        const due = this.#due.get(openingKey(from, opening.service))!;
        return { before: opening, after: { ...opening, device }, due };
      })
    );
    for (const { before } of moving) this.#remove(before);
    for (const { after, due } of moving) {
      this.#put(after);
      this.#due.set(openingKey(after.device, after.service), due); // also if somebody has set the clock back
    }
    return { before: moving.map(({ before }) => before), after: moving.map(({ after }) => after) };
  }

  /** All that is open of a device. */
  of(device: string): Opening[] {
    return this.all.filter((opening) => opening.device === device);
  }

  /** Takes over what was open before, without telling; what is over is left out. */
  restore(openings: Iterable<Opening>): void {
    for (const opening of openings) {
      if (opening.until <= this.#clock.wall() || this.#all.size >= MAX_OPENINGS) continue;
      this.#put(opening);
    }
    this.#lookLater();
  }

  /** Looks at the clock no more. Idempotent. */
  stop(): void {
    this.#cancelLook?.();
    this.#cancelLook = undefined;
  }

  #put(opening: Opening): void {
    const { device, service, to, since, until } = opening;
    const key = openingKey(device, service);
    this.#all.set(key, opening);
    this.#due.set(key, this.#clock.now() + Math.min(until - this.#clock.wall(), until - since));
    if (to !== undefined) this.#asked.set(device, (this.#asked.get(device) ?? new Set<string>()).add(service));
  }

  #remove({ device, service }: Opening): void {
    this.#all.delete(openingKey(device, service));
    this.#due.delete(openingKey(device, service));
    const asked = this.#asked.get(device);
    asked?.delete(service);
    if (asked?.size === 0) this.#asked.delete(device);
  }

  #end(opening: Opening, closedBy?: string): void {
    this.#remove(opening);
    this.#changes.emit({ opening, open: false, ...(closedBy !== undefined && { closedBy }) });
    if (this.#all.size === 0) this.stop();
  }

  #isOver({ device, service, until }: Opening): boolean {
    return until <= this.#clock.wall() || this.#due.get(openingKey(device, service))! <= this.#clock.now();
  }

  /** By looks, as the wall clock may be set. */
  #lookLater(): void {
    if (this.#all.size === 0) return;
    this.#cancelLook ??= this.#clock.after(OPENING_LOOK_MS, () => {
      this.#cancelLook = undefined;
      for (const opening of this.all) if (this.#isOver(opening)) this.#end(opening);
      this.#lookLater();
    });
  }
}

/** The name of a service among those of all devices. */
export function openingKey(device: string, service: string): string {
  return `${device}/${service}`;
}
