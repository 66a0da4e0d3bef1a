/**
 * Listening at a Unix socket that nobody can reach before it has its group and its mode, and that takes nobody's place.
 *
 * @module
 */

import { MAX_UNIX_PATH } from "../../net/limits.ts";
import { systemClock } from "../../base/clock.ts";
import { describeError, errorCode } from "../../base/errors.ts";
import type { Engine, ListeningSocket, UnixConnection } from "../../net/socket.ts";
import { sweepWorkshops, workshopIn } from "./unix_leftovers.ts";
import { modeOf, type UnixHostAddress } from "./unix_host.ts";

/** A socket cannot be had; the message says why, for people. */
export class UnixHostError extends Error {
  /** Tells it from others. */
  override readonly name = "UnixHostError";
}

/**
 * Listens at `address`. The socket is made in a folder that only this user enters, given its group and its mode, and then
 * put in its place. One that is left over there is replaced; one that somebody listens at is not. It goes when it is closed.
 *
 * @throws {UnixHostError} with one line about why not. Nothing is left then.
 */
export async function listenUnix(address: UnixHostAddress, engine: Engine): Promise<ListeningSocket<UnixConnection>> {
  const { unix: path } = address;
  try {
    await sweepWorkshops(folderOf(path) || "/", engine, systemClock.wall());
    const isStale = await isLeftOver(path, engine);
    const gid = address.group === undefined ? undefined : groupNumber(address.group);
    return place(path, isStale, modeOf(address), gid, engine);
  } catch (error) {
    if (error instanceof UnixHostError) throw error;
    throw new UnixHostError(explain(error, address), { cause: error });
  }
}

/** Whether there is a socket that nobody listens at any more. */
async function isLeftOver(path: string, engine: Engine): Promise<boolean> {
  let found: Deno.FileInfo;
  try {
    found = Deno.lstatSync(path);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    throw error;
  }
  if (!found.isSocket) throw new UnixHostError(`${path} is there, and is no socket: it is left alone`);
  try {
    (await engine.connectUnix(path)).close();
  } catch (error) {
    const code = errorCode(error);
    if (code === "ECONNREFUSED" || code === "ENOENT") return code === "ECONNREFUSED";
    if (code !== "EAGAIN") throw new UnixHostError(`${path} is somebody else's: ${describeError(error)}`);
  }
  throw new UnixHostError(`somebody listens at ${path} already (\`ss -xlp\` shows who)`);
}

/** All at once: what is found above still holds, but for what other processes do. */
function place(
  path: string,
  isStale: boolean,
  mode: number,
  gid: number | undefined,
  engine: Engine,
): ListeningSocket<UnixConnection> {
  const folder = workshopIn(folderOf(path));
  const before = `${folder}/s`;
  if (before.length > MAX_UNIX_PATH) {
    throw new UnixHostError(
      `the folder of ${path} has too long a name: ${before.length - MAX_UNIX_PATH} characters less`,
    );
  }
  Deno.mkdirSync(folder, { mode: 0o700 });
  let listener: ListeningSocket<UnixConnection> | undefined;
  try {
    listener = engine.listenUnix(before);
    if (gid !== undefined) Deno.chownSync(before, null, gid);
    Deno.chmodSync(before, mode);
    if (isStale) Deno.removeSync(path);
    Deno.linkSync(before, path); // fails where somebody was quicker
    const made = Deno.lstatSync(path);
    return new PlacedListener(listener, path, made);
  } catch (error) {
    listener?.close();
    throw error;
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Removes its socket when it is closed, if it is still its own. */
class PlacedListener implements ListeningSocket<UnixConnection> {
  readonly address: { readonly host: string; readonly port: number };
  readonly #listener: ListeningSocket<UnixConnection>;
  readonly #made: Deno.FileInfo;
  #closed = false;

  constructor(listener: ListeningSocket<UnixConnection>, path: string, made: Deno.FileInfo) {
    this.address = { host: path, port: 0 };
    this.#listener = listener;
    this.#made = made;
  }

  accept(): ReturnType<ListeningSocket<UnixConnection>["accept"]> {
    return this.#listener.accept();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.close();
    const path = this.address.host;
    try {
      const { ino, dev } = Deno.lstatSync(path);
      if (ino === this.#made.ino && dev === this.#made.dev) Deno.removeSync(path);
    } catch {
      // It is gone, or its folder is somebody else's now: whoever opens it next finds it left over.
    }
  }
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** The number of a group, which `/etc/group` has, or which is one. */
function groupNumber(group: string): number {
  if (/^\d+$/.test(group)) return Number(group);
  const line = Deno.readTextFileSync("/etc/group").split("\n").find((line) => line.startsWith(`${group}:`));
  const gid = line?.split(":")[2];
  if (gid === undefined || !/^\d+$/.test(gid)) {
    throw new UnixHostError(`there is no group "${group}" in /etc/group; a number does, too`);
  }
  return Number(gid);
}

function explain(error: unknown, { unix: path, group }: UnixHostAddress): string {
  const folder = folderOf(path) || "/";
  if (error instanceof Deno.errors.NotCapable) {
    return `it takes the permissions to read and write ${folder}: --allow-read=${folder} --allow-write=${folder}` +
      (group === undefined ? "" : " (and to read /etc/group)");
  }
  switch (errorCode(error)) {
    case "ENOENT":
      return `there is no folder ${folder}; make it, or let the unit do that: RuntimeDirectory=sallyport`;
    case "EACCES":
    case "EROFS":
      return `this user may not write to the folder ${folder}`;
    case "EPERM":
      return `this user may not give ${path} to the group ${group ?? "that it is to have"}: it has to be one of it`;
    case "EEXIST":
      return `somebody was quicker at ${path}`;
    default:
      return describeError(error);
  }
}
