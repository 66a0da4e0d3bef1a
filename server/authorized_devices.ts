/**
 * The devices that may link up, as their owner wrote them: a TOML file that is read again when it changes.
 *
 * @module
 */

import { V2_MAX_TEXT } from "../protocol/limits.ts";
import { parseName } from "../protocol/name.ts";
import type { Clock } from "../net/clock.ts";
import { Emitter } from "../net/emitter.ts";
import { describeError } from "../net/errors.ts";
import { formatPublicKey, parsePublicKey } from "../net/identity.ts";
import type { Logger } from "../net/logger.ts";
import { ConfigError } from "../app/config_error.ts";
import { readStateFileSync, stampOf } from "../app/private_file.ts";
import { TomlTable } from "../app/toml_table.ts";
import { parseTime } from "../app/values.ts";
import { parseDuration } from "../net/duration.ts";
import { readGrants } from "./grant_table.ts";
import { formatGrantedAddress, overlaps, type ServiceGrant } from "./service_grant.ts";

/** Milliseconds between two looks at the file. */
export const DEVICES_POLL_MS = 500;

/** Milliseconds that a changed file has to stand still before it counts: an editor may be half through. */
export const DEVICES_SETTLE_MS = 100;

/** A device as the file has it. */
export interface AuthorizedDevice {
  /** Its name in logs and commands. */
  readonly name: string;
  /** Its public key, as text: what it is known by. */
  readonly key: string;
  /** What it may offer. */
  readonly services: readonly ServiceGrant[];
  /** When it may no longer link up, in milliseconds since 1970. */
  readonly expires?: number;
  /** Milliseconds that its session outlives a link, if not as for all (seed 002, "expiration time"). */
  readonly expiration?: number;
  /** Whether it may not link up for now. */
  readonly disabled: boolean;
  /** For people. */
  readonly comment?: string;
}

/** What a change of the file came to; a device is the same while its key is. */
export interface DevicesChange {
  /** Devices with a new key. */
  readonly added: readonly AuthorizedDevice[];
  /** Devices whose key is gone. */
  readonly removed: readonly AuthorizedDevice[];
  /** Devices with the same key of which anything else is different. */
  readonly changed: readonly { readonly before: AuthorizedDevice; readonly after: AuthorizedDevice }[];
}

/**
 * Reads the text of the file.
 *
 * @throws {ConfigError} with file, line, column, and what would do.
 */
export function parseDevices(file: string, source: string): AuthorizedDevice[] {
  const top = TomlTable.parse(file, source);
  const tables = new Map<string, TomlTable>();
  const byKey = new Map<string, string>();
  const fixed = new Map<number, { readonly device: string; readonly service: ServiceGrant }[]>();
  const devices = top.names.map((name) => {
    const table = top.table(name)!;
    tables.set(name, table);
    const device = readDevice(name, table);
    const twin = byKey.get(device.key);
    if (twin !== undefined) throw table.error("key", `"${twin}" has the same key; give every device its own`);
    byKey.set(device.key, name);
    return device;
  });
  top.rejectUnknown();
  for (const device of devices.filter(({ disabled }) => !disabled)) {
    for (const service of device.services) {
      const others = fixed.get(service.listen.from) ?? [];
      const other = others.find((candidate) => overlaps(candidate.service.listen, service.listen));
      if (other) {
        const services = tables.get(device.name)!.table("services")!;
        throw services.error(
          service.name,
          `"${other.device}" has ${formatGrantedAddress(other.service.listen)} for "${other.service.name}"; ` +
            `give "${service.name}" of "${device.name}" another host port`,
        );
      }
      others.push({ device: device.name, service });
      fixed.set(service.listen.from, others);
    }
  }
  return devices;
}

function readDevice(name: string, table: TomlTable): AuthorizedDevice {
  try {
    parseName(name);
  } catch (error) {
    throw error instanceof SyntaxError ? table.error(undefined, error.message) : error;
  }
  const key = table.one("key", (text) => formatPublicKey(parsePublicKey(text)));
  const services = table.table("services");
  const expires = table.one("expires", parseTime);
  const expiration = table.one("expiration", parseDuration);
  const disabled = table.flag("disabled") ?? false;
  const comment = table.one("comment", parseComment);
  if (key === undefined) {
    table.rejectUnknown(); // a slip of the pen explains more
    throw table.error(undefined, `"key" is missing; "device key" prints it on the device`);
  }
  return {
    name,
    key,
    services: services ? readGrants(services) : [],
    ...(expires !== undefined && { expires }),
    ...(expiration !== undefined && { expiration }),
    disabled,
    ...(comment !== undefined && { comment }),
  };
}

/** Reads what stands beside a device for people. */
export function parseComment(text: string): string {
  if (new TextEncoder().encode(text).length <= V2_MAX_TEXT && !/\p{Cc}/u.test(text)) return text;
  throw new SyntaxError(`a comment is one line of ${V2_MAX_TEXT} bytes at most`);
}

/** The current devices. */
export class AuthorizedDevices {
  readonly #file: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #changes: Emitter<DevicesChange>;
  #devices = new Map<string, AuthorizedDevice>();
  #stamp: string;
  /** The text that was looked at last, whether it could be used or not. */
  #source: string | undefined;
  /** The text that was used last. */
  #inForce: string | undefined;
  #cancel: () => void;

  /**
   * Reads `file`, and again when it changes until {@linkcode close}. One that is not there yet has no devices.
   *
   * @throws {ConfigError} if it cannot be used.
   */
  constructor(file: string, clock: Clock, log: Logger) {
    this.#file = file;
    this.#clock = clock;
    this.#log = log;
    this.#changes = new Emitter(log);
    this.#stamp = this.#look();
    this.#source = this.#read();
    this.#devices = index(parseDevices(file, this.#source ?? ""));
    this.#inForce = this.#source;
    this.#cancel = clock.after(DEVICES_POLL_MS, () => this.#poll());
  }

  /** All devices, in the order of the file. */
  get all(): AuthorizedDevice[] {
    return [...this.#devices.values()];
  }

  /** The device with a public key, if there is one. */
  byKey(raw: Uint8Array): AuthorizedDevice | undefined {
    return this.#devices.get(formatPublicKey(raw));
  }

  /** The device of a name, if there is one. */
  byName(name: string): AuthorizedDevice | undefined {
    return this.all.find((device) => device.name === name);
  }

  /** Whether a port is somebody's for good: whoever picks a free one has to leave it. */
  isReserved(port: number): boolean {
    return this.all.some(({ services, disabled }) =>
      !disabled && services.some(({ listen }) => listen.from === port && listen.to === port)
    );
  }

  /** What a text of the file came to, if it is the one that is in force. */
  parsed(source: string): readonly AuthorizedDevice[] | undefined {
    return source === this.#inForce ? this.all : undefined;
  }

  /** Calls `subscriber` for every change from now on. @returns what ends that. */
  subscribe(subscriber: (change: DevicesChange) => void): () => void {
    return this.#changes.subscribe(subscriber);
  }

  /** Reads the file now, without waiting for it to settle: for whoever has just changed it, whole. */
  reload(): void {
    this.#stamp = this.#look();
    try {
      const source = this.#read();
      if (source === this.#source) return;
      this.#source = source;
      if (source === undefined) throw new ConfigError(`${this.#file} is gone`);
      this.#apply(index(parseDevices(this.#file, source)));
      this.#inForce = source;
    } catch (error) {
      const [what = ""] = describeError(error).split("\n"); // without the line and its caret, which are for a terminal
      this.#log.error("{error}; the devices stay as they were", { error: what, file: this.#file });
    }
  }

  /** Looks no more. Idempotent. */
  close(): void {
    this.#cancel();
  }

  /** Looks whether the file has changed, and reads it when it has stood still since the last look. */
  #poll(seen?: string): void {
    const stamp = this.#look();
    const settled = stamp === this.#stamp || stamp === seen;
    if (stamp !== this.#stamp && settled) this.reload();
    this.#cancel = this.#clock.after(
      settled ? DEVICES_POLL_MS : DEVICES_SETTLE_MS,
      () => this.#poll(settled ? undefined : stamp),
    );
  }

  /** What changes when the file does. Looking is a matter of microseconds: not worth a promise. */
  #look(): string {
    return stampOf(this.#file);
  }

  #read(): string | undefined {
    return readStateFileSync(this.#file);
  }

  #apply(devices: Map<string, AuthorizedDevice>): void {
    const before = this.#devices;
    this.#devices = devices;
    const changed = [...devices].flatMap(([key, after]) => {
      const old = before.get(key);
      return old && JSON.stringify(old) !== JSON.stringify(after) ? [{ before: old, after }] : [];
    });
    const added = [...devices.values()].filter(({ key }) => !before.has(key));
    const removed = [...before.values()].filter(({ key }) => !devices.has(key));
    if (added.length + removed.length + changed.length === 0) return;
    this.#log.info("devices reread: {added} added, {removed} removed, {changed} changed", {
      added: added.length,
      removed: removed.length,
      changed: changed.length,
    });
    this.#changes.emit({ added, removed, changed });
  }
}

function index(devices: readonly AuthorizedDevice[]): Map<string, AuthorizedDevice> {
  return new Map(devices.map((device) => [device.key, device]));
}
