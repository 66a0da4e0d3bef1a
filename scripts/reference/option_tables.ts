/**
 * `deno run -A scripts/reference/option_tables.ts`: writes the tables of options in the documents anew, also of what changes
 * without a restart, and of what `--json` has, from what the commands' `--help` says; `tests/docs_test.ts` demands that they agree.
 *
 * @module
 */

import { FIELDS_PAGE, withFieldTables } from "../../tests/rig/field_tables.ts";
import { RELOAD_PAGE, withReloadTables } from "../../tests/rig/reload_tables.ts";
import { commands, markers, optionRows, renderTable, TABLES } from "../../tests/rig/option_tables.ts";

const all = commands();
for (const [file, names] of Object.entries(TABLES)) {
  let text = Deno.readTextFileSync(file);
  for (const name of names) {
    const [begin, end] = markers(name);
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`Cannot find the place of the options of ${name} in ${file}`);
    const table = renderTable(name, optionRows(all.get(name)!));
    text = `${text.slice(0, from + begin.length)}\n\n${table}\n\n${text.slice(to)}`;
  }
  Deno.writeTextFileSync(file, text);
}
Deno.writeTextFileSync(RELOAD_PAGE, withReloadTables(Deno.readTextFileSync(RELOAD_PAGE)));
Deno.writeTextFileSync(FIELDS_PAGE, withFieldTables(Deno.readTextFileSync(FIELDS_PAGE)));
const pages = [...Object.keys(TABLES), RELOAD_PAGE];
await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", ...pages] }).output();
