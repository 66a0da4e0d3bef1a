/**
 * The ports that are kept, in the state, so that they stay the same across restarts.
 *
 * @module
 */

import { KEPT_PORTS_LOCK_MS, KEPT_PORTS_WRITE_MS } from "../limits.ts";
import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import { readPrivateFile, withLock, writePrivateFile } from "../../app/files/private_file.ts";
import { tomlKey } from "../../app/toml/scan.ts";
import { TomlTable } from "../../app/toml/table.ts";
import { wholeNumber } from "../../app/values.ts";
import { KeptPorts, keyOf } from "../ports/kept_ports.ts";

const FILE = "ports.toml";

/** Writes what changes of {@linkcode PortsFile.ports}. */
export class PortsFile {
  readonly ports: KeptPorts = new KeptPorts((key, port) => this.#note(key, port));
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #log: Logger;
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
    for (const [key, port] of parse(folder, source)) this.ports.takeOver(key, port);
  }

  /**
   * Reads what was kept in a state.
   *
   * @throws {ConfigError} if it is damaged.
   */
  static async load(folder: string, clock: Clock, log: Logger): Promise<PortsFile> {
    return new PortsFile(folder, clock, log, await readPrivateFile(`${folder}/${FILE}`));
  }

  /** Writes what is not written yet. */
  async flush(): Promise<void> {
    if (this.#changes.size > 0) this.#write();
    await this.#writing;
  }

  #note(key: string, port: number | undefined): void {
    this.#changes.delete(key);
    this.#changes.set(key, port);
    this.#writeSoon();
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
    for (const key of new Set([...this.ports.keys(), ...theirs.keys()])) {
      if (!mine(key)) this.ports.takeOver(key, theirs.get(key));
    }
  }

  #format(): string {
    const lines = ["# Written by the server: ports that were picked, kept for the next time."];
    for (const [device, services] of this.ports.entries()) {
      lines.push(`[${tomlKey(device)}]`);
      for (const [service, port] of services) lines.push(`${tomlKey(service)} = ${port}`);
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
