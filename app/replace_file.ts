/**
 * Replacing a file, whole or not at all, and what is left of that after a crash.
 *
 * @module
 */

import { errorCode } from "../net/errors.ts";
import { ConfigError } from "./config_error.ts";
import { actAs, actorFor, type PathActor } from "./path_actor.ts";
import { dirname, unlessMissing } from "./private_folder.ts";

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
  const actor = actorFor(given); // as whom all is done, wherever links lead
  const path = actAs(actor, () => unlessMissing(() => Deno.realPathSync(given))) ?? given; // a link stays a link
  const before = actAs(actor, () => unlessMissing(() => Deno.statSync(path)));
  if (before && !before.isFile) throw new ConfigError(`Cannot write ${given}: it is not a file`);
  const bytes = new TextEncoder().encode(text);
  try {
    await putInPlace(actor, path, bytes, modeAfter(before?.mode ?? undefined), before);
  } catch (error) {
    if (room === "needed" || !before || !NO_ROOM.has(errorCode(error) ?? "")) throw error;
    await writeOver(actor, path, bytes).catch(() => {
      throw error;
    });
  }
}

async function putInPlace(
  actor: PathActor | undefined,
  path: string,
  bytes: Uint8Array,
  mode: number,
  before: Deno.FileInfo | undefined,
): Promise<void> {
  const temporary = temporaryName(path);
  try {
    {
      using file = actAs(actor, () => Deno.openSync(temporary, { write: true, createNew: true, mode }));
      await writeAll(file, bytes);
      await file.sync();
    }
    actAs(actor, () => {
      if (before) Deno.chmodSync(temporary, mode); // whatever the umask took away
      keepOwner(temporary, before);
      Deno.renameSync(temporary, path);
    });
  } catch (error) {
    // It may never have been made.
    actAs(actor, () => unlessMissing(() => Deno.removeSync(temporary)));
    throw error;
  }
  await syncFolder(actor, dirname(path));
}

function temporaryName(path: string): string {
  const random = crypto.getRandomValues(new Uint32Array(1))[0]!;
  return `${path}.${random.toString(16).padStart(8, "0")}.sp.tmp`;
}

/** Root's edit of the file of somebody else, in a folder of root's, leaves it theirs; and a group stays if it can. */
function keepOwner(path: string, before: Deno.FileInfo | undefined): void {
  if (!before || before.uid === null) return;
  const { uid, gid } = Deno.statSync(path);
  try {
    if (uid !== before.uid) Deno.chownSync(path, before.uid, before.gid);
    else if (gid !== before.gid) Deno.chownSync(path, null, before.gid);
  } catch {
    // Only root can, and only in such a folder has to.
  }
}

/**
 * Writes over a file where it stands. A shorter text goes with line ends behind it, in one piece, before they are cut off: so
 * whoever reads meanwhile sees the old text or the new one. What goes wrong is undone, as what was there has its room.
 */
async function writeOver(actor: PathActor | undefined, path: string, bytes: Uint8Array): Promise<void> {
  // For reading as well: opening a pipe waits for nobody then.
  using file = actAs(actor, () => Deno.openSync(path, { read: true, write: true }));
  const { isFile, nlink, size } = await file.stat();
  if (!isFile || (nlink ?? 1) > 1) throw new ConfigError(`Cannot write ${path}: it has another name`);
  const old = new Uint8Array(size);
  await readAll(file, old);
  const kept = await keepCopy(actor, `${path}${KEPT}`, old);
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
async function keepCopy(actor: PathActor | undefined, path: string, bytes: Uint8Array) {
  const remove = () => actAs(actor, () => unlessMissing(() => Deno.removeSync(path)));
  try {
    remove();
    using file = actAs(actor, () => Deno.openSync(path, { write: true, createNew: true, mode: 0o600 }));
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

async function putAll(file: Deno.FsFile, bytes: Uint8Array, size: number): Promise<void> {
  await file.seek(0, Deno.SeekMode.Start);
  await writeAll(file, bytes);
  await file.sync();
  await file.truncate(size);
  await file.sync();
}

async function readAll(file: Deno.FsFile, into: Uint8Array): Promise<void> {
  await file.seek(0, Deno.SeekMode.Start);
  for (let at = 0; at < into.length;) {
    const count = await file.read(into.subarray(at));
    if (count === null) throw new Error("the file was cut short meanwhile");
    at += count;
  }
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

/** Makes a rename survive a power cut, where the file system can. */
async function syncFolder(actor: PathActor | undefined, folder: string): Promise<void> {
  try {
    using file = actAs(actor, () => Deno.openSync(folder));
    await file.sync();
  } catch {
    // Some systems cannot open folders; the rename itself is done.
  }
}

/**
 * Demands that a file can be written as it stands, or made: asked before something is promised that takes it.
 *
 * @param actor Who will write it, if not this process.
 * @throws what the system says if not.
 */
export function demandWritable(path: string, actor: PathActor | undefined = actorFor(path)): void {
  actAs(actor, () => {
    const there = unlessMissing(() => Deno.statSync(path));
    if (there) return Deno.openSync(path, { read: true, write: true }).close();
    const probe = temporaryName(path);
    Deno.openSync(probe, { write: true, createNew: true, mode: 0o600 }).close();
    Deno.removeSync(probe);
  });
}

/**
 * Removes what a crash left beside files of a folder. To be called while nobody else writes them.
 *
 * @param mine Whose leftovers count, by the name of the file.
 * @param before The time, in milliseconds since 1970, that they are older than.
 * @returns how many there were.
 */
export function sweepLeftovers(folder: string, mine: (name: string) => boolean, before = Infinity): number {
  const actor = actorFor(folder);
  return actAs(actor, () => {
    let count = 0;
    for (const { name, isFile } of Deno.readDirSync(folder)) {
      const [, file] = TEMPORARY.exec(name) ?? [];
      if (!isFile || file === undefined || !mine(file)) continue;
      const path = `${folder}/${name}`;
      const written = unlessMissing(() => Deno.lstatSync(path))?.mtime?.getTime() ?? Infinity;
      if (before !== Infinity && written >= before) continue;
      unlessMissing(() => Deno.removeSync(path));
      count++;
    }
    return count;
  });
}
