/**
 * `deno run -A scripts/option_tables.ts`: writes the tables of options in docs/reference anew from what
 * the commands' `--help` says; `tests/docs_test.ts` demands that they agree.
 *
 * @module
 */

import { commands, markers, optionRows, renderTable, TABLES } from "../tests/rig/option_tables.ts";

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
await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", ...Object.keys(TABLES)] }).output();
