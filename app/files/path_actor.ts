/**
 * As whom root touches a path: where another user could put anything in the way, as that user, who then gains nothing.
 *
 * Root who writes into a folder of the daemon's user would otherwise follow that user's links to where only root may go. No
 * look beforehand helps, since what was looked at may be another thing a moment later. With the rights of whoever has the
 * folder, whatever stands there leads to what they could have done by themselves.
 *
 * @module
 */

import { MAX_LINKS } from "../limits.ts";
import { ConfigError } from "../toml/config_error.ts";
import {
  groupsOfUser,
  ownGroups,
  type SystemCalls,
  systemCalls,
  withFileRights,
} from "../../net/kernel/system_calls.ts";

/** Another user, as whom root has to touch a path. */
export interface PathActor {
  /** The user who has the path in hand. */
  readonly uid: number;
  /** That user's groups, the first one first. */
  readonly groups: readonly number[];
  /** What is that user's, on the way to the path. */
  readonly place: string;
  /** The last folder on the way that root has found by itself: nobody but root could have led it there. */
  readonly base: string;
  /** The rest of the way, from there. */
  readonly rest: string;
}

/** The group of a user whom this machine does not know: nobody's. */
const NO_GROUP = 65_534;

/** What is asked of the system; tests have their own. */
export interface PathSystem {
  /** Whether this process may do everything. */
  isRoot(): boolean;
  /** The groups that this process is in. */
  groups(): readonly number[];
  /** A user's groups, the first one first. */
  groupsOf(uid: number): readonly number[];
}

const system: PathSystem = {
  isRoot: () => currentUser() === 0,
  groups: () => withCalls(ownGroups) ?? [0],
  groupsOf: (uid) => withCalls((calls) => groupsOfUser(calls, uid)) ?? [NO_GROUP],
};

/** The groups of this process, if they are known. */
export function currentGroups(): readonly number[] | undefined {
  return withCalls(ownGroups);
}

/** The user of this process; `null` where there is no such thing. */
export function currentUser(): number | null {
  try {
    return Deno.uid();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return null;
    throw error;
  }
}

/**
 * Who has `path` in hand: the first other user to whom a folder or a link on the way to it belongs. Only root has to ask.
 *
 * @throws {ConfigError} if just anybody could put something in the way; what the system says if it cannot be looked at.
 */
export function actorFor(path: string, { isRoot, groups, groupsOf }: PathSystem = system): PathActor | undefined {
  if (Deno.build.os === "windows" || !isRoot()) return undefined;
  const ahead = partsOf(path.startsWith("/") ? path : `${Deno.cwd()}/${path}`);
  const actor = (uid: number, base: string, way: readonly string[], place = base) => {
    return { uid, groups: groupsOf(uid), place: place || "/", base: base || "/", rest: way.join("/") };
  };
  let at = "";
  let links = 0;
  for (;;) {
    const folder = Deno.lstatSync(at || "/");
    if (folder.uid) return actor(folder.uid, at, ahead);
    const shared = isShared(folder, groups);
    if (shared && !((folder.mode ?? 0) & 0o1000)) {
      throw new ConfigError(
        `Others can write to ${at || "/"} (mode ${((folder.mode ?? 0) & 0o7777).toString(8)}), ` +
          `and could lead root astray; run: chmod go-w ${at || "/"}`,
      );
    }
    let next = ahead.shift();
    while (next === ".." && at === "") next = ahead.shift();
    if (next === undefined) return undefined;
    if (next === "..") {
      at = at.slice(0, at.lastIndexOf("/"));
      continue;
    }
    const name = `${at}/${next}`;
    const entry = lstat(name);
    if (!entry) return undefined; // root makes it, where nobody else can
    if (entry.isSymlink) {
      if (entry.uid) return actor(entry.uid, at, [next, ...ahead], name);
      if (shared) throw new ConfigError(`${name} is a link where others can put links; name the place itself`);
      if (++links > MAX_LINKS) throw new ConfigError(`Cannot use ${path}: too many symbolic links`);
      const target = Deno.readLinkSync(name);
      if (target.startsWith("/")) at = "";
      ahead.unshift(...partsOf(target));
      continue;
    }
    if (!entry.isDirectory) return shared && entry.uid ? actor(entry.uid, at, [next, ...ahead], name) : undefined;
    at = name;
  }
}

/**
 * Runs `fn`, which must not wait for anything, with the rights of `actor` to files.
 *
 * @throws {ConfigError} if this process cannot do that.
 */
export function actAs<T>({ uid, groups, place }: PathActor, fn: (calls: SystemCalls) => T): T {
  const calls = systemCalls();
  const instead = `user ${uid} has ${place} in hand, and could lead root astray; run this as that user`;
  if (!calls) throw new ConfigError(`${instead}, as this system or its permissions do not let root act for others`);
  let entered = false;
  try {
    return withFileRights(calls, uid, groups, () => {
      entered = true;
      return fn(calls);
    });
  } catch (error) {
    if (entered) throw error;
    throw new ConfigError(`${instead}, as this process may not act for others`, { cause: error });
  }
}

/** Whether others than root can write: everybody, or a group that root is not in. */
function isShared({ mode, gid }: Deno.FileInfo, groups: () => readonly number[]): boolean {
  const bits = mode ?? 0;
  return (bits & 0o002) !== 0 || (bits & 0o020) !== 0 && gid !== 0 && !groups().includes(gid ?? -1);
}

function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

function lstat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function withCalls<T>(fn: (calls: SystemCalls) => T): T | undefined {
  const calls = systemCalls();
  return calls && fn(calls);
}
