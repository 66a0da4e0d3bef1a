/**
 * Replacing a file, whole or not at all, and what is left of that after a crash.
 *
 * @module
 */

import { errorCode } from "../../base/errors.ts";
import { ConfigError } from "../toml/config_error.ts";
import type { FileFacts, StateFile } from "../../net/kernel/native_file.ts";
import type { PathActor } from "./path_actor.ts";
import { unlessMissing } from "./paths.ts";
import { type Spot, spotOf } from "./spot.ts";

/**
 * What to do where no other file can be made beside it, or put in its place (a full disk, a file that is mounted by itself): to
 * fail, or to write over what is there.
 */
export type Room = "needed" | "in-place";

/** Behind the name of a file: another one that is on its way to its place. */
const TEMPORARY = /^(.+)\.[0-9a-f]{8}\.sp\.tmp$/;

/** Behind the name of a file that is written over: what it was, until that is done. */
export const KEPT = ".kept";

/** What says that a file cannot be replaced, but perhaps be written. */
const NO_ROOM = new Set(["ENOSPC", "EDQUOT", "EBUSY", "EROFS", "EACCES", "EPERM", "EXDEV"]);

/**
 * Temporary file in the same folder, synced, then renamed: whoever reads sees the old text or the new one.
 *
 * @param modeAfter The mode to give it, by the one that it has.
 * @throws what the system says.
 */
export async function replaceFile(
  given: string,
  text: string,
  modeAfter: (before: number | undefined) => number,
  room: Room,
): Promise<void> {
  const spot = spotOf(given).target(); // a link stays a link, and is followed as whoever has it in hand
  const before = spot.facts();
  if (before && !before.isFile) throw new ConfigError(`Cannot write ${given}: it is not a file`);
  const bytes = new TextEncoder().encode(text);
  try {
    await putInPlace(spot, bytes, modeAfter(before?.mode ?? undefined), before);
  } catch (error) {
    if (room === "needed" || !before || !NO_ROOM.has(errorCode(error) ?? "")) throw error;
    await writeOver(spot, bytes).catch(() => {
      throw error;
    });
  }
}

async function putInPlace(spot: Spot, bytes: Uint8Array, mode: number, before: FileFacts | undefined): Promise<void> {
  const temporary = spot.beside(temporarySuffix());
  try {
    {
      using file = temporary.open("new", mode);
      await writeAll(file, bytes);
      await file.sync();
    }
    if (before) temporary.giveTo(before); // root's edit of the file of somebody else leaves it theirs
    temporary.replace(spot);
  } catch (error) {
    unlessMissing(() => temporary.remove()); // it may never have been made
    throw error;
  }
  await syncFolder(spot.folder());
}

function temporarySuffix(): string {
  const random = crypto.getRandomValues(new Uint32Array(1))[0]!;
  return `.${random.toString(16).padStart(8, "0")}.sp.tmp`;
}

/**
 * Writes over a file where it stands. A shorter text goes with line ends behind it, in one piece, before they are cut off: so
 * whoever reads meanwhile sees the old text or the new one. What goes wrong is undone, as what was there has its room.
 */
async function writeOver(spot: Spot, bytes: Uint8Array): Promise<void> {
  using file = spot.open("edit"); // for reading as well: opening a pipe waits for nobody then
  const { isFile, nlink, size } = file.facts();
  if (!isFile || (nlink ?? 1) > 1) throw new ConfigError(`Cannot write ${spot.path}: it has another name`);
  const old = new Uint8Array(size);
  await readAll(file, old);
  const kept = await keepCopy(spot.beside(KEPT), old);
  const padded = new Uint8Array(Math.max(size, bytes.length)).fill(10);
  padded.set(bytes);
  try {
    await putAll(file, padded, bytes.length);
    const check = new Uint8Array(bytes.length);
    await readAll(file, check);
    if (!check.every((byte, at) => byte === bytes[at])) throw new Error("what was written is not what is there");
  } catch (error) {
    await putAll(file, old, size);
    throw error;
  } finally {
    kept?.();
  }
}

/** Keeps what was there, where there is room, until it is written over: a crash may come. @returns what removes it. */
async function keepCopy(copy: Spot, bytes: Uint8Array): Promise<(() => void) | undefined> {
  const remove = () => unlessMissing(() => copy.remove());
  try {
    remove();
    using file = copy.open("new");
    await writeAll(file, bytes);
    await file.sync();
    return remove;
  } catch {
    try {
      remove(); // half a copy is none
    } catch {
      // Nor can it be removed, then, and it never was.
    }
    return undefined;
  }
}

async function putAll(file: StateFile, bytes: Uint8Array, size: number): Promise<void> {
  await file.rewind();
  await writeAll(file, bytes);
  await file.sync();
  await file.truncate(size);
  await file.sync();
}

async function readAll(file: StateFile, into: Uint8Array): Promise<void> {
  await file.rewind();
  for (let at = 0; at < into.length;) {
    const count = await file.read(into.subarray(at));
    if (count === null) throw new Error("the file was cut short meanwhile");
    at += count;
  }
}

async function writeAll(file: StateFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

/** Makes a rename survive a power cut, where the file system can. */
async function syncFolder(folder: Spot): Promise<void> {
  try {
    using file = folder.open("read");
    await file.sync();
  } catch {
    // Some systems cannot open folders; the rename itself is done.
  }
}

/**
 * Demands that a file can be written as it stands, or made: asked before something is promised that takes it.
 *
 * @param actor Who will write it, if that is another user.
 * @throws what the system says if not.
 */
export function demandWritable(path: string, actor?: PathActor): void {
  const spot = spotOf(path, actor).target();
  if (spot.facts()) return spot.open("edit")[Symbol.dispose]();
  const probe = spot.beside(temporarySuffix());
  probe.open("new")[Symbol.dispose]();
  probe.remove();
}

/**
 * Removes what a crash left beside files of a folder. To be called while nobody else writes them.
 *
 * @param mine Whose leftovers count, by the name of the file.
 * @param before The time, in milliseconds since 1970, that they are older than.
 * @returns how many there were.
 */
export function sweepLeftovers(folder: string, mine: (name: string) => boolean, before = Infinity): number {
  const spot = spotOf(folder);
  let count = 0;
  for (const name of spot.names()) {
    const [, file] = TEMPORARY.exec(name) ?? [];
    if (file === undefined || !mine(file)) continue;
    const leftover = spot.within(name);
    const facts = leftover.ownFacts();
    if (!facts?.isFile || before !== Infinity && (facts.mtime ?? Infinity) >= before) continue;
    unlessMissing(() => leftover.remove());
    count++;
  }
  return count;
}
