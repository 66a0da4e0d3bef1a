/**
 * Unix sockets in a state's folder. Nobody else can connect to one, not even in the moment of its making: it is made in a
 * folder that only its owner can enter, given its rights, and moved to its place.
 *
 * @module
 */

import { randomUUID } from "node:crypto";
import { errorCode } from "../../../base/errors.ts";
import { withLock } from "../../files/private_file.ts";
import { ensurePrivateFolder, explain } from "../../files/private_folder.ts";
import { actAs } from "../../files/path_actor.ts";
import { type Spot, spotOf } from "../../files/spot.ts";
import { ConfigError } from "../../toml/config_error.ts";

/** The folder in which sockets are made. */
const WORKSHOP = ".admin";

/** Bytes of a path that the system takes for a socket. */
const MAX_PATH = 107;

/** A socket that is listened on, and its file. */
export interface SocketFile {
  readonly path: string;
  readonly listener: Deno.Listener<Deno.UnixConn>;
  /** Removes the file, unless another has taken its place. */
  remove(): void;
}

/**
 * Listens on `FOLDER/NAME`. What a process left there that is no more is replaced.
 *
 * @throws {ConfigError} if a process listens there, something else stands there, or the path is too long.
 */
export async function listenAt(folder: string, name: string): Promise<SocketFile> {
  const path = `${folder}/${name}`;
  await prepare(folder);
  return await withLock(folder, () =>
    explain("listen on", path, async () => {
      await demandFree(path);
      const made = `${folder}/${WORKSHOP}/${shortName()}`;
      const listener = bind(made);
      try {
        asOwner(spotOf(path), () => Deno.renameSync(made, path));
      } catch (error) {
        listener.close();
        remove(made);
        throw error;
      }
      const { ino } = Deno.lstatSync(path);
      return { path, listener, remove: () => void (inodeOf(path) === ino && remove(path)) };
    }));
}

/** Where a socket can be made that nobody but this process is to find; what others left is swept. */
export async function hiddenPlace(folder: string): Promise<{ readonly path: string; remove(): void }> {
  await prepare(folder);
  return await withLock(folder, async () => {
    const workshop = spotOf(`${folder}/${WORKSHOP}`);
    for (const name of workshop.names()) {
      if (!await isLive(`${folder}/${WORKSHOP}/${name}`)) remove(`${folder}/${WORKSHOP}/${name}`);
    }
    const path = `${folder}/${WORKSHOP}/${shortName()}`;
    demandShort(path);
    return { path, remove: () => remove(path) };
  });
}

/** Runs `fn`, which makes something at a path, as whoever has its folder in hand. */
export function asOwner<T>({ actor }: Spot, fn: () => T): T {
  return actor ? actAs(actor, fn) : fn();
}

async function prepare(folder: string): Promise<void> {
  await ensurePrivateFolder(folder);
  const workshop = `${folder}/${WORKSHOP}`;
  await ensurePrivateFolder(workshop);
  await explain("use", workshop, () => asOwner(spotOf(workshop), () => Deno.chmodSync(workshop, 0o700)));
}

function bind(path: string): Deno.Listener<Deno.UnixConn> {
  demandShort(path);
  return asOwner(spotOf(path), () => {
    const listener = Deno.listen({ transport: "unix", path });
    try {
      Deno.chmodSync(path, 0o600);
      return listener;
    } catch (error) {
      listener.close();
      throw error;
    }
  });
}

function shortName(): string {
  return randomUUID().slice(0, 8);
}

function demandShort(path: string): void {
  const { length } = new TextEncoder().encode(path);
  if (length <= MAX_PATH) return;
  throw new ConfigError(
    `${path} is too long for a socket: ${length} bytes, and ${MAX_PATH} are the most; name a shorter folder with --state`,
  );
}

async function demandFree(path: string): Promise<void> {
  const facts = spotOf(path).ownFacts();
  if (!facts) return;
  if (!Deno.lstatSync(path).isSocket) throw new ConfigError(`Cannot listen on ${path}: something else stands there`);
  if (await isLive(path)) throw new ConfigError(`Cannot listen on ${path}: another process does`);
}

/** Whether somebody listens on a socket. One whose queue is full does. */
async function isLive(path: string): Promise<boolean> {
  try {
    const conn = await Deno.connect({ transport: "unix", path });
    conn.close();
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.ConnectionRefused || error instanceof Deno.errors.NotFound ||
      errorCode(error) === "ENOTSOCK");
  }
}

function inodeOf(path: string): number | null | undefined {
  try {
    return Deno.lstatSync(path).ino;
  } catch {
    return undefined;
  }
}

function remove(path: string): void {
  try {
    spotOf(path).remove();
  } catch {
    // it is gone, or it can stay: the next one sweeps
  }
}
