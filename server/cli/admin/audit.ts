/**
 * `server audit`: the newest lines of the audit.
 *
 * @module
 */

import type { Command } from "commander";
import { type AdminClient, AdminRefusal } from "../../../app/admin/client.ts";
import { factLine } from "../../../app/admin/cli/events.ts";
import { argument, examplesOf, printLine, taskCommand, taskOptions } from "../../../app/command.ts";
import { MAX_ADMIN_PAGE, MAX_KEPT_EVENTS } from "../../../app/limits.ts";
import type { OptionTable } from "../../../app/options.ts";
import { stderr } from "../../../app/output.ts";
import { oneOf, parseTimeOrAgo, wholeNumber } from "../../../app/values.ts";
import { systemClock } from "../../../base/clock.ts";
import { AUDITED_EVENTS } from "../../audit/audited_events.ts";
import { ask, ASK_OPTIONS } from "./ask.ts";
import { parseSelector } from "./select.ts";

/** Lines that are shown where nobody says how many. */
const USUAL_LINES = 20;

const OPTIONS = {
  last: {
    value: "N",
    help: `the last so many; those of --since, ${MAX_KEPT_EVENTS} at most`,
    parse: wholeNumber(1, MAX_KEPT_EVENTS),
    preset: `${USUAL_LINES}`,
  },
  since: {
    value: "TIME",
    help: "none from before: so long ago, as in 12h or 7d, or a time, as in 2026-01-31T12:00:00Z",
    parse: (text: string) => parseTimeOrAgo(text, systemClock.wall()),
  },
  event: {
    value: "EVENTS",
    help: `only of these events, with commas between: ${AUDITED_EVENTS.join(", ")}`,
    parse: oneOf(...AUDITED_EVENTS),
    many: true,
  },
  ...ASK_OPTIONS,
} as const satisfies OptionTable;

/** The command, below the server's command `name`. */
export function auditCommand(name: string): Command {
  return taskCommand(
    `${name} audit`,
    "Shows the newest lines of the audit, oldest first; those that were put aside are in files.",
    OPTIONS,
    examplesOf(
      name,
      "audit",
      "audit 'gw*' --since 12h",
      "audit --event act,device-change --since 2026-01-31",
      "audit --last 500 --json | jq 'select(.event == \"act\")'",
    ),
  )
    .argument(
      "[device]",
      "only those about these devices: a name, a pattern as in gw*, or tag=TAG",
      argument(parseSelector),
    )
    .option("--json", "print JSON, an object a line, as it is in the file")
    .action((device: string | undefined, _options: unknown, command: Command) => show(command, device));
}

async function show(command: Command, device: string | undefined): Promise<void> {
  const { last, since, event } = taskOptions(OPTIONS, command);
  const query = new URLSearchParams({
    ...(device !== undefined && { device }),
    ...(since !== undefined && { since: new Date(since).toISOString() }),
    ...(event && { event: event.join(",") }),
  });
  const most = last ?? (since === undefined ? USUAL_LINES : MAX_KEPT_EVENTS);
  const { lines, file, moved } = await ask(command, (client) => newest(client, query, most));
  if (file === null) {
    return void stderr.write(
      'this server writes no audit; start it with --audit FILE, or with audit = "FILE" in its file',
    );
  }
  if (moved) stderr.write(`${file} was put aside meanwhile: what is older than this is in the file beside it`);
  if (lines.length === 0) return void stderr.write(`nothing of that is in ${file}`);
  const { json } = command.opts<{ json?: true }>();
  for (const line of lines.toReversed()) {
    const { time, event, ...facts } = line;
    printLine(json ? JSON.stringify(line) : factLine(String(time), String(event), facts));
  }
}

/** A line. */
type Line = Record<string, unknown>;

/** Some of the lines. */
interface Page {
  readonly items: Line[];
  readonly cursor: string | null;
  readonly file: string | null;
}

/** The newest lines, `most` at most; `moved`: the file was put aside meanwhile, and older ones are not among them. */
export async function newest(client: Pick<AdminClient, "get">, query: URLSearchParams, most: number) {
  const lines: Line[] = [];
  let file: string | null = null;
  for (;;) {
    query.set("limit", String(Math.min(MAX_ADMIN_PAGE, most - lines.length)));
    let page: Page;
    try {
      page = await client.get<Page>(`/v1/audit?${query}`);
    } catch (error) {
      const moved = query.has("cursor") && error instanceof AdminRefusal && error.code === "conflict";
      if (moved) return { lines, file, moved };
      throw error;
    }
    lines.push(...page.items);
    file = page.file;
    if (page.cursor === null || lines.length >= most) return { lines, file, moved: false };
    query.set("cursor", page.cursor);
  }
}
