/**
 * The tables of options in the documents: `scripts/reference/option_tables.ts` writes them, `tests/docs_test.ts` demands that
 * they agree with what the commands' `--help` says.
 *
 * @module
 */

import type { Command } from "commander";
import { canserverCommand } from "../../canserver/cli.ts";
import { deviceCommand } from "../../device/cli/cli.ts";
import { serverCommand } from "../../server/cli/cli.ts";

/** A file that has tables, and the commands whose options they show. */
export const TABLES: Record<string, readonly string[]> = {
  "docs/reference/options.md": ["server", "device", "canserver"],
  "docs/reference/commands.md": [
    "server dashboard",
    "server status",
    "server clients",
    "server close",
    "server events",
    "server drop",
    "server mode",
    "server keepalive",
    "server attend",
    "server connect",
    "server drain",
    "server openings",
    "server audit",
    "server refusals",
    "server reload",
    "server doctor",
    "server enroll",
    "server devices",
    "server revoke",
    "server disable",
    "server enable",
    "server rename",
    "server tag",
    "server service add",
    "server service move",
    "server service remove",
    "server expire",
    "server open",
    "server shut",
    "server confirm",
    "server key",
    "device status",
    "device clients",
    "device close",
    "device events",
    "device mode",
    "device keepalive",
    "device reconnect",
    "device reload",
    "device doctor",
    "device join",
    "device service add",
    "device service move",
    "device service remove",
    "device service list",
    "device key",
  ],
};

/** A row: the option, its default, its meaning. */
export type Row = readonly [option: string, preset: string, meaning: string];

/** The commands by what users type after `sallyport`. */
export function commands(): Map<string, Command> {
  const all = new Map<string, Command>();
  const roles = [
    serverCommand("sallyport server"),
    deviceCommand("sallyport device"),
    canserverCommand("sallyport canserver"),
  ];
  for (const command of roles) {
    all.set(command.name(), command);
    for (const below of command.commands) addAll(all, command.name(), below);
  }
  return all;
}

/** A command that has others below it has no options of its own. */
function addAll(all: Map<string, Command>, above: string, command: Command): void {
  const name = `${above} ${command.name()}`;
  if (command.name() === "help") return;
  if (command.commands.length === 0) all.set(name, command);
  for (const below of command.commands) addAll(all, name, below);
}

/** The options of a command, as `--help` has them. */
export function optionRows(command: Command): Row[] {
  return command.options.map(({ flags, description }): Row => {
    const preset = / \(default: ([^()]*)\)$/.exec(description);
    return [
      `\`${flags.replace(/[<>]/g, "")}\``,
      preset ? `${preset[1]}` : "–",
      preset ? description.slice(0, preset.index) : description,
    ];
  });
}

/** Where the table of a command stands in a text: between two comments. */
export function markers(name: string): [begin: string, end: string] {
  return [`<!-- options: ${name} -->`, `<!-- end: ${name} -->`];
}

/** Reads a table back. */
export function readRows(text: string, name: string): Row[] {
  const [begin, end] = markers(name);
  const table = text.slice(text.indexOf(begin) + begin.length, text.indexOf(end));
  const rows = table.split("\n").filter((line) => line.startsWith("|")).slice(2);
  return rows.map((line) => {
    const cells = line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim().replace(/\\([|*])/g, "$1"));
    return [cells[0] ?? "", cells[1] ?? "", cells[2] ?? ""];
  });
}

/** The table of a command, as Markdown. */
export function renderTable(name: string, rows: readonly Row[]): string {
  const lines = rows.map((row) => `| ${row.map((cell) => cell.replace(/[|*]/g, "\\$&")).join(" | ")} |`);
  return [`| \`${name}\` | default | meaning |`, "| --- | --- | --- |", ...lines].join("\n");
}
