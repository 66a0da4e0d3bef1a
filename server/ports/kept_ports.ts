/**
 * Which port a free one or a range came to, by device and service: clients know it, so it is tried first the next time.
 *
 * @module
 */

import { MAX_KEPT_PORTS } from "../limits.ts";
import type { Renamed } from "../devices/differences.ts";
import type { PortMemory } from "../options.ts";
import type { PortsInUse } from "./ports_in_use.ts";

/** What was set, or forgotten (`undefined`), for a key of {@linkcode KeptPorts.entries}. */
export type KeptChange = (key: string, port: number | undefined) => void;

/** Keeps them in memory, as long as this process runs. */
export class KeptPorts implements PortMemory {
  /** By device and service, in the order of their setting. */
  readonly #ports = new Map<string, number>();
  /** The keys of a device. */
  readonly #byDevice = new Map<string, Set<string>>();
  /** How many keep a port. */
  readonly #keepers = new Map<number, number>();
  readonly #onChange: KeptChange;

  /** None yet; each change is told to `onChange`. */
  constructor(onChange: KeptChange = () => {}) {
    this.#onChange = onChange;
  }

  /** All, by device: the keys of one, each `DEVICE SERVICE`, with its port. */
  *entries(): Generator<readonly [device: string, services: readonly (readonly [service: string, port: number])[]]> {
    for (const [device, keys] of this.#byDevice) {
      yield [device, [...keys].map((key) => [key.slice(device.length + 1), this.#ports.get(key)!] as const)];
    }
  }

  /** Takes over what is kept elsewhere, without telling: `port`, or nothing any more. */
  takeOver(key: string, port: number | undefined): void {
    if (port === undefined) this.#delete(key);
    else if (this.#ports.get(key) !== port) this.#put(key, port);
  }

  keys(): string[] {
    return [...this.#ports.keys()];
  }

  /** The port that a service came to, if it did. */
  get(device: string, service: string): number | undefined {
    return this.#ports.get(keyOf(device, service));
  }

  /** Whether a port is kept for another service than this. */
  isKeptByOther(port: number, device: string, service: string): boolean {
    const keepers = this.#keepers.get(port);
    return keepers !== undefined && (keepers > 1 || this.get(device, service) !== port);
  }

  /** Keeps the port of a service. */
  set(device: string, service: string, port: number): void {
    const key = keyOf(device, service);
    if (this.#ports.get(key) === port) return;
    this.#put(key, port);
    this.#onChange(key, port);
  }

  /** Forgets a device. */
  forget(device: string): void {
    for (const key of [...this.#byDevice.get(device) ?? []]) {
      this.#delete(key);
      this.#onChange(key, undefined);
    }
  }

  /** Devices have other names; two may have changed names with each other. */
  rename(names: readonly Renamed[]): void {
    const moving = names.flatMap(([before, after]) =>
      [...this.#byDevice.get(before) ?? []].map((key) => {
        return { key, after, service: key.slice(before.length + 1), port: this.#ports.get(key)! };
      })
    );
    for (const { key } of moving) {
      this.#delete(key);
      this.#onChange(key, undefined);
    }
    for (const { after, service, port } of moving) this.set(after, service, port);
  }

  /** In memory, at the end; what was set longest ago makes room. */
  #put(key: string, port: number): void {
    this.#delete(key);
    this.#ports.set(key, port);
    const device = deviceOf(key);
    this.#byDevice.set(device, (this.#byDevice.get(device) ?? new Set()).add(key));
    this.#count(port, 1);
    for (const oldest of this.#ports.keys()) {
      if (this.#ports.size <= MAX_KEPT_PORTS) break;
      this.#delete(oldest);
    }
  }

  #delete(key: string): void {
    const port = this.#ports.get(key);
    if (port === undefined) return;
    this.#ports.delete(key);
    const keys = this.#byDevice.get(deviceOf(key))!;
    keys.delete(key);
    if (keys.size === 0) this.#byDevice.delete(deviceOf(key));
    this.#count(port, -1);
  }

  #count(port: number, more: 1 | -1): void {
    const count = (this.#keepers.get(port) ?? 0) + more;
    if (count > 0) this.#keepers.set(port, count);
    else this.#keepers.delete(port);
  }
}

/** The port of one service, as its host port sees it. */
export interface KeptPort {
  /** The port, if there was one. */
  get(): number | undefined;
  /** Keeps it. */
  set(port: number): void;
  /** Whether a port of a range is somebody else's for good. */
  isReserved?(port: number): boolean;
  /** Whether a port is kept for another service: it is picked only if no other is left. */
  isKeptByOther?(port: number): boolean;
  /** What all host ports of the server listen on. */
  readonly inUse?: PortsInUse;
}

/** The port of a service of a device, whose name may change, in a memory. */
export function keptPort(memory: PortMemory, device: () => string, service: string, inUse?: PortsInUse): KeptPort {
  return {
    get: () => memory.get(device(), service),
    set: (port) => memory.set(device(), service, port),
    isReserved: (port) => memory.isReserved?.(port) ?? false,
    isKeptByOther: (port) => memory.isKeptByOther?.(port, device(), service) ?? false,
    ...(inUse && { inUse }),
  };
}

/** Names have no blanks. */
export function keyOf(device: string, service: string): string {
  return `${device} ${service}`;
}

function deviceOf(key: string): string {
  return key.slice(0, key.indexOf(" "));
}
