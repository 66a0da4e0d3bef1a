/**
 * Which port a range or port 0 came to, by device and service: clients know it, so it stays the same across restarts.
 *
 * @module
 */

import { stringify } from "smol-toml";
import type { Clock } from "../net/clock.ts";
import { describeError } from "../net/errors.ts";
import type { Logger } from "../net/logger.ts";
import { withLock, writePrivateFile } from "../app/private_file.ts";
import { readState } from "../app/state.ts";
import { wholeNumber } from "../app/values.ts";

/** Ports that are kept at most; beyond, the one that was set longest ago is forgotten. */
export const MAX_KEPT_PORTS = 65_536;

/** Milliseconds from a change to its being written; more changes until then are written with it. */
export const KEPT_PORTS_WRITE_MS = 1_000;

const FILE = "ports.toml";

/** The kept ports, in memory and in the state. */
export class KeptPorts {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  /** By device and service, in the order of their setting. */
  readonly #ports: Map<string, number>;
  /** How many keep a port. */
  readonly #keepers = new Map<number, number>();
  #cancel: (() => void) | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(folder: string, clock: Clock, log: Logger, ports: Map<string, number>) {
    this.#folder = folder;
    this.#clock = clock;
    this.#log = log;
    this.#ports = ports;
    for (const port of ports.values()) this.#count(port, 1);
  }

  /**
   * Reads what was kept in a state.
   *
   * @throws {ConfigError} if it is damaged.
   */
  static async load(folder: string, clock: Clock, log: Logger): Promise<KeptPorts> {
    const table = await readState(`${folder}/${FILE}`);
    const ports = new Map<string, number>();
    for (const device of table?.names ?? []) {
      const services = table!.table(device)!;
      for (const service of services.names) {
        ports.set(keyOf(device, service), services.one(service, wholeNumber(1, 65535))!);
      }
    }
    return new KeptPorts(folder, clock, log, ports);
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
    this.#delete(key);
    this.#ports.set(key, port);
    this.#count(port, 1);
    for (const oldest of this.#ports.keys()) {
      if (this.#ports.size <= MAX_KEPT_PORTS) break;
      this.#delete(oldest);
    }
    this.#writeSoon();
  }

  /** Forgets a device. */
  forget(device: string): void {
    for (const key of this.#ports.keys()) {
      if (deviceOf(key) === device && this.#delete(key)) this.#writeSoon();
    }
  }

  /** A device has another name. */
  rename(before: string, after: string): void {
    for (const [key, port] of [...this.#ports]) {
      if (deviceOf(key) !== before) continue;
      this.#delete(key);
      this.set(after, key.slice(before.length + 1), port);
    }
  }

  /** Writes what is not written yet. */
  async flush(): Promise<void> {
    if (this.#cancel) this.#write();
    await this.#writing;
  }

  #delete(key: string): boolean {
    const port = this.#ports.get(key);
    if (port !== undefined) this.#count(port, -1);
    return this.#ports.delete(key);
  }

  #count(port: number, more: 1 | -1): void {
    const count = (this.#keepers.get(port) ?? 0) + more;
    if (count > 0) this.#keepers.set(port, count);
    else this.#keepers.delete(port);
  }

  #writeSoon(): void {
    this.#cancel ??= this.#clock.after(KEPT_PORTS_WRITE_MS, () => this.#write());
  }

  #write(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#writing = this.#writing.then(() => this.#store()).catch((error: unknown) => {
      this.#log.warn("{error}; the ports are kept until the server ends", { error: describeError(error) });
    });
  }

  async #store(): Promise<void> {
    const tables: Record<string, Record<string, number>> = Object.create(null);
    for (const [key, port] of this.#ports) {
      const device = deviceOf(key);
      (tables[device] ??= Object.create(null) as Record<string, number>)[key.slice(device.length + 1)] = port;
    }
    const text = `# Written by the server: ports that were picked, kept for the next time.\n${stringify(tables)}`;
    await withLock(this.#folder, () => writePrivateFile(`${this.#folder}/${FILE}`, text));
  }
}

/** Names have no blanks. */
function keyOf(device: string, service: string): string {
  return `${device} ${service}`;
}

function deviceOf(key: string): string {
  return key.slice(0, key.indexOf(" "));
}
