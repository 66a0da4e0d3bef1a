/**
 * Files that hold keys or state: nobody else can read them, no crash leaves half of one, and root who touches them does so as
 * whoever has the folder.
 *
 * @module
 */

import { ConfigError } from "./config_error.ts";
import { actAs, actorFor, type PathActor } from "./path_actor.ts";
import { dirname, explain, explained, groupsOf, isOpenTo, octal, quote, unlessMissing } from "./private_folder.ts";
import { replaceFile, type Room } from "./replace_file.ts";
import { openDescriptor, readDescriptor, statDescriptor, systemCalls } from "./system_calls.ts";

export { LOCK_TIMEOUT_MS, withLock } from "./folder_lock.ts";
export { ensurePrivateFolder } from "./private_folder.ts";

/** Largest file that is read, in bytes. */
export const MAX_STATE_FILE = 16 * 1024 * 1024;

/** The mode that bars everybody but the owner. */
const PRIVATE_FILE = 0o600;

/**
 * Writes a file that only its owner can read, whole or not at all.
 *
 * @param room What to do if there is no room for another file beside it.
 * @throws {MachineError} if the machine cannot now; {ConfigError} if this user may not.
 */
export async function writePrivateFile(path: string, text: string, room: Room = "needed"): Promise<void> {
  await explain("write", path, () => replaceFile(path, text, () => PRIVATE_FILE, room));
}

/** As {@linkcode writePrivateFile}, but a file that is there keeps its mode: for what has no secrets. */
export async function writeStateFile(path: string, text: string): Promise<void> {
  const mode = (before: number | undefined) => before === undefined ? PRIVATE_FILE : before & 0o777;
  await explain("write", path, () => replaceFile(path, text, mode, "in-place"));
}

/**
 * Reads a file, if it is there.
 *
 * @throws {ConfigError} if it cannot be read, or holds secrets (`secret`, the default) and others can read or write it.
 */
export function readPrivateFile(path: string, secret = true): Promise<string | undefined> {
  return explain("read", path, async () => {
    const actor = actorFor(path);
    if (actor) return actAs(actor, () => readFound(path, unlessMissing(() => Deno.statSync(path)), secret, actor));
    return readFound(path, await missingAsNone(Deno.stat(path)), secret);
  });
}

/** As {@linkcode readPrivateFile}, without waiting, for what has no secrets. */
export function readStateFileSync(path: string): string | undefined {
  try {
    const actor = actorFor(path);
    return actAs(actor, () => readFound(path, unlessMissing(() => Deno.statSync(path)), false, actor));
  } catch (error) {
    throw explained("read", path, error);
  }
}

/** What changes when a file does; `missing` if it is not there, and what the system says if it cannot be looked at. */
export function stampOf(path: string): string {
  try {
    const { mtime, ctime, size, ino } = actAs(actorFor(path), () => Deno.statSync(path));
    return [mtime?.getTime(), ctime?.getTime(), size, ino].join();
  } catch (error) {
    return error instanceof Deno.errors.NotFound ? "missing" : String(error);
  }
}

/** Removes a file, if it is there and that can be done. */
export function removeStateFile(path: string): void {
  try {
    actAs(actorFor(path), () => Deno.removeSync(path));
  } catch {
    // Nothing depends on it.
  }
}

/** Such files are small, and are read once in a while: their text is not worth a thread. */
function readFound(
  path: string,
  found: Deno.FileInfo | undefined,
  secret: boolean,
  actor?: PathActor,
): string | undefined {
  if (!found) return undefined;
  if (!found.isFile) throw new ConfigError(`Cannot read ${path}: it is not a file`); // a pipe would have us wait for ever
  if (secret) demandPrivate(path, found, actor);
  if (found.size > MAX_STATE_FILE) {
    throw new ConfigError(`Cannot read ${path}: it has ${found.size} bytes, more than 16 MiB`);
  }
  return readText(path);
}

function demandPrivate(path: string, found: Deno.FileInfo, actor: PathActor | undefined): void {
  const folder = Deno.statSync(dirname(Deno.realPathSync(path)));
  if (!isOpenTo(found, folder, 0o077, groupsOf(actor))) return;
  const whose = isOpenTo(found, folder, 0o007) ? "Others" : "Its group, which its folder does not hand on (g+s),";
  throw new ConfigError(
    `${whose} can read or write ${path} (mode ${octal(found.mode!)}); run: chmod 600 ${quote(path)}`,
  );
}

async function missingAsNone<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** It may be a pipe by now, where others can put one: opening it does not wait then. */
function readText(path: string): string {
  const calls = systemCalls();
  if (!calls) return Deno.readTextFileSync(path);
  const fd = openDescriptor(calls, path, 0, { follow: true });
  try {
    if (!statDescriptor(calls, fd, path).isFile) throw new ConfigError(`Cannot read ${path}: it is not a file`);
    return new TextDecoder(undefined, { ignoreBOM: true }).decode(readDescriptor(calls, fd, path, MAX_STATE_FILE));
  } finally {
    calls.close(fd);
  }
}
