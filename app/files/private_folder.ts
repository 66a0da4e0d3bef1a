/**
 * Folders that hold keys or state: who may read and write there, and what the system says in words that help.
 *
 * @module
 */

import { describeError } from "../../base/errors.ts";
import { ConfigError } from "../toml/config_error.ts";
import { isForUser, isTrouble, MachineError } from "./machine_error.ts";
import type { FileFacts } from "../../net/kernel/native_file.ts";
import { actorFor, currentGroups, currentUser, type PathActor } from "./path_actor.ts";
import { dirname, octal, quote } from "./paths.ts";
import { spotOf } from "./spot.ts";

/** The mode of a folder that bars everybody but its owner. */
const PRIVATE_FOLDER = 0o700;

/** The bit of a folder that hands its group on. */
const SETGID = 0o2000;

/** What is looked at of a file or folder to tell who may read and write it. */
export type Access = Pick<Deno.FileInfo, "mode" | "uid" | "gid">;

/** Makes a folder that only its owner can enter, with all above it; one that is there has to be safe from others. */
export async function ensurePrivateFolder(path: string): Promise<void> {
  const { facts, actor } = await explain("make", path, () => {
    const { actor } = spotOf(path);
    return { actor, facts: statPath(path) ?? makeFolder(path) };
  });
  if (!facts.isDirectory) throw new ConfigError(`Cannot use ${path}: it is not a folder`);
  if (isOpenTo(facts, facts, 0o022, groupsOf(actor))) {
    throw new ConfigError(`Others can write to ${path} (mode ${octal(facts.mode!)}); run: chmod 700 ${quote(path)}`);
  }
}

/**
 * Whether somebody else has any of the rights `bits` (of 077) to what has the mode, owner and group of `info`.
 *
 * A group counts as the owner does if this process is in it and whoever set it up has said that it is meant: by the
 * set-group-ID bit of the folder, which has the same group (Kubernetes' `fsGroup` leaves 2770 and 0660); by root's being the
 * owner, who is not this process; or by a file of root's that nobody may write (a mounted secret, 0440).
 */
export function isOpenTo(info: Access, folder: Access, bits: number, ours: Groups = processGroups): boolean {
  if (info.mode === null) return false; // no such thing here
  const open = info.mode & bits;
  if ((open & 0o007) !== 0) return true;
  if ((open & 0o070) === 0) return false;
  if (!ours.has(info.gid)) return true;
  if (((folder.mode ?? 0) & SETGID) !== 0 && folder.gid === info.gid) return false;
  return info.uid !== 0 || ours.isRoot && (info.mode & 0o222) !== 0;
}

/** The groups of a process. */
export interface Groups {
  /** Whether it is in a group. */
  has(gid: number | null): boolean;
  /** Whether it may do everything anyway. */
  readonly isRoot: boolean;
}

const processGroups: Groups = {
  // Where nobody can tell its groups, the system has let it read all the same.
  has: (gid) => gid !== null && (currentGroups()?.includes(gid) ?? true),
  get isRoot() {
    return currentUser() === 0;
  },
};

/** The same for another user, in whose place root asks: whether that user is in the group is the daemon's to say. */
export function groupsOf(actor: PathActor | undefined): Groups {
  return actor ? { has: () => true, isRoot: false } : processGroups;
}

/**
 * What stands at a path, if something does.
 *
 * @throws {ConfigError} if that cannot be seen; {MachineError} if the machine cannot tell now.
 */
export function statPath(path: string): FileFacts | undefined {
  try {
    return spotOf(path).facts();
  } catch (error) {
    throw explained("look at", path, error);
  }
}

/** Demands that there can be a file: its folder is there, and itself it is none. @throws {ConfigError} if it cannot. */
export function demandFolderOf(path: string): void {
  if (isWithoutFolder(path)) throw new ConfigError(`Cannot use ${path}: ${folderMissing(path)}`);
  if (isFolder(path)) throw new ConfigError(`Cannot use ${path}: it is a folder; name a file in it`);
}

function isFolder(path: string): boolean {
  try {
    return statPath(path)?.isDirectory === true;
  } catch {
    return false; // there is more to say than that
  }
}

function folderMissing(path: string): string {
  return `the folder ${dirname(path)} is not there`;
}

function isWithoutFolder(path: string): boolean {
  try {
    return statPath(dirname(path)) === undefined;
  } catch {
    return false; // there is more to say than that
  }
}

function makeFolder(path: string): FileFacts {
  const above = dirname(path);
  if (above !== path && !statPath(above)) makeFolder(above);
  try {
    spotOf(path).makeFolder(PRIVATE_FOLDER);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error; // by somebody else, a moment ago
  }
  const made = statPath(path);
  if (!made) throw new Deno.errors.NotFound("it is gone again");
  return made;
}

/** Runs `fn`; what the system says becomes a message with what would help. */
export async function explain<T>(doing: string, path: string, fn: () => T | Promise<T>): Promise<T> {
  try {
    return await fn();
  } catch (error) {
    throw explained(doing, path, error);
  }
}

/** What the system said about a file or folder, as a message with what would help. */
export function explained(doing: string, path: string, error: unknown): Error {
  if (isForUser(error)) return error;
  const what = `Cannot ${doing} ${path}`;
  if (isTrouble(error)) return new MachineError(`${what}: ${describeError(error)}`, { cause: error });
  if (error instanceof Deno.errors.NotFound && isWithoutFolder(path)) {
    return new ConfigError(`${what}: ${folderMissing(path)}`, { cause: error });
  }
  if (!(error instanceof Deno.errors.PermissionDenied)) {
    return new ConfigError(`${what}: ${describeError(error)}`, { cause: error });
  }
  const actor = actorOrNone(path);
  const why = actor
    ? `user ${actor.uid}, who has ${actor.place} in hand, may not, and root does not do it for them`
    : "permission denied; run this as the owner, or name another place";
  return new ConfigError(`${what}: ${why}`, { cause: error });
}

function actorOrNone(path: string): PathActor | undefined {
  try {
    return actorFor(path);
  } catch {
    return undefined;
  }
}
