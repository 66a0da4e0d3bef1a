/**
 * Edits of the services of one device in the file of authorized devices, however its owner has written them: in an
 * inline table, as lines of a table, with dotted keys, or as tables of their own. All else stays byte for byte.
 *
 * @module
 */

import { scanToml, tomlKey, type TomlStatement, tomlString } from "../../app/toml/scan.ts";
import { cut, type DeviceEdit, headerOf, lineOf, setValue } from "./edits.ts";
import { formatGrant, formatGrants, grantLines } from "./grant_table.ts";
import { formatGrantedAddress, type GrantedPlace, type ServiceGrant } from "./service_grant.ts";

/** Grants a device one more service. */
export function addService(device: string, grant: ServiceGrant): DeviceEdit {
  return (source, file) => {
    const statements = scanToml(source);
    headerOf(statements, source, file, device);
    const all = statements.filter(({ path }) => path[0] === device && path[1] === "services");
    const whole = all.find(({ kind, path }) => kind === "value" && path.length === 2);
    const pair = `${tomlKey(grant.name)} = ${formatGrant(grant)}`;
    if (whole) return addInline(source, whole, all, pair);
    const table = all.find(({ kind, path }) => kind === "table" && path.length === 2);
    if (table) {
      const lines = all.filter((statement) => statement.kind === "value" && tableOf(statements, statement) === table);
      return insertAfter(source, lines.at(-1) ?? table, pair);
    }
    const dotted = all.findLast((each) => each.kind === "value" && tableOf(statements, each)?.path.length === 1);
    if (dotted) return insertAfter(source, dotted, `services.${pair}`);
    const last = all.findLast(({ kind }) => kind !== "inline");
    if (!last) return setValue(device, "services", formatGrants([grant]))(source, file);
    // Only tables of their own, `[gw1.services.ssh]`: one more behind the last of them.
    const header = `\n[${[device, "services", grant.name].map(tomlKey).join(".")}]`;
    return insertAfter(source, last, [header, ...grantLines(grant)].join("\n"));
  };
}

/** Gives a service of a device another host address; its limits stay. */
export function moveService(device: string, service: string, to: GrantedPlace): DeviceEdit {
  return (source, file) => {
    const statements = scanToml(source);
    headerOf(statements, source, file, device);
    const mine = statements.filter((each) => isOf(each, device, service));
    const address = mine.find(({ path }) => path.length === 4 && path[3] === "listen") ??
      mine.find(({ kind, path }) => path.length === 3 && kind !== "table");
    if (!address) return source;
    return source.slice(0, address.valueStart) + tomlString(formatGrantedAddress(to)) + source.slice(address.end);
  };
}

/** Takes a service from a device. */
export function removeService(device: string, service: string): DeviceEdit {
  return (source, file) => {
    const statements = scanToml(source);
    headerOf(statements, source, file, device);
    const inline = statements.find((each) =>
      each.kind === "inline" && each.path.length === 3 && isOf(each, device, service)
    );
    if (inline) return cutInline(source, inline);
    const mine = statements.filter((each) => isOf(each, device, service) && each.kind !== "inline");
    return cut(source, mine.map((statement) => lineOf(source, statement)));
  };
}

function isOf({ path }: TomlStatement, device: string, service: string): boolean {
  return path[0] === device && path[1] === "services" && path[2] === service;
}

/** The header that a statement stands below. */
function tableOf(statements: readonly TomlStatement[], statement: TomlStatement): TomlStatement | undefined {
  return statements.findLast(({ kind, start }) => (kind === "table" || kind === "list") && start < statement.start);
}

/** `{ ssh = "…" }` with one more pair behind the last. */
function addInline(source: string, whole: TomlStatement, all: readonly TomlStatement[], pair: string): string {
  const last = all.findLast(({ kind, path, start }) => kind === "inline" && path.length >= 3 && start > whole.start);
  if (!last) return `${source.slice(0, whole.valueStart)}{ ${pair} }${source.slice(whole.end)}`;
  const end = Math.max(...all.filter(({ kind }) => kind === "inline").map((each) => each.end));
  return `${source.slice(0, end)}, ${pair}${source.slice(end)}`;
}

/** Takes a pair out of an inline table, with the comma that it does not need any more. */
function cutInline(source: string, { start, end }: TomlStatement): string {
  const [before, after] = [source.slice(0, start), source.slice(end)];
  const comma = /^[ \t]*,[ \t]*/.exec(after);
  if (comma) return before + after.slice(comma[0].length);
  return before.replace(/[ \t]*,[ \t]*$/, "") + after;
}

function insertAfter(source: string, statement: TomlStatement, lines: string): string {
  const end = lineOf(source, statement)[1];
  const newline = source.includes("\r\n") ? "\r\n" : "\n";
  const added = `${source[end - 1] === "\n" ? "" : "\n"}${lines}\n`.replaceAll("\n", newline);
  return source.slice(0, end) + added + source.slice(end);
}
