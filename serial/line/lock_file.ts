/**
 * The lock files by which programs keep each other from a serial line: `/run/lock/LCK..ttyUSB0`, with the number of the
 * process (FHS; picocom, minicom, cu).
 *
 * @module
 */

import { describeError, errorCode } from "../../base/errors.ts";
import { MAX_LOCK_FILE } from "../limits.ts";
import { SerialError } from "./line.ts";
import type { LineCalls } from "./line_calls.ts";
import { ESRCH } from "../../net/kernel/errno.ts";
import { readNow } from "../../net/kernel/native_file.ts";

/** Where they are. */
export const LOCK_FOLDER = "/run/lock";

/**
 * Takes the lock of a line; one that a dead process left is taken over.
 *
 * @returns what frees it. @throws {SerialError} if another process has it, or the folder cannot be written.
 */
export function takeLockFile(path: string, calls: Pick<LineCalls, "kill" | "errno">, folder = LOCK_FOLDER): () => void {
  const file = `${folder}/LCK..${path.replace(/^\/dev\//, "").replaceAll("/", "_")}`;
  const mine = `${String(Deno.pid).padStart(10)}\n`;
  for (let isFirst = true;; isFirst = false) {
    try {
      Deno.writeTextFileSync(file, mine, { createNew: true, mode: 0o644 });
      return () => free(file, mine);
    } catch (error) {
      if (errorCode(error) !== "EEXIST" || !isFirst) throw cannot(path, file, error);
    }
    try {
      const owner = ownerOf(file);
      const isAlive = owner === undefined || owner === Deno.pid || calls.kill(owner, 0) === 0 ||
        calls.errno() !== ESRCH;
      if (isAlive) {
        const who = owner === undefined ? "another program" : `process ${owner}`;
        throw new SerialError(`${path} is in use by ${who}, as ${file} says`, { isBusy: true });
      }
      Deno.removeSync(file);
    } catch (error) {
      if (error instanceof SerialError) throw error;
      if (errorCode(error) !== "ENOENT") throw cannot(path, file, error);
    }
  }
}

/** The process that a lock file names, in digits as most programs write it; `undefined`: it cannot be told. */
function ownerOf(file: string): number | undefined {
  const [, digits] = /^\s*(\d{1,10})\s/.exec(`${readNow(file, MAX_LOCK_FILE)}\n`) ?? [];
  const pid = Number(digits ?? 0);
  return pid > 0 && pid < 2 ** 31 ? pid : undefined;
}

function free(file: string, mine: string): void {
  try {
    if (readNow(file, MAX_LOCK_FILE) === mine) Deno.removeSync(file);
  } catch {
    // somebody has cleared it away
  }
}

function cannot(path: string, file: string, cause: unknown): SerialError {
  return new SerialError(
    `${path} cannot be locked by ${file}: ${describeError(cause)}; let the user write there ` +
      "(and --allow-read, --allow-write for it), or leave lock out",
    { cause },
  );
}
