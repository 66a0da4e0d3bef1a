/**
 * Where state lives, and the pieces that servers and devices keep there alike.
 *
 * @module
 */

import { createIdentity, type Identity, identityFromPem, identityToPem } from "../../net/tls/identity.ts";
import { ConfigError } from "../toml/config_error.ts";
import type { OptionSpec } from "../options.ts";
import { readPrivateFile, withLock, writePrivateFile } from "./private_file.ts";
import { bringUpToDate, demandKnownState } from "./state_version.ts";
import { TomlTable } from "../toml/table.ts";
import { parsePath } from "../values.ts";

/** The option `--state`. */
export const STATE_OPTION = {
  value: "DIR",
  help: "folder for keys and state (default: /var/lib/sallyport for root, else ~/.local/state/sallyport)",
  parse: parsePath,
} as const satisfies OptionSpec<string>;

/** What the place of the state depends on. */
export interface StateEnvironment {
  /** A variable of the environment. */
  get(name: string): string | undefined;
  /** The user's number, where there is such a thing. */
  uid(): number | null;
}

const systemEnvironment: StateEnvironment = {
  get: (name) => unlessBarred(() => Deno.env.get(name)),
  uid: () => unlessBarred(() => Deno.uid()) ?? null,
};

/**
 * The folder for the state of one role: below `given`, else below where such things usually are.
 *
 * @throws {ConfigError} if nothing says where that is, or what is there is of a version that this program does not know.
 */
export function stateFolder(
  given: string | undefined,
  role: "server" | "device",
  environment: StateEnvironment = systemEnvironment,
): string {
  const folder = `${(given ?? usualFolder(environment)).replace(/(?<=.)\/+$/, "")}/${role}`;
  demandKnownState(folder);
  return folder;
}

function usualFolder({ get, uid }: StateEnvironment): string {
  const named = get("SALLYPORT_STATE");
  if (named?.trim()) return named;
  if (uid() === 0) return "/var/lib/sallyport";
  const [base, home] = [get("XDG_STATE_HOME"), get("HOME")];
  if (base?.startsWith("/")) return `${base}/sallyport`; // a relative one is to be ignored, says its specification
  if (home) return `${home}/.local/state/sallyport`;
  throw new ConfigError("Cannot tell where to keep keys and state; name a folder with --state");
}

/** File with the private key, in a folder of {@linkcode stateFolder}. */
const IDENTITY_FILE = "identity.pem";

/**
 * Loads the identity in a folder, and makes one, with the folder, if there is none.
 *
 * @param made Is called if it was made.
 * @throws {ConfigError} if it is damaged, or others can read it.
 */
export async function loadIdentity(folder: string, made: () => void = () => {}): Promise<Identity> {
  await bringUpToDate(folder);
  return await readIdentity(folder) ?? await withLock(folder, async () => {
    const before = await readIdentity(folder); // somebody else may have been faster
    if (before) return before;
    const identity = await createIdentity();
    await writePrivateFile(`${folder}/${IDENTITY_FILE}`, await identityToPem(identity));
    made();
    return identity;
  });
}

/** Reads the identity in a folder, if there is one. @throws {ConfigError} if it is damaged, or others can read it. */
export async function readIdentity(folder: string): Promise<Identity | undefined> {
  const path = `${folder}/${IDENTITY_FILE}`;
  const pem = await readPrivateFile(path);
  if (pem === undefined) return undefined;
  try {
    return await identityFromPem(pem);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ConfigError(
      `${path}:1: ${error.message}; restore it, or remove it for a new key, which nobody knows until all is enrolled anew`,
      { cause: error },
    );
  }
}

/**
 * Reads a state file in TOML, if it is there.
 *
 * @throws {ConfigError} with file, line and column if it is damaged.
 */
export async function readState(path: string, secret = true): Promise<TomlTable | undefined> {
  const source = await readPrivateFile(path, secret);
  return source === undefined ? undefined : TomlTable.parse(path, source);
}

/** Demands a value of a state file. */
export function demand<T>(table: TomlTable, name: string, value: T | undefined): T {
  if (value === undefined) throw table.error(undefined, `"${name}" is missing; the file is damaged`);
  return value;
}

/** A parser of exactly `size` bytes in hexadecimal. */
export function hexBytes(size: number): (text: string) => Uint8Array<ArrayBuffer> {
  return (text) => {
    if (text.length !== 2 * size || !/^[0-9a-f]*$/.test(text)) {
      throw new SyntaxError(`has to be ${size} bytes in hexadecimal`);
    }
    return Uint8Array.from({ length: size }, (_, at) => parseInt(text.slice(2 * at, 2 * at + 2), 16));
  };
}

/** Writes bytes in hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** `undefined` where the program was not given the permission to ask. */
function unlessBarred<T>(fn: () => T): T | undefined {
  try {
    return fn();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}
