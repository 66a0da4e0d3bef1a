/**
 * The manual, from what `--help` is made from.
 *
 * @module
 */

import { all, type CommandNode, readCommand } from "../../../app/completion/tree.ts";
import { envName, type OptionTable } from "../../../app/options.ts";
import { VERSION } from "../../../base/version.ts";
import { DEVICE_OPTIONS } from "../../../device/cli/config.ts";
import { sallyportCommand } from "../../../main.ts";
import { SERVER_OPTIONS } from "../../../server/cli/config.ts";
import { Page } from "./troff.ts";

/** What the pages take from the documents and the examples, by its path. */
export type ReadText = (path: string) => string;

/** The pages by the names of their files. `date`, which each of them bears, is `YYYY-MM-DD`. */
export async function manPages(date: string, read: ReadText): Promise<Map<string, string>> {
  const root = readCommand(await sallyportCommand());
  const names = root.commands.filter(({ name }) => name !== "completion").map(({ name }) => `sallyport-${name}`);
  const seeAlso = ["sallyport(1)", ...names.map((name) => `${name}(1)`), "sallyport.toml(5)"];
  const pages = new Map<string, Page>();
  for (const node of [root, ...root.commands.filter(({ name }) => name !== "completion")]) {
    const name = node.path.replaceAll(" ", "-");
    const page = new Page(name, 1, date, VERSION);
    commandPage(page, node, node === root ? root.commands : node.commands);
    exitStatus(page, read("docs/reference/output.md"));
    pages.set(`${name}.1`, see(page, seeAlso, `${name}(1)`));
  }
  const file = new Page("sallyport.toml", 5, date, VERSION);
  filePage(file, read);
  pages.set("sallyport.toml.5", see(file, seeAlso, "sallyport.toml(5)"));
  return new Map([...pages].map(([name, page]) => [name, page.toString()]));
}

function commandPage(page: Page, node: CommandNode, below: readonly CommandNode[]): void {
  page.section("NAME").text(`${node.path.replaceAll(" ", "-")} - ${node.summary.replace(/\.$/, "")}`);
  page.section("SYNOPSIS").line(node.path, usage(node));
  for (const each of below) page.break().line(each.path, usage(each));
  page.section("DESCRIPTION").text(node.summary);
  if (node.examples !== "") page.section("EXAMPLES").literal(node.examples);
  page.section("OPTIONS");
  entries(page, node);
  const isRoot = !node.path.includes(" ");
  const nodes = below.flatMap((each) => isRoot && each.commands.length > 0 ? [each] : [...all(each)]);
  if (nodes.length > 0) page.section("COMMANDS");
  for (const each of nodes) {
    page.subsection(each.path).text(each.summary);
    if (isRoot && each.name !== "completion") {
      page.paragraph().text(`See ${each.path.replaceAll(" ", "-")}(1).`);
      continue;
    }
    page.paragraph().line(each.path, usage(each));
    entries(page, each);
    if (each.examples !== "") page.literal(each.examples);
  }
  if (isRoot) return;
  page.section("ENVIRONMENT").text(
    `An option that a configuration file can have may stand in the environment as well: --log-level as ${
      envName("log-level")
    }. The command line goes first, then the environment, then the file.`,
  );
  page.section("FILES");
  page.entry(
    `/etc/sallyport/${node.name}.toml`,
    undefined,
    "Configuration of the package's unit; see sallyport.toml(5).",
  );
  if (node.commands.length > 0) page.entry(`/var/lib/sallyport/${node.name}`, undefined, "Keys and state.");
}

function usage({ arguments: args, options, commands }: CommandNode): string {
  return [
    ...(options.length > 0 ? ["[options]"] : []),
    ...args.map(({ name, required }) => required ? `<${name}>` : `[${name}]`),
    ...(commands.length > 0 ? ["[command]"] : []),
  ].join(" ");
}

function entries(page: Page, { arguments: args, options }: CommandNode): void {
  for (const { name, help } of args) page.entry(`<${name}>`, undefined, help);
  for (const { flag, short, value, help } of options) {
    page.entry(short === undefined ? flag : `${short}, ${flag}`, value, help);
  }
}

/** The table of exit codes in the documents, which a test compares with the program's own. */
function exitStatus(page: Page, text: string): void {
  page.section("EXIT STATUS");
  for (const [, code, meaning] of text.matchAll(/^\| *(\d+) *\| (.*?) *\|$/gm)) {
    page.entry(code!, undefined, plain(meaning!));
  }
}

function filePage(page: Page, read: ReadText): void {
  page.section("NAME").text("sallyport.toml - configuration of sallyport server and sallyport device");
  page.section("DESCRIPTION").text(
    "The file behind --config, in TOML. Its words are those of the command line, without the dashes in front; " +
      "an option that may stand any number of times is a list, and one without a value is true or false. " +
      "--check says what is in force, and with line and column what is wrong.",
  );
  const roles: [title: string, table: OptionTable, example: string][] = [
    ["SERVER", SERVER_OPTIONS, "examples/server.toml"],
    ["DEVICE", DEVICE_OPTIONS, "examples/device.toml"],
  ];
  for (const [title, table, example] of roles) {
    page.section(title);
    for (const [name, { value, help, preset, many, flag }] of Object.entries(table)) {
      const written = flag ? "= true" : many ? `= ["${value}", ...]` : `= "${value}"`;
      page.entry(name, written, help + (preset === undefined ? "" : ` (default: ${preset})`));
    }
    page.subsection("Example").literal(read(example));
  }
}

function see(page: Page, all: readonly string[], own: string): Page {
  return page.section("SEE ALSO").text(all.filter((name) => name !== own).join(", "));
}

/** Markdown's marks are for the documents. */
function plain(text: string): string {
  return text.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll("`", "");
}
