/**
 * Who wants to hear of connections and their loss (seed 002, SubscribeConnection and SubscribeConnectionLost), of all devices
 * or of one: an event costs the same however many devices are watched.
 *
 * @module
 */

import { Emitter } from "../../base/emitter.ts";
import type { Logger } from "../../base/logger.ts";
import { type DevicesChange, renamedIn } from "../devices/differences.ts";
import type { ConnectionEvent, ConnectionLostEvent, ServerEvent } from "../events.ts";

/** One who watches one device. */
interface Watcher<T> {
  /** The device's name now. */
  device: string;
  readonly tell: Emitter<T>;
}

/** Subscribers, by what they watch. */
class Watched<T extends { readonly device: string }> {
  readonly #log: Logger;
  readonly #all: Emitter<T>;
  readonly #byDevice = new Map<string, Set<Watcher<T>>>();

  constructor(log: Logger) {
    this.#log = log;
    this.#all = new Emitter(log);
  }

  /** `device`: of which, if not of all. */
  subscribe(subscriber: (event: T) => void, device: string | undefined): () => void {
    if (device === undefined) return this.#all.subscribe(subscriber);
    const watcher = { device, tell: new Emitter<T>(this.#log) };
    watcher.tell.subscribe(subscriber);
    this.#add(watcher);
    return () => this.#delete(watcher);
  }

  emit(event: T): void {
    this.#all.emit(event);
    for (const { tell } of this.#byDevice.get(event.device) ?? []) tell.emit(event);
  }

  /** Devices have other names, all at once. */
  rename(names: readonly (readonly [before: string, after: string])[]): void {
    const moving = names.flatMap(([before, after]) =>
      [...this.#byDevice.get(before) ?? []].map((watcher) => [watcher, after] as const)
    );
    for (const [watcher] of moving) this.#delete(watcher);
    for (const [watcher, device] of moving) {
      watcher.device = device;
      this.#add(watcher);
    }
  }

  #add(watcher: Watcher<T>): void {
    const watchers = this.#byDevice.get(watcher.device) ?? new Set();
    this.#byDevice.set(watcher.device, watchers.add(watcher));
  }

  #delete(watcher: Watcher<T>): void {
    const watchers = this.#byDevice.get(watcher.device);
    watchers?.delete(watcher);
    if (watchers?.size === 0) this.#byDevice.delete(watcher.device);
  }
}

/** Tells them. */
export class Connections {
  readonly #made: Watched<ConnectionEvent>;
  readonly #lost: Watched<ConnectionLostEvent>;

  /** Nobody yet. */
  constructor(log: Logger) {
    this.#made = new Watched(log);
    this.#lost = new Watched(log);
  }

  /** Of each new connection. `device`: of one alone. @returns what ends that. */
  subscribeMade(subscriber: (event: ConnectionEvent) => void, device?: string): () => void {
    return this.#made.subscribe(subscriber, device);
  }

  /** Of each loss, once. `device`: of one alone. @returns what ends that. */
  subscribeLost(subscriber: (event: ConnectionLostEvent) => void, device?: string): () => void {
    return this.#lost.subscribe(subscriber, device);
  }

  /** Something happened. */
  tell(event: ServerEvent): void {
    switch (event.type) {
      case "link-up":
      case "link-resumed":
      case "incompatible":
        return this.#made.emit(event);
      case "link-interrupted":
        return this.#lost.emit(event);
      case "link-down":
        if (!event.interrupted) this.#lost.emit(event);
    }
  }

  /** The list of devices changed: who watches one goes on under its new name. */
  devicesChanged(change: DevicesChange): void {
    const names = renamedIn(change);
    if (names.length === 0) return;
    this.#made.rename(names);
    this.#lost.rename(names);
  }
}
