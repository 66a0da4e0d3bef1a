/**
 * The lock of a folder: of all processes one at a time changes what is in it, and of this process one at a time asks for it.
 *
 * @module
 */

import { LOCK_TIMEOUT_MS, MAX_LOCK_WAITERS } from "../limits.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import { errorCode } from "../../base/errors.ts";
import { lockBefore, type LockFile, openLockFile, openLockFolder } from "./lock_file.ts";
import { MachineError } from "./machine_error.ts";
import { ensurePrivateFolder, explain } from "./private_folder.ts";

/** Name of the file that is locked. */
const LOCK_FILE = ".lock";

/** Those of this process who wait for their turn, by folder; the one whose turn it is has left the queue. */
const queues = new Map<string, (() => void)[]>();

/**
 * Runs `fn` while nobody else does so with the same folder, in this process or another.
 *
 * @param timeout Milliseconds that it waits for its turn at most.
 * @throws {MachineError} if it is somebody else's turn for too long; {ConfigError} if the folder cannot be used.
 */
export async function withLock<T>(
  folder: string,
  fn: () => Promise<T>,
  timeout = LOCK_TIMEOUT_MS,
  clock: Clock = systemClock,
): Promise<T> {
  const until = clock.now() + timeout;
  const held = () =>
    new MachineError(`Cannot lock ${folder}: another process has held it for ${timeout / 1000} s; try again`);
  if (!await takeTurn(folder, timeout, clock)) throw held();
  try {
    await ensurePrivateFolder(folder);
    using lock = await explain("lock", folder, () => open(folder));
    if (!await lockBefore(lock, true, until, clock)) throw held();
    return await fn();
  } finally {
    passTurn(folder);
  }
}

/** On a disk without room for a file that was never made, the folder itself is locked: so does everybody else then. */
async function open(folder: string): Promise<LockFile> {
  try {
    return await openLockFile(`${folder}/${LOCK_FILE}`);
  } catch (error) {
    const noRoom = ["ENOSPC", "EDQUOT"].includes(errorCode(error) ?? "");
    const lock = noRoom ? openLockFolder(folder) : undefined;
    if (!lock) throw error;
    return lock;
  }
}

/** @returns whether it is the caller's turn. */
function takeTurn(folder: string, timeout: number, clock: Clock): Promise<boolean> {
  const queue = queues.get(folder);
  if (!queue) {
    queues.set(folder, []);
    return Promise.resolve(true);
  }
  if (queue.length >= MAX_LOCK_WAITERS) return Promise.resolve(false);
  return new Promise((resolve) => {
    const turn = () => {
      cancel();
      resolve(true);
    };
    const cancel = clock.after(timeout, () => {
      queue.splice(queue.indexOf(turn), 1);
      resolve(false);
    });
    queue.push(turn);
  });
}

function passTurn(folder: string): void {
  const next = queues.get(folder)?.shift();
  if (next) next();
  else queues.delete(folder);
}
