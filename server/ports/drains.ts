/**
 * Drains: new clients are refused, those who are there may finish, and when the time is over they are ended. For the whole
 * server, or for a device. It is remembered as long as the server runs.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import type { DevicesChange } from "../devices/differences.ts";
import type { ClientEntry, ClientTable } from "./client_table.ts";

/** A drain as it stands. */
export interface Drain {
  /** The device; `undefined` for the whole server. */
  readonly device: string | undefined;
  /** Since when, by the wall clock, in milliseconds since 1970. */
  readonly since: number;
  /** When those who are there are ended, likewise; `undefined`: never. */
  readonly until: number | undefined;
}

/** How a drain begins. */
export interface DrainOptions {
  /** Milliseconds after which clients are ended; never by default. */
  readonly for?: number | undefined;
  /** Called once, with what the device is called then, when nobody is there any more; the drain is over then. Without it, it stays until it is undone. */
  readonly then?: ((device: string | undefined) => void) | undefined;
}

interface Entry extends Drain {
  device: string | undefined;
  readonly then: DrainOptions["then"];
  cancel(): void;
}

/** Those of a server. */
export class Drains {
  readonly #clock: Clock;
  readonly #clients: ClientTable;
  readonly #all = new Map<string | undefined, Entry>();

  /** None yet. */
  constructor(clock: Clock, clients: ClientTable) {
    this.#clock = clock;
    this.#clients = clients;
    clients.onLeft = (client) => this.#left(client);
  }

  /** Begins one, in the place of one that is there; `device` is `undefined` for the whole server. */
  begin(device: string | undefined, { for: ms, then }: DrainOptions = {}): void {
    this.undo(device);
    const since = this.#clock.wall();
    const until = ms === undefined ? undefined : since + ms;
    const entry: Entry = { device, since, until, then, cancel: () => {} };
    if (ms !== undefined) entry.cancel = this.#clock.after(ms, () => this.#timeIsUp(entry));
    this.#all.set(device, entry);
    this.#look(entry);
  }

  /** Lets clients in again. @returns whether there was one. */
  undo(device: string | undefined): boolean {
    this.#all.get(device)?.cancel();
    return this.#all.delete(device);
  }

  /** The one of a device, or of the whole server. */
  of(device: string | undefined): Drain | undefined {
    const entry = this.#all.get(device);
    return entry && { device: entry.device, since: entry.since, until: entry.until };
  }

  /** How many devices have one. */
  get devices(): number {
    return this.#all.size - (this.#all.has(undefined) ? 1 : 0);
  }

  /** Whether a device is on its way to mode config. */
  isLeavingRun(device: string): boolean {
    return this.#all.get(device)?.then !== undefined;
  }

  /** Whether a client that comes for `device` is refused; on v1 devices have no name. */
  refuses(device: string | undefined): boolean {
    return this.#all.size > 0 && (this.#all.has(undefined) || device !== undefined && this.#all.has(device));
  }

  /** The list of devices changed: one that is renamed goes on under its new name, and that of one that is gone is over. */
  devicesChanged({ added, removed, changed }: DevicesChange): void {
    if (this.#all.size === 0) return;
    const still = new Set(added.map(({ name }) => name));
    for (const { name } of removed) if (!still.has(name)) this.undo(name);
    const renamed = changed.filter(({ before, after }) => before.name !== after.name)
      .flatMap(({ before, after }): [Entry, string][] => {
        const entry = this.#all.get(before.name);
        return entry ? [[entry, after.name]] : [];
      });
    for (const [{ device }] of renamed) this.#all.delete(device);
    for (const [entry, name] of renamed) {
      entry.device = name;
      this.#all.set(name, entry);
    }
  }

  /** Forgets all: the server ends. */
  close(): void {
    for (const { cancel } of this.#all.values()) cancel();
    this.#all.clear();
  }

  #timeIsUp(entry: Entry): void {
    const { device } = entry;
    for (const client of [...this.#clients]) {
      if (device === undefined || client.place.device === device) client.end("draining");
    }
    if (entry.then && this.#all.get(device) === entry) this.#finish(entry);
  }

  /** Somebody has gone: where they came may be done. Of all others nobody need look, as there may be many. */
  #left({ place }: ClientEntry): void {
    if (this.#all.size === 0) return;
    this.#look(this.#all.get(undefined));
    if (place.device !== undefined) this.#look(this.#all.get(place.device));
  }

  #look(entry: Entry | undefined): void {
    if (!entry?.then) return;
    const { device } = entry;
    const isDone = device === undefined
      ? this.#clients.size === 0
      : !this.#clients.some((client) => client.place.device === device);
    if (isDone) this.#finish(entry);
  }

  #finish({ device, then }: Entry): void {
    this.undo(device);
    then!(device);
  }
}
