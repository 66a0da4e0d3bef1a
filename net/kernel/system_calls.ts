/**
 * What the system calls that the runtime does not offer are used for with files: acting as another user for a moment, and
 * their errors.
 *
 * They take Linux and the permission `ffi`; whoever asks has to do without them elsewhere.
 *
 * @module
 */

import { MAX_GROUPS } from "../limits.ts";
import { type Calls, libc } from "./libc.ts";

/** The calls of `net/kernel/libc.ts`, where they are all there. */
export type SystemCalls = Calls & { readonly statx: NonNullable<Calls["statx"]> };

/** Numbers of `setgroups`: that of the C library would change all threads. */
const SETGROUPS: Partial<Record<typeof Deno.build.arch, bigint>> = { x86_64: 116n, aarch64: 159n };

/** The calls, if this system and the permissions have them. Never asks the user. */
export function systemCalls(): SystemCalls | undefined {
  const calls = libc();
  return calls && isWhole(calls) && SETGROUPS[Deno.build.arch] !== undefined ? calls : undefined;
}

function isWhole(calls: Calls): calls is SystemCalls {
  return calls.statx !== null;
}

/** The groups of this process, in which it may do what a group may. */
export function ownGroups(calls: SystemCalls): number[] {
  return [calls.getegid(), ...supplementaryGroups(calls)];
}

function supplementaryGroups(calls: SystemCalls): Uint32Array<ArrayBuffer> {
  const count = calls.getgroups(0, new Uint32Array(1));
  const groups = new Uint32Array(Math.max(1, Math.min(count, MAX_GROUPS)));
  return groups.slice(0, Math.max(0, calls.getgroups(groups.length, groups)));
}

/** The groups of a user, the first one first; `undefined` for a user whom this machine does not know. */
export function groupsOfUser(calls: SystemCalls, uid: number): number[] | undefined {
  const entry = calls.getpwuid(uid); // struct passwd: name, password, uid, gid
  if (entry === null) return undefined;
  const view = new Deno.UnsafePointerView(entry);
  const [name, gid] = [view.getPointer(0), view.getUint32(20)];
  for (const room of [64, MAX_GROUPS]) {
    const [groups, count] = [new Uint32Array(room), Int32Array.of(room)];
    if (calls.getgrouplist(name, gid, groups, count) >= 0) return [gid, ...groups.subarray(0, count[0])];
  }
  return [gid];
}

/**
 * Runs `fn` with the rights that `uid` and `groups` (the first one first) have to files, and no others; only this thread changes, and only while `fn`
 * runs. So `fn` must not wait for anything.
 *
 * @throws {Deno.errors.PermissionDenied} if this process may not do that.
 */
export function withFileRights<T>(calls: SystemCalls, uid: number, groups: readonly number[], fn: () => T): T {
  const ownGroups = supplementaryGroups(calls);
  const gid = groups[0]!;
  const ownGroup = calls.setfsgid(0xffff_ffff); // an impossible one changes nothing, and tells the one in force
  const ownUser = calls.setfsuid(0xffff_ffff);
  try {
    const done = setGroups(calls, Uint32Array.from(groups)) && (calls.setfsgid(gid), calls.setfsuid(uid), true);
    if (!done || calls.setfsuid(0xffff_ffff) !== uid || calls.setfsgid(0xffff_ffff) !== gid) {
      throw new Deno.errors.PermissionDenied(`cannot act as user ${uid}`);
    }
    return fn();
  } finally {
    calls.setfsuid(ownUser);
    calls.setfsgid(ownGroup);
    setGroups(calls, ownGroups);
  }
}

function setGroups(calls: SystemCalls, groups: Uint32Array<ArrayBuffer>): boolean {
  const list = groups.length > 0 ? groups : new Uint32Array(1); // the runtime has no pointer to nothing
  return calls.syscall(SETGROUPS[Deno.build.arch]!, BigInt(groups.length), list) === 0n;
}

/** A text as the C library takes it. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) throw new TypeError("a path has no NUL");
  return new TextEncoder().encode(`${text}\0`);
}

/** Errors that callers tell apart, by number; the rest has its number. */
const ERRORS: Readonly<Record<number, readonly [code: string, text: string]>> = {
  1: ["EPERM", "Operation not permitted"],
  2: ["ENOENT", "No such file or directory"],
  5: ["EIO", "Input/output error"],
  6: ["ENXIO", "No such device or address"],
  12: ["ENOMEM", "Cannot allocate memory"],
  13: ["EACCES", "Permission denied"],
  16: ["EBUSY", "Device or resource busy"],
  17: ["EEXIST", "File exists"],
  18: ["EXDEV", "Cross-device link"],
  20: ["ENOTDIR", "Not a directory"],
  21: ["EISDIR", "Is a directory"],
  23: ["ENFILE", "Too many open files in system"],
  24: ["EMFILE", "Too many open files"],
  26: ["ETXTBSY", "Text file busy"],
  27: ["EFBIG", "File too large"],
  28: ["ENOSPC", "No space left on device"],
  30: ["EROFS", "Read-only file system"],
  36: ["ENAMETOOLONG", "File name too long"],
  40: ["ELOOP", "It is a symbolic link"],
  116: ["ESTALE", "Stale file handle"],
  122: ["EDQUOT", "Disk quota exceeded"],
};

/** The last error of the C library on this thread, as the runtime would throw it. */
export function systemError(calls: SystemCalls, doing: string, path: string): Error {
  const at = calls.__errno_location();
  const number = at === null ? 0 : new Deno.UnsafePointerView(at).getInt32();
  const [code, text] = ERRORS[number] ?? [`E${number}`, "failed"];
  const Class = CLASSES[code] ?? Error;
  return Object.assign(new Class(`${doing} '${path}': ${text} (os error ${number})`), { code });
}

const CLASSES: Readonly<Record<string, new (message: string) => Error>> = {
  ENOENT: Deno.errors.NotFound,
  EACCES: Deno.errors.PermissionDenied,
  EPERM: Deno.errors.PermissionDenied,
  EEXIST: Deno.errors.AlreadyExists,
};
