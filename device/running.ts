/**
 * One device runs with one state: two with one key would take the link from each other.
 *
 * @module
 */

import { ConfigError } from "../app/config_error.ts";
import { type LockFile, openLockFile } from "../app/lock_file.ts";
import { ensurePrivateFolder } from "../app/private_file.ts";

/** Locked while a device runs; the system unlocks it, however the device ends. */
const LOCK_FILE = ".running";

/**
 * Says that a device runs with the state in `folder`, until what it returns is closed.
 *
 * @throws {ConfigError} if another one does.
 */
export async function claimState(folder: string): Promise<Disposable | undefined> {
  await ensurePrivateFolder(folder);
  const lock = await openIfPossible(folder);
  if (!lock || !lock.canTell || await lock.tryLock(true)) return lock; // an old runtime cannot ask whether it is free
  lock.close();
  throw new ConfigError(
    `another sallyport device runs with the state in ${folder}; end it, or give this one its own --state`,
  );
}

/** A state that can only be read is as good, once the device has joined. */
async function openIfPossible(folder: string): Promise<LockFile | undefined> {
  try {
    return await openLockFile(`${folder}/${LOCK_FILE}`);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    return undefined;
  }
}
