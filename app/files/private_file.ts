/**
 * Files that hold keys or state: nobody else can read them, no crash leaves half of one, and root who touches them does so as
 * whoever has the folder.
 *
 * @module
 */

import { MAX_STATE_FILE } from "../limits.ts";
import { ConfigError } from "../toml/config_error.ts";
import type { FileFacts } from "../../net/kernel/native_file.ts";
import { octal, quote } from "./paths.ts";
import { explain, explained, groupsOf, isOpenTo } from "./private_folder.ts";
import { replaceFile, type Room } from "./replace_file.ts";
import { type Spot, spotOf } from "./spot.ts";

export { withLock } from "./folder_lock.ts";
export { LOCK_TIMEOUT_MS } from "../limits.ts";
export { ensurePrivateFolder } from "./private_folder.ts";

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
    // First by a thread: a disk that is slow to find it holds up nobody, and whoever reads again and again gives way.
    if (!spotOf(path).actor) await Deno.stat(path).catch(() => {});
    return readNow(path, secret);
  });
}

/** As {@linkcode readPrivateFile}, without waiting, for what has no secrets. */
export function readStateFileSync(path: string): string | undefined {
  try {
    return readNow(path, false);
  } catch (error) {
    throw explained("read", path, error);
  }
}

/** What changes when a file does; `missing` if it is not there, and what the system says if it cannot be looked at. */
export function stampOf(path: string): string {
  try {
    const facts = spotOf(path).facts();
    return facts ? [facts.mtime, facts.ctime, facts.size, facts.ino].join() : "missing";
  } catch (error) {
    return String(error);
  }
}

/** Removes a file, if it is there and that can be done. */
export function removeStateFile(path: string): void {
  try {
    spotOf(path).remove();
  } catch {
    // Nothing depends on it.
  }
}

/** Such files are small, and are read once in a while: not worth a thread. */
function readNow(path: string, secret: boolean): string | undefined {
  const spot = spotOf(path);
  const found = spot.facts();
  if (!found) return undefined;
  if (!found.isFile) throw new ConfigError(`Cannot read ${path}: it is not a file`); // a pipe would have us wait for ever
  if (secret) demandPrivate(spot, found);
  return spot.readText(MAX_STATE_FILE);
}

function demandPrivate(spot: Spot, found: FileFacts): void {
  const folder = spot.target().folder().facts() ?? found;
  if (!isOpenTo(found, folder, 0o077, groupsOf(spot.actor))) return;
  const whose = isOpenTo(found, folder, 0o007) ? "Others" : "Its group, which its folder does not hand on (g+s),";
  throw new ConfigError(
    `${whose} can read or write ${spot.path} (mode ${octal(found.mode!)}); run: chmod 600 ${quote(spot.path)}`,
  );
}
