/**
 * The tables of what `--json` of a command has, where that is no object of an admin API: `scripts/reference/option_tables.ts` writes
 * them from the types, `tests/docs_test.ts` demands that they agree.
 *
 * @module
 */

import { factsOf } from "./events_reference.ts";
import { markers } from "./option_tables.ts";

/** The page. */
export const FIELDS_PAGE = "docs/reference/commands.md";

/** By the command: the file of the type, and its name. */
const TYPES: Readonly<Record<string, readonly [file: string, type: string]>> = {
  "server devices": ["server/cli/files/device_rows.ts", "Row"],
};

/** The page with its tables as they are to be. */
export function withFieldTables(page: string): string {
  let text = page;
  for (const [command, [file, type]] of Object.entries(TYPES)) {
    const [begin, end] = markers(`fields of ${command}`);
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`Cannot find the place of the fields of ${command} in ${FIELDS_PAGE}`);
    text = `${text.slice(0, from + begin.length)}\n\n${render(fieldsOf(file, type))}\n\n${text.slice(to)}`;
  }
  return text;
}

/** The lines of a type as it is written. @throws {Error} if one of them has no docstring. */
function fieldsOf(file: string, type: string) {
  const source = Deno.readTextFileSync(new URL(`../../${file}`, import.meta.url));
  const body = new RegExp(`^export interface ${type} \\{\\n([^]*?)\\n\\}`, "m").exec(source)?.[1] ?? "";
  const fields = factsOf(body);
  const names = [...body.matchAll(/^ {2}readonly (\w+)/gm)].map(([, name]) => name);
  if (names.length === 0 || names.join() !== fields.map(({ name }) => name).join()) {
    throw new Error(`Cannot read the fields of ${type} in ${file}: ${names.join(", ")}`);
  }
  return fields;
}

function render(fields: ReturnType<typeof factsOf>): string {
  const rows = fields.map(({ name, type, text }) => `| \`${name}\` | ${type} | ${text} |`);
  return ["| field | is | meaning |", "| --- | --- | --- |", ...rows].join("\n");
}
