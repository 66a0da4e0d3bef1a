/**
 * Files that are locked, and never waited for on a thread: a lock that waits would hold one of the few that the runtime has.
 *
 * @module
 */

import { LOCK_POLL_MS } from "../limits.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import { errorCode } from "../../base/errors.ts";
import { ConfigError } from "../toml/config_error.ts";
import { factsAt } from "../../net/kernel/native_file.ts";
import { actAs, actorFor } from "./path_actor.ts";
import { spotOf } from "./spot.ts";
import { type SystemCalls, systemCalls } from "../../net/kernel/system_calls.ts";

/** The mode that bars everybody but the owner. */
const PRIVATE_FILE = 0o600;

const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;

/** A file to lock. The system unlocks it when it is closed, however that comes. */
export interface LockFile extends Disposable {
  /** Tries to lock it; whoever has locked it already has that lock changed, or loses it. @returns whether it is locked. */
  tryLock(exclusive: boolean): Promise<boolean>;
  /** Whether a lock that is held would be seen: an old runtime without system calls cannot tell, and is optimistic. */
  readonly canTell: boolean;
  /** Closes it, which unlocks it. Idempotent. */
  close(): void;
}

/**
 * Opens a file to lock, and makes it if it is not there; one that can only be read will do.
 *
 * @throws {ConfigError} if something else stands there; what the system says if it cannot be opened.
 */
export async function openLockFile(path: string): Promise<LockFile> {
  const facts = spotOf(path).facts();
  if (facts && !facts.isFile) throw notAFile(path);
  const calls = systemCalls();
  if (calls) return openNative(calls, path);
  const actor = actorFor(path);
  if (actor) actAs(actor, () => {}); // which root cannot, without system calls
  return new PortableLock(await openPortable(path));
}

/** Opens a folder to lock, where there is no room for a file. */
export function openLockFolder(path: string): LockFile | undefined {
  const calls = systemCalls();
  return calls && new NativeLock(calls, spotOf(path).openLock(calls, undefined));
}

/**
 * Waits for a lock.
 *
 * @param until When to give up, on `clock`.
 * @returns whether it is locked.
 */
export async function lockBefore(lock: LockFile, exclusive: boolean, until: number, clock: Clock): Promise<boolean> {
  for (let pause: number = LOCK_POLL_MS[0];; pause = Math.min(2 * pause, LOCK_POLL_MS[1])) {
    if (await lock.tryLock(exclusive)) return true;
    const left = until - clock.now();
    if (left <= 0) return false;
    await new Promise<void>((resolve) => clock.after(Math.min(pause, left), resolve));
  }
}

function openNative(calls: SystemCalls, path: string): LockFile {
  const spot = spotOf(path);
  let fd: number;
  try {
    fd = spot.openLock(calls, PRIVATE_FILE);
  } catch (error) {
    if (!isBarred(error)) throw error;
    try {
      fd = spot.openLock(calls, undefined);
    } catch {
      throw error; // why it cannot be made explains more than that it is not there
    }
  }
  const lock = new NativeLock(calls, fd);
  if (factsAt(calls, fd, "").isFile) return lock;
  lock.close();
  throw notAFile(path);
}

function notAFile(path: string): ConfigError {
  return new ConfigError(`Cannot lock ${path}: it is not a file; move it away`);
}

async function openPortable(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, { read: true, write: true, create: true, mode: PRIVATE_FILE });
  } catch (error) {
    if (!isBarred(error)) throw error;
    return await Deno.open(path);
  }
}

function isBarred(error: unknown): boolean {
  return error instanceof Deno.errors.PermissionDenied || errorCode(error) === "EROFS";
}

class NativeLock implements LockFile {
  readonly canTell = true;
  readonly #calls: SystemCalls;
  #fd: number;

  constructor(calls: SystemCalls, fd: number) {
    this.#calls = calls;
    this.#fd = fd;
  }

  tryLock(exclusive: boolean): Promise<boolean> {
    const how = (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB;
    return Promise.resolve(this.#fd >= 0 && this.#calls.flock(this.#fd, how) === 0);
  }

  close(): void {
    if (this.#fd >= 0) this.#calls.close(this.#fd);
    this.#fd = -1;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

class PortableLock implements LockFile {
  readonly #file: Deno.FsFile;
  readonly canTell: boolean;
  #asked: Promise<void> | undefined;
  #closed = false;

  constructor(file: Deno.FsFile) {
    this.#file = file;
    this.canTell = "tryLock" in file;
  }

  async tryLock(exclusive: boolean): Promise<boolean> {
    if (this.canTell) return await this.#file.tryLock(exclusive);
    if (!exclusive) return true;
    // A lock that is asked for cannot be called off; there is one that waits at a time, as whoever locks takes turns.
    let done = false;
    this.#asked ??= this.#file.lock(true);
    this.#asked.then(() => done = true, () => done = true);
    await Promise.race([this.#asked, new Promise<void>((resolve) => systemClock.after(LOCK_POLL_MS[1], resolve))]);
    return done;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#asked) this.#asked.then(() => this.#file.close(), () => this.#file.close());
    else this.#file.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
