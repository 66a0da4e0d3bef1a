/**
 * Which port a range or port 0 came to, by device and service: clients know it, so it stays the same across restarts.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import { readPrivateFile, withLock, writePrivateFile } from "../../app/files/private_file.ts";
import { tomlKey } from "../../app/toml/scan.ts";
import { TomlTable } from "../../app/toml/table.ts";
import { wholeNumber } from "../../app/values.ts";

/** Ports that are kept at most; beyond, the one that was set longest ago is forgotten. */
export const MAX_KEPT_PORTS = 65_536;

/** Milliseconds from a change to its being written; more changes until then are written with it. */
export const KEPT_PORTS_WRITE_MS = 1_000;

/** Milliseconds that a writing waits for others who write: a server that ends must not wait long. */
export const KEPT_PORTS_LOCK_MS = 2_000;

const FILE = "ports.toml";

/** The kept ports, in memory and in the state. */
export class KeptPorts {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  /** By device and service, in the order of their setting. */
  readonly #ports = new Map<string, number>();
  /** The keys of a device. */
  readonly #byDevice = new Map<string, Set<string>>();
  /** How many keep a port. */
  readonly #keepers = new Map<number, number>();
  /** What is not written yet: what was set, and what was forgotten, in that order. */
  #changes = new Map<string, number | undefined>();
  /** The text that was written or read last: of another server, if it is another one. */
  #source: string | undefined;
  #cancel: (() => void) | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(folder: string, clock: Clock, log: Logger, source: string | undefined) {
    this.#folder = folder;
    this.#clock = clock;
    this.#log = log;
    this.#source = source;
    for (const [key, port] of parse(folder, source)) this.#put(key, port);
  }

  /**
   * Reads what was kept in a state.
   *
   * @throws {ConfigError} if it is damaged.
   */
  static async load(folder: string, clock: Clock, log: Logger): Promise<KeptPorts> {
    return new KeptPorts(folder, clock, log, await readPrivateFile(`${folder}/${FILE}`));
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
    this.#note(key, port);
  }

  /** Forgets a device. */
  forget(device: string): void {
    for (const key of [...this.#byDevice.get(device) ?? []]) {
      this.#delete(key);
      this.#note(key, undefined);
    }
  }

  /** A device has another name. */
  rename(before: string, after: string): void {
    for (const key of [...this.#byDevice.get(before) ?? []]) {
      const port = this.#ports.get(key)!;
      this.#delete(key);
      this.#note(key, undefined);
      this.set(after, key.slice(before.length + 1), port);
    }
  }

  /** Writes what is not written yet. */
  async flush(): Promise<void> {
    if (this.#changes.size > 0) this.#write();
    await this.#writing;
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

  #note(key: string, port: number | undefined): void {
    this.#changes.delete(key);
    this.#changes.set(key, port);
    this.#writeSoon();
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
    const changes = this.#changes;
    this.#changes = new Map();
    try {
      await withLock(this.#folder, async () => {
        await this.#takeOver(changes);
        const text = this.#format();
        await writePrivateFile(`${this.#folder}/${FILE}`, text);
        this.#source = text;
      }, KEPT_PORTS_LOCK_MS);
    } catch (error) {
      this.#changes = new Map([...changes, ...this.#changes]); // for the next time
      throw error;
    }
  }

  /** What another server with the same state has written since holds as well, but for what changed here. */
  async #takeOver(changes: ReadonlyMap<string, number | undefined>): Promise<void> {
    const source = await readPrivateFile(`${this.#folder}/${FILE}`);
    if (source === this.#source || source === undefined) return;
    const theirs = parse(this.#folder, source);
    const mine = (key: string) => changes.has(key) || this.#changes.has(key);
    for (const key of [...this.#ports.keys()]) {
      if (!theirs.has(key) && !mine(key)) this.#delete(key);
    }
    for (const [key, port] of theirs) {
      if (!mine(key) && this.#ports.get(key) !== port) this.#put(key, port);
    }
  }

  #format(): string {
    const lines = ["# Written by the server: ports that were picked, kept for the next time."];
    for (const [device, keys] of this.#byDevice) {
      lines.push(`[${tomlKey(device)}]`);
      for (const key of keys) lines.push(`${tomlKey(key.slice(device.length + 1))} = ${this.#ports.get(key)}`);
    }
    return `${lines.join("\n")}\n`;
  }
}

function parse(folder: string, source: string | undefined): Map<string, number> {
  const ports = new Map<string, number>();
  if (source === undefined) return ports;
  const table = TomlTable.parse(`${folder}/${FILE}`, source);
  for (const device of table.names) {
    const services = table.table(device)!;
    for (const service of services.names) {
      ports.set(keyOf(device, service), services.one(service, wholeNumber(1, 65535))!);
    }
  }
  return ports;
}

/** Names have no blanks. */
function keyOf(device: string, service: string): string {
  return `${device} ${service}`;
}

function deviceOf(key: string): string {
  return key.slice(0, key.indexOf(" "));
}
