/**
 * One device runs with one state: two with one key would take the link from each other.
 *
 * @module
 */

import { type Logger, silentLogger } from "../../base/logger.ts";
import { ConfigError } from "../../app/toml/config_error.ts";
import { sweepState } from "../../app/files/leftovers.ts";
import { type LockFile, openLockFile } from "../../app/files/lock_file.ts";
import { ensurePrivateFolder } from "../../app/files/private_file.ts";

/** Locked while a device runs; the system unlocks it, however the device ends. */
const LOCK_FILE = ".running";

/** Files of the state, which are written under its lock. */
const STATE_FILES = ["version.toml", "identity.pem", "device.toml", "device-before.toml"];

/**
 * Says that a device runs with the state in `folder`, until what it returns is closed.
 *
 * @param hint What would do if another one does.
 * @throws {ConfigError} if another one does.
 */
export async function claimState(
  folder: string,
  logger: Logger = silentLogger,
  hint = "end it, or give this one its own --state",
): Promise<Disposable | undefined> {
  await ensurePrivateFolder(folder);
  const lock = await openIfPossible(folder);
  // An old runtime cannot ask whether it is free.
  if (!lock || !lock.canTell || await lock.tryLock(true)) {
    await sweepState(folder, STATE_FILES, logger);
    return lock;
  }
  lock.close();
  throw new ConfigError(`another sallyport device runs with the state in ${folder}; ${hint}`);
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
