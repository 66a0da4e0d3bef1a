/**
 * What a process that was killed left in a state: files that were on their way to their place.
 *
 * @module
 */

import { LEFTOVER_AGE_MS, SWEEP_LOCK_MS } from "../limits.ts";
import { systemClock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import { dirname } from "./paths.ts";
import { withLock } from "./private_file.ts";
import { statPath } from "./private_folder.ts";
import { KEPT, sweepLeftovers } from "./replace_file.ts";

/** Sweeps the folder of a state; whoever writes one of `names` there does so under its lock. Never fails. */
export async function sweepState(folder: string, names: readonly string[], logger: Logger): Promise<void> {
  try {
    const count = await withLock(
      folder,
      () => Promise.resolve(sweepLeftovers(folder, (name) => names.includes(name))),
      SWEEP_LOCK_MS,
    );
    tell(folder, count, logger);
  } catch (error) {
    logger.debug("leftovers stay where they are: {error}", { error: describeError(error) });
  }
}

/** Sweeps what is beside one file that is elsewhere, which more than one state may share; and tells of an edit cut short. */
export function sweepBeside(path: string, folder: string, logger: Logger): void {
  try {
    const [elsewhere, name] = [dirname(path), path.slice(path.lastIndexOf("/") + 1)];
    if (elsewhere !== folder) {
      tell(elsewhere, sweepLeftovers(elsewhere, (file) => file === name, systemClock.wall() - LEFTOVER_AGE_MS), logger);
    }
    if (!statPath(`${path}${KEPT}`)) return;
    logger.warn(
      "an edit of {file} was cut short; {kept} has what it was before: compare the two, and remove that one",
      {
        file: path,
        kept: `${path}${KEPT}`,
      },
    );
  } catch (error) {
    logger.debug("leftovers stay where they are: {error}", { error: describeError(error) });
  }
}

function tell(folder: string, count: number, logger: Logger): void {
  if (count > 0) logger.debug("removed {count} files that a killed process left in {folder}", { count, folder });
}
