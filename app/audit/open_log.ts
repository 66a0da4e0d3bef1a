/**
 * A file that lines are added to: nobody else can read one that is made here; what is no file is refused, and what
 * another user may have put there.
 *
 * @module
 */

import { dirname, quote, unlessMissing } from "../files/paths.ts";
import { ConfigError } from "../toml/config_error.ts";

/** Such a file. */
export interface OpenLog {
  /** Bytes that it has, as far as is known here. */
  readonly size: number;
  /** Adds all of `bytes`. @throws What the system says; some of them may be there then. */
  write(bytes: Uint8Array): Promise<void>;
  /** Whether it is the one that stands at a path. */
  isAt(path: string): Promise<boolean>;
  close(): void;
}

/** Opens it. @throws What the system says; {ConfigError} if something else stands there. */
export async function openLog(path: string): Promise<OpenLog> {
  demandSafe(path);
  const file = await Deno.open(path, { append: true, create: true, mode: 0o600 });
  let size: number;
  let ino: number | null;
  try {
    ({ size, ino } = await file.stat());
    demandSafe(path, ino); // nothing has been written yet
  } catch (error) {
    file.close();
    throw error;
  }
  return {
    get size() {
      return size;
    },
    async write(bytes) {
      for (let at = 0; at < bytes.length;) {
        const count = await file.write(bytes.subarray(at));
        at += count;
        size += count;
      }
    },
    async isAt(path) {
      return await inodeOf(path) === ino;
    },
    close: () => file.close(),
  };
}

/** Gives the file at a path the name of it with `.1` behind, that one `.2`, and so on; the last of `kept` is removed. */
export async function putAside(path: string, kept: number): Promise<void> {
  for (let at = kept; at >= 1; at--) {
    try {
      await Deno.rename(at === 1 ? path : `${path}.${at - 1}`, `${path}.${at}`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** Adds one line to a file that is there, as a command does beside the daemon. @returns whether it is there. */
export function addLine(path: string, line: string): boolean {
  let file: Deno.FsFile;
  try {
    if (!Deno.statSync(path).isFile) return false;
    demandSafe(path);
    file = Deno.openSync(path, { append: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
  try {
    file.writeSync(new TextEncoder().encode(line)); // in one piece: lines of two writers do not mix
  } finally {
    file.close();
  }
  return true;
}

/**
 * Demands that what stands at a path is a file, if anything, and that no other user led there: by a link, or by a file or
 * a link where everybody may put one. `ino`: what was opened, which it still has to be.
 *
 * @throws {ConfigError} if not.
 */
function demandSafe(path: string, ino?: number | null): void {
  const folder = dirname(path);
  const { mode } = Deno.statSync(folder);
  const isOpen = ((mode ?? 0) & 0o002) !== 0;
  if (isOpen && ((mode ?? 0) & 0o1000) === 0) {
    const why = `everybody can write to ${folder}, and put something else in its place`;
    throw new ConfigError(`Cannot write ${path}: ${why}; run: chmod o-w ${quote(folder)}`);
  }
  const own = unlessMissing(() => Deno.lstatSync(path));
  if (!own) return;
  if ((own.isSymlink || isOpen) && own.uid !== null && own.uid !== 0 && own.uid !== Deno.uid()) {
    const what = own.isSymlink ? "a link" : "a file";
    throw new ConfigError(`Cannot write ${path}: it is ${what} of another user's (uid ${own.uid})`);
  }
  const found = own.isSymlink ? unlessMissing(() => Deno.statSync(path)) : own;
  // A pipe would have its writer wait for a reader.
  if (found && !found.isFile) throw new ConfigError(`Cannot write ${path}: it is not a file`);
  if (ino !== undefined && found?.ino !== ino) throw new ConfigError(`Cannot write ${path}: it is moved just now`);
}

async function inodeOf(path: string): Promise<number | null | undefined> {
  try {
    return (await Deno.stat(path)).ino;
  } catch {
    return undefined;
  }
}
