/**
 * `server audit`: the newest lines of the audit.
 *
 * @module
 */

import type { Command } from "commander";
import { examplesOf, printLine, taskCommand, taskOptions } from "../../../app/command.ts";
import { MAX_ADMIN_PAGE } from "../../../app/limits.ts";
import type { OptionTable } from "../../../app/options.ts";
import { stderr } from "../../../app/output.ts";
import { wholeNumber } from "../../../app/values.ts";
import { ask, ASK_OPTIONS } from "./ask.ts";

/** Lines that are shown where nobody says how many. */
const USUAL_LINES = 20;

const OPTIONS = {
  last: { value: "N", help: "the last so many", parse: wholeNumber(1, MAX_ADMIN_PAGE), preset: `${USUAL_LINES}` },
  ...ASK_OPTIONS,
} as const satisfies OptionTable;

/** The command, below the server's command `name`. */
export function auditCommand(name: string): Command {
  return taskCommand(
    `${name} audit`,
    "Shows the newest lines of the audit, oldest first, each a JSON object; those that were put aside are in files.",
    OPTIONS,
    examplesOf(name, "audit", "audit --last 500 | jq 'select(.event == \"act\")'"),
  ).action((_options: unknown, command: Command) => show(command));
}

async function show(command: Command): Promise<void> {
  const { last = USUAL_LINES } = taskOptions(OPTIONS, command);
  const { items } = await ask(command, (client) => client.get<{ items: object[] }>(`/v1/audit?limit=${last}`));
  if (items.length === 0) return void stderr.write("there is no audit; start the server with --audit FILE");
  for (const line of items.toReversed()) printLine(JSON.stringify(line));
}
