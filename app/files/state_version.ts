/**
 * The version of a state's files: newer ones are refused before anything is read, older ones are brought up to date.
 *
 * @module
 */

import { VERSION } from "../../base/version.ts";
import { TomlTable } from "../toml/table.ts";
import { wholeNumber } from "../values.ts";
import { ensurePrivateFolder, readPrivateFile, readStateFileSync, withLock, writePrivateFile } from "./private_file.ts";

/** The version of the files that this program reads and writes. */
export const STATE_VERSION = 1;

/** The version of configuration files and of devices.toml that this program reads; one that names none is of this. */
export const CONFIG_VERSION = 1;

/** Where the version of a state stands, in the folder of a role. A state of before this file is of version 0. */
export const STATE_VERSION_FILE = "version.toml";

const HIGHEST = 999_999;

/** How files of one version become files of the next. What is not named stays as it is. */
export interface Migration {
  /** The version before. */
  readonly from: number;
  /** The name of a file in the folder. */
  readonly file: string;
  /** From its text to the new one. */
  migrate(text: string, path: string): string;
}

/** Of version 0 nothing has changed but that the version is named. */
const MIGRATIONS: readonly Migration[] = [];

/**
 * Demands that this program knows a state, if there is one.
 *
 * @throws {ConfigError} with the place of the version, and what to do.
 */
export function demandKnownState(folder: string): void {
  let source: string | undefined;
  try {
    source = readStateFileSync(`${folder}/${STATE_VERSION_FILE}`);
  } catch {
    return; // whoever reads more of it says why that cannot be
  }
  if (source !== undefined) parseVersion(folder, source);
}

/**
 * Makes the folder if it is not there, and files of an older version new ones. What is changed is kept beside it, as
 * `devices.toml.v1`.
 *
 * @throws {ConfigError} if this program does not know the version, or a file is damaged; {MachineError} if it cannot be written.
 */
export async function bringUpToDate(folder: string, migrations = MIGRATIONS, version = STATE_VERSION): Promise<void> {
  await ensurePrivateFolder(folder);
  const path = `${folder}/${STATE_VERSION_FILE}`;
  const found = async () => {
    const source = await readPrivateFile(path, false);
    return source === undefined ? 0 : parseVersion(folder, source, version);
  };
  const before = await found();
  if (before === version) return;
  const bring = async () => {
    let from = await found(); // somebody else may have been faster
    if (from === version) return;
    for (; from < version; from++) {
      for (const migration of migrations) if (migration.from === from) await migrateFile(folder, migration);
      await writeVersion(path, from + 1);
    }
  };
  try {
    await withLock(folder, bring);
  } catch (error) {
    if (migrations.some(({ from }) => from >= before && from < version)) throw error;
    // Its files are as they are to be: a state that can only be read will do, and a full disk is told by who needs it.
  }
}

function writeVersion(path: string, version: number): Promise<void> {
  return writePrivateFile(path, `# Which version the files of this folder have.\nversion = ${version}\n`);
}

/** If it was cut short behind this file, it goes on. What was kept of an earlier time is not what the file says now. */
async function migrateFile(folder: string, { from, file, migrate }: Migration): Promise<void> {
  const [path, kept] = [`${folder}/${file}`, `${folder}/${file}.v${from}`];
  const now = await readPrivateFile(path, false);
  if (now === undefined) return;
  const before = await readPrivateFile(kept, false);
  if (before !== undefined && migrate(before, path) === now) return;
  const after = migrate(now, path);
  await writePrivateFile(kept, now);
  await writePrivateFile(path, after);
}

function parseVersion(folder: string, source: string, known = STATE_VERSION): number {
  const table = TomlTable.parse(`${folder}/${STATE_VERSION_FILE}`, source);
  return demandKnown(table, known, `${folder} has files`, "or give another --state") ?? 0;
}

/** Reads a configuration. @throws {ConfigError} if it cannot be read, or is of a version that this program does not know. */
export function loadConfig(path: string): TomlTable {
  const table = TomlTable.load(path);
  demandKnownConfig(table);
  return table;
}

/** Reads the version that a configuration names, if it names one. @throws {ConfigError} if this program does not know it. */
export function demandKnownConfig(table: TomlTable): void {
  demandKnown(table, CONFIG_VERSION, "this file is", `or write it as version ${CONFIG_VERSION} has it`);
}

function demandKnown(table: TomlTable, known: number, what: string, advice: string): number | undefined {
  const version = table.one("version", wholeNumber(0, HIGHEST));
  if (version === undefined || version <= known) return version;
  const program = `this program (${VERSION}) knows ${known} at most`;
  throw table.error("version", `${what} of version ${version}, and ${program}; install a newer one, ${advice}`);
}
