/**
 * What a process may do with a file, by the file's owner, group and mode.
 *
 * @module
 */

import { kernelText } from "../../net/kernel/process_files.ts";

/** Rights, as bits of a mode. */
export const [READ, WRITE, EXECUTE] = [4, 2, 1] as const;

/** As whom a process runs. */
export interface User {
  readonly uid: number;
  readonly gids: ReadonlySet<number>;
}

/** The one as whom a process runs, this one by default; nothing where the system does not say. */
export function userOf(pid?: number): User | undefined {
  const text = kernelText(`/proc/${pid ?? "self"}/status`);
  return text === undefined ? undefined : parseStatus(text);
}

/** The same, of the text that the kernel has for a process. */
export function parseStatus(text: string): User | undefined {
  // Real, effective, saved, and that for files.
  const ids = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, "m").exec(text)?.[1]?.split(/\s+/).map(Number);
  const [uid, gid] = [ids("Uid")?.[3], ids("Gid")?.[3]];
  if (uid === undefined || gid === undefined) return undefined;
  return { uid, gids: new Set([gid, ...ids("Groups") ?? []]) };
}

/** Whether it has all of the rights `bits`. Lists of access beyond the mode are not looked at. */
export function mayUse(
  { mode, uid, gid }: { readonly mode: number | null; readonly uid: number | null; readonly gid: number | null },
  bits: number,
  user: User,
): boolean {
  if (mode === null) return true; // no such thing here
  if (user.uid === 0) return (bits & EXECUTE) === 0 || (mode & 0o111) !== 0;
  const shift = uid === user.uid ? 6 : gid !== null && user.gids.has(gid) ? 3 : 0;
  return (mode >> shift & bits) === bits;
}
