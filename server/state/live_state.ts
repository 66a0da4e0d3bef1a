/**
 * What a running server tells the commands beside it of its devices: who is online, and where their services are bound.
 *
 * @module
 */

import { stringify } from "smol-toml";
import { LIVE_WRITE_MS, LIVE_WRITE_MS_A_DEVICE, STATE_LOOK_MS } from "../limits.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import { ConfigError } from "../../app/toml/config_error.ts";
import { inSlices, type Steps } from "../../base/slices.ts";
import { lockBefore, type LockFile, openLockFile } from "../../app/files/lock_file.ts";
import { ensurePrivateFolder, explained, statPath } from "../../app/files/private_folder.ts";
import { removeStateFile, writePrivateFile } from "../../app/files/private_file.ts";
import { demand, readState } from "../../app/files/state.ts";
import type { TomlTable } from "../../app/toml/table.ts";
import type { ServerEvent } from "../events.ts";
import type { ServedDevice } from "../handle/device_status.ts";

const FILE = "live.toml";
/** Locked while a server runs; the system unlocks it, however the server ends. */
const LOCK_FILE = ".running";

/** What anybody can cause, as often as he likes, and what changes nothing that is told of a device here. */
const OF_STRANGERS: ReadonlySet<ServerEvent["type"]> = new Set(["client-end", "refused", "incompatible"]);

/** A device as the running server sees it. */
export type LiveDevice =
  & Pick<ServedDevice, "key" | "online" | "interrupted" | "since" | "remote" | "services">
  & Partial<Pick<ServedDevice, "mode" | "software" | "versions" | "clockOffset" | "incompatible">>
  & { readonly draining?: { readonly since: string; readonly until: string | null } };

/** Writes the state of devices while a server runs. */
export class LiveState {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #lock: LockFile | undefined;
  /** Whether no other server ran with this state when this one started. */
  readonly isFirst: boolean;
  #devices: () => Iterable<LiveDevice> = () => [];
  #device: (name: string) => LiveDevice | undefined = () => undefined;
  /** What is told of each device, by its key. */
  readonly #texts = new Map<string, string>();
  /** Names of devices of which that does not hold any more. */
  readonly #changed = new Set<string>();
  /** Keys of devices that went while all were rendered: a list that was made before may still have them. */
  readonly #gone = new Set<string>();
  #allChanged = false;
  #isStale = false;
  #cancel: (() => void) | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(folder: string, clock: Clock, log: Logger, lock: LockFile | undefined, isFirst: boolean) {
    this.#folder = folder;
    this.#clock = clock;
    this.#log = log;
    this.#lock = lock;
    this.isFirst = isFirst;
  }

  /** Says that a server runs with the state in `folder`. */
  static async open(folder: string, clock: Clock, log: Logger, lockClock: Clock = systemClock): Promise<LiveState> {
    await ensurePrivateFolder(folder);
    const lock = await openIfPossible(folder, log);
    const until = lockClock.now() + STATE_LOOK_MS; // a command that looks whether a server runs is done long before
    const shared = () => lock && lockBefore(lock, false, until, lockClock); // several may run with one state
    await shared();
    const isFirst = !lock || await lockBefore(lock, true, until, lockClock);
    if (isFirst) removeStateFile(`${folder}/${FILE}`); // of a server that ran before
    else {
      const what = "commands may not see all of both, and enroll goes on to name where that one listens";
      log.warn("another server runs with the state in {folder}; {what}", { folder, what });
    }
    await shared(); // others may ask, and come
    return new LiveState(folder, clock, log, lock, isFirst);
  }

  /** Whose state is written when {@linkcode LiveState.changed} says so: all, and the device of a name. */
  watch(devices: () => Iterable<LiveDevice>, device: (name: string) => LiveDevice | undefined = () => undefined): void {
    this.#devices = devices;
    this.#device = device;
    this.changed();
  }

  /** Something has changed with the device of a name, or with any. */
  changed(name?: string): void {
    if (name === undefined) this.#allChanged = true;
    else this.#changed.add(name);
    this.#writeSoon();
  }

  /** Something happened, maybe to a device. */
  happened(event: ServerEvent): void {
    if (OF_STRANGERS.has(event.type)) return;
    if ("device" in event && event.device !== undefined) this.changed(event.device);
  }

  /** The device with a key is no more. */
  forget(key: string): void {
    this.#gone.add(key);
    if (this.#texts.delete(key)) this.#writeSoon();
  }

  #writeSoon(): void {
    const wait = Math.ceil(LIVE_WRITE_MS + this.#texts.size * LIVE_WRITE_MS_A_DEVICE);
    this.#cancel ??= this.#clock.after(wait, () => {
      this.#cancel = undefined;
      this.#writing = this.#writing.then(() => this.#write());
    });
  }

  /** The server ends. */
  async close(): Promise<void> {
    this.#cancel?.();
    await this.#writing;
    // It may never have been written, and what another server wrote is of use while that runs.
    if (await this.#lock?.tryLock(true)) removeStateFile(`${this.#folder}/${FILE}`);
    this.#lock?.close();
  }

  async #write(): Promise<void> {
    await inSlices(this.#update(), this.#clock);
    const text = `# Written by the server while it runs.\n${[...this.#texts.values()].join("\n")}`;
    try {
      await writePrivateFile(`${this.#folder}/${FILE}`, text);
      this.#isStale = false;
    } catch (error) {
      if (this.#isStale) return; // told once
      this.#isStale = true;
      this.#log.warn("{error}; commands do not see which devices are online", { error: describeError(error) });
    }
  }

  /** Renders what has changed. */
  *#update(): Steps<void> {
    const names = [...this.#changed];
    this.#changed.clear();
    this.#gone.clear();
    if (this.#allChanged) {
      this.#allChanged = false;
      this.#texts.clear();
      for (const device of this.#devices()) {
        if (!this.#gone.has(device.key)) this.#texts.set(device.key, render(device));
        yield;
      }
    } else {
      for (const name of names) {
        const device = this.#device(name);
        if (device) this.#texts.set(device.key, render(device));
        yield;
      }
    }
  }
}

function render(device: LiveDevice): string {
  return stringify({ [device.key]: tableOf(device) });
}

function tableOf({ online, interrupted, since, remote, services }: LiveDevice): Record<string, unknown> {
  return {
    online,
    ...(interrupted && { interrupted }),
    ...(since !== undefined && { since: new Date(since).toISOString() }),
    ...(remote !== undefined && { remote }),
    services: Object.fromEntries(services.map(({ name, hostAddress, open, error }) => [
      name,
      { address: hostAddress, open, ...(error !== undefined && { error }) },
    ])),
  };
}

/**
 * The devices that came since the server runs, by their keys.
 *
 * @returns `undefined` if no server runs with this state, or it has not told anything yet.
 */
export async function readLiveState(folder: string): Promise<Map<string, LiveDevice> | undefined> {
  if (!await isRunning(folder)) return undefined;
  const table = await readState(`${folder}/${FILE}`);
  return table && new Map(table.names.map((key) => [key, deviceOf(key, demand(table, key, table.table(key)))]));
}

function deviceOf(key: string, table: TomlTable): LiveDevice {
  const services = demand(table, "services", table.table("services"));
  return {
    key,
    online: demand(table, "online", table.flag("online")),
    ...(table.flag("interrupted") && { interrupted: true }),
    since: table.one("since", Date.parse),
    remote: table.one("remote", String),
    services: services.names.map((name) => {
      const service = demand(services, name, services.table(name));
      return {
        name,
        hostAddress: demand(service, "address", service.one("address", String)),
        open: demand(service, "open", service.flag("open")),
        error: service.one("error", String),
      };
    }),
  };
}

/** A state that can only be read is served all the same; then commands do not see the server. */
async function openIfPossible(folder: string, log: Logger): Promise<LockFile | undefined> {
  try {
    return await openLockFile(`${folder}/${LOCK_FILE}`);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    log.warn("cannot lock {file}: {error}; commands do not see that this server runs", {
      file: `${folder}/${LOCK_FILE}`,
      error: describeError(error),
    });
    return undefined;
  }
}

/** Whether a server has ever run with a state, or runs now. */
export function hasRun(folder: string): boolean {
  return statPath(`${folder}/${LOCK_FILE}`) !== undefined;
}

/** Whether somebody holds the lock. */
async function isRunning(folder: string): Promise<boolean> {
  if (!hasRun(folder)) return false;
  try {
    using lock = await openLockFile(`${folder}/${LOCK_FILE}`);
    // An old runtime cannot ask; then the other file, which a server removes when it ends in order, has to do.
    return !lock.canTell || !await lock.tryLock(true);
  } catch (error) {
    throw explained("read", `${folder}/${LOCK_FILE}`, error);
  }
}
