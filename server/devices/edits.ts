/**
 * Edits of the file of authorized devices that leave its owner's comments, order and manner of writing alone.
 *
 * @module
 */

import { isPattern } from "../../app/admin/selector.ts";
import { isDeepStrictEqual } from "node:util";
import { ConfigError } from "../../app/toml/config_error.ts";
import { readPrivateFile, writeStateFile } from "../../app/files/private_file.ts";
import { placeAt, scanToml, textStart, tomlKey, type TomlStatement, tomlString } from "../../app/toml/scan.ts";
import { atOnce } from "../../base/slices.ts";
import type { AuthorizedDevice } from "./entry.ts";
import { DeviceReader, type DevicesFound, parseDevices } from "./reader.ts";
import { formatGrants } from "./grant_table.ts";
import type { ServiceGrant } from "./service_grant.ts";

/** What stands at the top of a file that is made for a user. */
export const HEADING = `# Devices that may link up, a table for each. It may be edited while the server runs.
#
# [gw1]
# key = "ed25519:..."                        # as "device key" prints it
# services = { ssh = "0.0.0.0:2201" }        # where clients reach them: a port, a range as in 8000-8099, or 0;
#                                            # "0.0.0.0:8000-8010,each" is as many services, NAME-1 and on
# expires = 2027-01-31                       # optional
# expiration = "60s"                         # optional; how long its clients are kept while it has no link
# keep-alive = "metered"                     # optional; adaptive, metered, fast, or "25s,5s,2"
# disabled = false                           # optional
# tags = ["site:berlin", "lte"]              # optional; to select by: tag=site:berlin
# comment = "roof, building 7"               # optional
`;

/** One edit: from the text of the file to the new one. */
export type DeviceEdit = (source: string, file: string) => string;

/**
 * Reads the file, if it is there.
 *
 * @throws {ConfigError} if it cannot be used.
 */
export async function readDevices(file: string): Promise<AuthorizedDevice[]> {
  return parseDevices(file, await readPrivateFile(file, false) ?? "");
}

/** As {@linkcode readDevices}, with the rules for all. */
export async function readAllDevices(file: string): Promise<DevicesFound> {
  return atOnce(new DeviceReader(file).read(await readPrivateFile(file, false) ?? ""));
}

/** Reads a text of the file; the same device of two texts is one object where it can be. */
export type ReadDevices = (source: string) => Promise<DevicesFound>;

/** A reader for whoever has nothing else to do meanwhile. */
export function readerOf(file: string): ReadDevices {
  const reader = new DeviceReader(file);
  return (source) => new Promise((resolve) => resolve(atOnce(reader.read(source))));
}

/** The same, by a reader. */
export async function readDevicesBy(file: string, read: ReadDevices): Promise<DevicesFound> {
  return await read(await readPrivateFile(file, false) ?? "");
}

/**
 * Edits the file, whole or not at all. To be called under the lock of the state.
 *
 * @param wanted What is to come of the device, if that is known.
 * @param read For whoever remembers what the file meant before, and has something else to do meanwhile.
 * @throws {ConfigError} if it cannot be used, before or after, and if anything else would come of it.
 */
export async function updateDevices(
  file: string,
  device: string,
  edit: DeviceEdit,
  wanted?: AuthorizedDevice,
  read: ReadDevices = readerOf(file),
): Promise<DevicesFound> {
  const source = await readPrivateFile(file, false) ?? HEADING;
  const before = await read(source);
  const text = edit(source, file);
  const after = await read(text);
  const result = after.byName.get(device);
  if (!sameButFor(device, before, after) || wanted && !isDeepStrictEqual(result, wanted)) {
    throw new ConfigError(`${file}: "${device}" is written in a way that this cannot edit; do it by hand`);
  }
  if (text !== source) await writeStateFile(file, text);
  return after;
}

/** Whether all but one device are the same, in the same order; it may have another name, or another key. */
function sameButFor(device: string, before: DevicesFound, after: DevicesFound): boolean {
  const key = before.byName.get(device)?.key;
  const counts = (other: AuthorizedDevice | undefined) => other?.name !== device && other?.key !== key;
  if (JSON.stringify(before.defaults) !== JSON.stringify(after.defaults)) return false;
  let at = 0;
  for (const old of before.devices) {
    if (!counts(old)) continue;
    while (at < after.devices.length && !counts(after.devices[at])) at++;
    const now = after.devices[at++];
    if (old !== now && JSON.stringify(old) !== JSON.stringify(now)) return false;
  }
  return after.devices.slice(at).every((other) => !counts(other));
}

/** Adds a device at the end. */
export function addDevice(device: Omit<AuthorizedDevice, "disabled">): DeviceEdit {
  return (source) => {
    const lines = [
      `[${tomlKey(device.name)}]`,
      `key = ${tomlString(device.key)}`,
      `services = ${formatGrants(device.services)}`,
    ];
    if (device.expires !== undefined) lines.push(`expires = ${formatTime(device.expires)}`);
    if (device.comment !== undefined) lines.push(`comment = ${tomlString(device.comment)}`);
    const before = source.trimEnd();
    return `${before === "" ? "" : `${before}\n\n`}${lines.join("\n")}\n`;
  };
}

/** Removes a device: its tables, from their headers to their last values. */
export function removeDevice(name: string): DeviceEdit {
  return (source, file) => {
    const statements = scanToml(source);
    headerOf(statements, source, file, name);
    const cuts: [number, number][] = [];
    let cutting = false;
    for (const statement of statements) {
      const header = statement.kind === "table" || statement.kind === "list";
      if (header) cutting = statement.path[0] === name;
      if (!cutting) continue;
      const [start, end] = lineOf(source, statement);
      const last = cuts.at(-1);
      if (last && !header) last[1] = Math.max(last[1], end); // with the comments within a table
      else cuts.push([start, end]);
    }
    return cut(source, cuts);
  };
}

/** Gives a device another name. */
export function renameDevice(before: string, after: string): DeviceEdit {
  return (source, file) => {
    const statements = scanToml(source);
    headerOf(statements, source, file, before);
    let text = source;
    for (const { kind, path, firstKey } of statements.toReversed()) {
      if (kind !== "table" || path[0] !== before) continue;
      text = text.slice(0, firstKey[0]) + tomlKey(after) + text.slice(firstKey[1]);
    }
    return text;
  };
}

/** Bars a device, or lets it in again. */
export function setDisabled(name: string, disabled: boolean): DeviceEdit {
  return (source, file) => {
    const stands = scanToml(source).some(({ path }) => path[0] === name && path[1] === "disabled");
    return disabled || stands ? setValue(name, "disabled", String(disabled))(source, file) : source;
  };
}

/** Gives a device another key, and what else is given. */
export function replaceDevice(
  device: { name: string; key: string; services?: readonly ServiceGrant[]; expires?: number; comment?: string },
): DeviceEdit {
  const edits = [setValue(device.name, "key", tomlString(device.key))];
  if (device.services) edits.push(setValue(device.name, "services", formatGrants(device.services)));
  if (device.expires !== undefined) edits.push(setValue(device.name, "expires", formatTime(device.expires)));
  if (device.comment !== undefined) edits.push(setValue(device.name, "comment", tomlString(device.comment)));
  return confined(device.name, (source, file) => edits.reduce((text, edit) => edit(text, file), source));
}

/** Confines an edit to the tables of one device where they stand together: a running server does not scan all others. */
export function confined(name: string, edit: DeviceEdit): DeviceEdit {
  return (source, file) => {
    const [start, end] = tablesOf(source, tomlKey(name)) ?? [0, source.length];
    return source.slice(0, start) + edit(source.slice(start, end), file) + source.slice(end);
  };
}

/** The offsets of the tables of a device, if they are written in the usual way. */
function tablesOf(source: string, key: string): [number, number] | undefined {
  const [header, below] = [`\n[${key}]`, `\n[${key}.`];
  const start = source.startsWith(header.slice(1)) ? 0 : source.indexOf(header) + 1;
  if (start === 0 && !source.startsWith(header.slice(1))) return undefined;
  let end = source.indexOf("\n[", start) + 1;
  while (end > 0 && source.startsWith(below, end - 1)) end = source.indexOf("\n[", end) + 1;
  if (end === 0) return [start, source.length];
  return source.includes(header, end - 1) || source.includes(below, end - 1) ? undefined : [start, end];
}

/** Sets until when a device may link up, in milliseconds since 1970; `undefined` for ever. */
export function setExpiry(name: string, expires: number | undefined): DeviceEdit {
  return (source, file) => {
    if (expires !== undefined) return setValue(name, "expires", formatTime(expires))(source, file);
    const statements = scanToml(source);
    headerOf(statements, source, file, name);
    const mine = statements.filter(({ kind, path }) => kind === "value" && path[0] === name && path[1] === "expires");
    return cut(source, mine.map((statement) => lineOf(source, statement)));
  };
}

/** Sets the tags of a device. */
export function setTags(name: string, tags: readonly string[]): DeviceEdit {
  return setValue(name, "tags", `[${tags.map(tomlString).join(", ")}]`);
}

/** Sets one key of a device. */
export function setValue(name: string, key: string, value: string): DeviceEdit {
  return (source, file) => {
    const statements = scanToml(source);
    const header = headerOf(statements, source, file, name);
    const mine = statements.filter(({ kind, path }) => kind !== "inline" && path[0] === name && path[1] === key);
    const [only] = mine;
    if (only?.kind === "value" && only.path.length === 2) {
      return source.slice(0, only.valueStart) + value + source.slice(only.end);
    }
    // Sub-tables and dotted keys stand below the header of their table, so its place does not move.
    const text = cut(source, mine.map((statement) => lineOf(source, statement)));
    const end = lineOf(text, header)[1];
    return `${text.slice(0, end)}${text[end - 1] === "\n" ? "" : "\n"}${key} = ${value}\n${text.slice(end)}`;
  };
}

/** The header `[name]`; a device that is written otherwise is not edited. */
export function headerOf(
  statements: readonly TomlStatement[],
  source: string,
  file: string,
  name: string,
): TomlStatement {
  const header = statements.find(({ kind, path }) => kind === "table" && path.length === 1 && path[0] === name);
  const other = statements.find(({ path }) => path[0] === name);
  const sole = statements.every(({ kind, path, start }) =>
    path[0] !== name || kind === "inline" || header !== undefined && start >= header.start
  );
  if (header && sole) return header;
  if (!other) {
    throw unknownDevice(
      name,
      statements.map(({ path }) => String(path[0])).filter((each) => each !== "version"),
    );
  }
  const place = placeAt(source, other.start);
  throw ConfigError.at(file, source, place, `"${name}" does not begin with a table [${name}]; edit it by hand`);
}

/** Devices that {@linkcode unknownDevice} names at most. */
export const NAMES_SHOWN = 10;

/** Why a server of v1 alone knows no device by a name. */
export const V1_HAS_NO_DEVICES =
  'speaks v1 alone, and v1 has no devices by name: "server status" shows its links and services';

/** The error for a device that nobody knows, or a pattern that none fits; see {@linkcode unknownDeviceText}. */
export function unknownDevice(name: string, known: Iterable<string>): ConfigError {
  return new ConfigError(unknownDeviceText(name, known));
}

/** The same as a text, with those that are known: none is suggested, as a wrong one would lose its access. */
export function unknownDeviceText(name: string, known: Iterable<string>): string {
  const names = new Set<string>();
  for (const each of known) {
    names.add(each);
    if (names.size > NAMES_SHOWN) break;
  }
  const shown = [...[...names].slice(0, NAMES_SHOWN), ...(names.size > NAMES_SHOWN ? ["…"] : [])].join(", ");
  const what = isPattern(name) ? `no device matches "${name}"` : `there is no device "${name}"`;
  return `${what}; ${shown ? `there are: ${shown}` : "there are none yet"}`;
}

/** The offsets of the lines that a statement stands on, with the comment behind it. */
export function lineOf(source: string, { start, end }: TomlStatement): [number, number] {
  const lineEnd = source.indexOf("\n", end);
  return [
    Math.max(textStart(source), source.lastIndexOf("\n", start - 1) + 1),
    lineEnd < 0 ? source.length : lineEnd + 1,
  ];
}

/** Takes ranges out, and one of two blank lines that would meet. */
export function cut(source: string, ranges: readonly (readonly [number, number])[]): string {
  let text = source;
  for (const [start, end] of ranges.toReversed()) {
    const [before, after] = [text.slice(0, start), text.slice(end)];
    const blankBefore = before.length === textStart(before) || /\n[ \t]*\r?\n$/.test(before);
    text = before + (blankBefore ? after.replace(/^[ \t]*\r?\n/, "") : after);
  }
  return text;
}

/** When something ends, as TOML has it: not before its time, and without the fractions of a second nobody asked for. */
export function formatTime(time: number): string {
  return new Date(Math.ceil(time / 1000) * 1000).toISOString().replace(".000Z", "Z").replace("T00:00:00Z", "");
}
