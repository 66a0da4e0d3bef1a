/**
 * One device runs with one state: two with one key would take the link from each other.
 *
 * @module
 */

import { ConfigError } from "../app/config_error.ts";
import { ensurePrivateFolder, openLockFile } from "../app/private_file.ts";

/** Locked while a device runs; the system unlocks it, however the device ends. */
const LOCK_FILE = ".running";

/**
 * Says that a device runs with the state in `folder`, until what it returns is closed.
 *
 * @throws {ConfigError} if another one does.
 */
export async function claimState(folder: string): Promise<Disposable | undefined> {
  await ensurePrivateFolder(folder);
  const lock = await openIfWritable(folder);
  // An older runtime cannot ask whether a lock is free.
  if (!lock || !("tryLock" in lock) || await lock.tryLock(true)) return lock;
  lock.close();
  throw new ConfigError(
    `another sallyport device runs with the state in ${folder}; end it, or give this one its own --state`,
  );
}

/** A state that can only be read is as good, once the device has joined. */
async function openIfWritable(folder: string): Promise<Deno.FsFile | undefined> {
  try {
    return await openLockFile(`${folder}/${LOCK_FILE}`, folder);
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}
