/**
 * Files that hold keys or state: nobody else can read them, and no crash leaves half of one.
 *
 * @module
 */

import { describeError } from "../net/errors.ts";
import { ConfigError } from "./config_error.ts";

/** Largest file that is read, in bytes. */
export const MAX_STATE_FILE = 16 * 1024 * 1024;

/** Milliseconds that somebody waits for the lock of a folder. */
export const LOCK_TIMEOUT_MS = 10_000;

/** The modes that bar everybody but the owner. */
const PRIVATE_FILE = 0o600;
const PRIVATE_FOLDER = 0o700;

/** Name of the file that {@linkcode withLock} locks. */
const LOCK_FILE = ".lock";

/** Makes a folder that only its owner can enter, with all above it; one that is there has to be safe from others. */
export async function ensurePrivateFolder(path: string): Promise<void> {
  const { mode, isDirectory } = await explain("make", path, async () => {
    if (!await unlessMissing(Deno.stat(path))) await makeFolder(path);
    return await Deno.stat(path);
  });
  if (!isDirectory) throw new ConfigError(`Cannot use ${path}: it is not a folder`);
  if (mode !== null && (mode & 0o022) !== 0) {
    throw new ConfigError(`Others can write to ${path} (mode ${octal(mode)}); run: chmod 700 ${quote(path)}`);
  }
}

/** Writes a file that only its owner can read, whole or not at all. */
export function writePrivateFile(path: string, text: string): Promise<void> {
  return replaceFile(path, text, PRIVATE_FILE);
}

/** As {@linkcode writePrivateFile}, but a file that is there keeps its mode: for what has no secrets. */
export async function writeStateFile(path: string, text: string): Promise<void> {
  const before = await explain("read", path, () => unlessMissing(Deno.stat(path)));
  await replaceFile(path, text, before?.mode ? before.mode & 0o777 : PRIVATE_FILE);
}

/**
 * Reads a file, if it is there.
 *
 * @throws {ConfigError} if it cannot be read, or holds secrets (`secret`, the default) and others can read or write it.
 */
export async function readPrivateFile(path: string, secret = true): Promise<string | undefined> {
  const found = await explain("read", path, () => unlessMissing(Deno.stat(path))); // opening a pipe would wait for ever
  if (!found) return undefined;
  const { mode, size, isFile } = found;
  if (!isFile) throw new ConfigError(`Cannot read ${path}: it is not a file`);
  if (secret && mode !== null && (mode & 0o077) !== 0) {
    throw new ConfigError(`Others can read or write ${path} (mode ${octal(mode)}); run: chmod 600 ${quote(path)}`);
  }
  if (size > MAX_STATE_FILE) throw new ConfigError(`Cannot read ${path}: it has ${size} bytes, more than 16 MiB`);
  return await explain("read", path, () => Deno.readTextFile(path));
}

/**
 * Runs `fn` while nobody else does so with the same folder, in this process or another.
 *
 * @throws {ConfigError} if it is somebody else's turn for too long.
 */
export async function withLock<T>(folder: string, fn: () => Promise<T>, timeout = LOCK_TIMEOUT_MS): Promise<T> {
  await ensurePrivateFolder(folder);
  const file = await openLockFile(`${folder}/${LOCK_FILE}`, folder);
  const locked = file.lock(true);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"late">((resolve) => timer = setTimeout(() => resolve("late"), timeout));
  try {
    if (await Promise.race([locked, late]) === "late") {
      locked.then(() => file.close(), () => file.close()); // a lock that is asked for cannot be called off
      throw new ConfigError(`Cannot lock ${folder}: another process has held it for ${timeout / 1000} s; try again`);
    }
  } finally {
    clearTimeout(timer);
  }
  try {
    return await fn();
  } finally {
    file.close(); // which unlocks it
  }
}

/** Opens a file to lock, and makes it if it is not there. */
export async function openLockFile(path: string, folder: string): Promise<Deno.FsFile> {
  const options = { read: true, write: true, create: true, mode: PRIVATE_FILE };
  const file = await explain("lock", path, () => Deno.open(path, options));
  await giveToOwner(path, folder);
  return file;
}

async function makeFolder(path: string): Promise<void> {
  const above = dirname(path);
  if (above !== path && !await unlessMissing(Deno.stat(above))) await makeFolder(above);
  try {
    await Deno.mkdir(path, { mode: PRIVATE_FOLDER });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return; // by somebody else, a moment ago
    throw error;
  }
  await giveToOwner(path, above);
}

/** Temporary file in the same folder, synced, then renamed: whoever reads sees the old text or the new one. */
async function replaceFile(given: string, text: string, mode: number): Promise<void> {
  await explain("write", given, async () => {
    const path = await unlessMissing(Deno.realPath(given)) ?? given; // a link stays a link
    const folder = dirname(path);
    const random = crypto.getRandomValues(new Uint32Array(1))[0]!.toString(36);
    const temporary = `${path}.${random}.tmp`;
    try {
      {
        using file = await Deno.open(temporary, { write: true, createNew: true, mode });
        const bytes = new TextEncoder().encode(text);
        for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
        await file.sync();
      }
      await giveToOwner(temporary, await unlessMissing(Deno.stat(path)) ? path : folder);
      await Deno.rename(temporary, path);
    } catch (error) {
      await Deno.remove(temporary).catch(() => {}); // it may never have been made
      throw error;
    }
    await syncFolder(folder);
  });
}

/** What root writes in a folder of the daemon's user has to stay readable for that daemon. */
async function giveToOwner(path: string, like: string): Promise<void> {
  const [mine, theirs] = await Promise.all([Deno.stat(path), Deno.stat(like)]);
  if (mine.uid === theirs.uid || theirs.uid === null || theirs.gid === null) return;
  await Deno.chown(path, theirs.uid, theirs.gid).catch(() => {}); // only root can, and only root has to
}

/** Makes a rename survive a power cut, where the file system can. */
async function syncFolder(folder: string): Promise<void> {
  try {
    using file = await Deno.open(folder);
    await file.sync();
  } catch {
    // Some systems cannot open folders; the rename itself is done.
  }
}

/** Runs `fn`; what the system says becomes a message with what would help. */
async function explain<T>(doing: string, path: string, fn: () => Promise<T>): Promise<T> {
  try {
    return await fn();
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const denied = error instanceof Deno.errors.PermissionDenied;
    const why = denied ? "permission denied; run this as the owner, or name another place" : describeError(error);
    throw new ConfigError(`Cannot ${doing} ${path}: ${why}`, { cause: error });
  }
}

async function unlessMissing<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function dirname(path: string): string {
  const slash = path.replace(/\/+$/, "").lastIndexOf("/");
  return slash < 0 ? "." : path.slice(0, slash) || "/";
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}

/** A path as a shell takes it. */
function quote(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
