/**
 * Folders in which Unix sockets are made: each lives for a moment, unless its process is killed just then.
 *
 * @module
 */

import { UNIX_LEFTOVER_MS, UNIX_SWEEP_MS } from "../limits.ts";
import { errorCode } from "../../base/errors.ts";
import type { Engine } from "../../net/socket.ts";

const NAME = /^\.sp-[0-9a-f]{8}$/;

/** The path of a new one in `folder`. */
export function workshopIn(folder: string): string {
  return `${folder}/.sp-${crypto.randomUUID().slice(0, 8)}`;
}

/** When folders were swept of late, in milliseconds since 1970: a fleet that comes back opens as many sockets as one has. */
const swept = new Map<string, number>();

/**
 * Removes those in `folder` that no process is at work in any more: their socket is listened at by nobody, and they are older
 * than such work takes; a folder that was swept less than {@linkcode UNIX_SWEEP_MS} ago is left alone. Never fails: what cannot
 * be removed stays.
 *
 * @param now Milliseconds since 1970.
 */
export async function sweepWorkshops(folder: string, engine: Engine, now: number): Promise<void> {
  for (const [each, at] of swept) if (Math.abs(now - at) >= UNIX_SWEEP_MS) swept.delete(each);
  if (swept.has(folder)) return;
  swept.set(folder, now);
  try {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const path = `${folder}/${name}`;
      if (isDirectory && NAME.test(name) && await isLeft(path, engine, now)) Deno.removeSync(path, { recursive: true });
    }
  } catch {
    // whoever opens the next socket here tries again
  }
}

/** Whether it is one that nobody is at work in. */
async function isLeft(path: string, engine: Engine, now: number): Promise<boolean> {
  const { mtime, uid } = Deno.lstatSync(path);
  if (uid !== Deno.uid() || Math.abs(now - (mtime?.getTime() ?? now)) < UNIX_LEFTOVER_MS) return false;
  const names = [...Deno.readDirSync(path)];
  if (names.length === 0) return true;
  if (names.length > 1 || names[0]!.name !== "s" || !Deno.lstatSync(`${path}/s`).isSocket) return false;
  try {
    (await engine.connectUnix(`${path}/s`)).close();
    return false;
  } catch (error) {
    return errorCode(error) === "ECONNREFUSED";
  }
}
