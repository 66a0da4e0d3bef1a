/**
 * What the system calls that the runtime does not offer are used for with files: acting as another user for a moment, and
 * their errors.
 *
 * They take Linux and the permission `ffi`; whoever asks has to do without them elsewhere.
 *
 * @module
 */

import { MAX_GROUPS } from "../limits.ts";
import { ERRORS } from "./errno.ts";
import { type Calls, lastErrno, libc } from "./libc.ts";

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

/** The last error of the C library on this thread, as the runtime would throw it. */
export function systemError(calls: SystemCalls, doing: string, path: string): Error {
  const number = lastErrno(calls);
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
