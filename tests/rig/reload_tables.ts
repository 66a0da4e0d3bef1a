/**
 * The tables of how options change while a daemon runs: `scripts/reference/option_tables.ts` writes them, `tests/docs_test.ts`
 * demands that they are as the product has it.
 *
 * @module
 */

import type { ReloadTable, ReloadWay } from "../../app/reload/table.ts";
import { DEVICE_RELOAD } from "../../device/cli/reload_table.ts";
import { SERVER_RELOAD } from "../../server/cli/reload/table.ts";
import { markers } from "./option_tables.ts";

/** The page. */
export const RELOAD_PAGE = "docs/operate/reload.md";

const WAYS: readonly ReloadWay[] = ["at once", "over a new link", "for links and clients to come", "at the next start"];

/** The page with its tables as they are to be. */
export function withReloadTables(page: string): string {
  const tables: Record<string, ReloadTable<string>> = {
    "server reload": SERVER_RELOAD,
    "device reload": DEVICE_RELOAD,
  };
  let text = page;
  for (const [name, table] of Object.entries(tables)) {
    const [begin, end] = markers(name);
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`Cannot find the place of ${name} in ${RELOAD_PAGE}`);
    text = `${text.slice(0, from + begin.length)}\n\n${render(table)}\n\n${text.slice(to)}`;
  }
  return text;
}

function render(table: ReloadTable<string>): string {
  const rows = WAYS.flatMap((way) => {
    const names = Object.entries(table).filter(([, each]) => each === way).map(([name]) => `\`${name}\``);
    return names.length > 0 ? [`| ${way} | ${names.join(", ")} |`] : [];
  });
  return ["| in force | options |", "| --- | --- |", ...rows].join("\n");
}
