/**
 * `server events`: what has happened, and what happens.
 *
 * @module
 */

import type { Command } from "commander";
import type { AdminClient } from "../../../app/admin/client.ts";
import { printLine, taskCommand, taskOptions } from "../../../app/command.ts";
import { MAX_ADMIN_PAGE } from "../../../app/limits.ts";
import type { OptionTable } from "../../../app/options.ts";
import { stderr } from "../../../app/output.ts";
import { UnfinishedError } from "../../../app/run.ts";
import { wholeNumber } from "../../../app/values.ts";
import { MAX_KEPT_EVENTS } from "../../../app/limits.ts";
import { ask, ASK_OPTIONS } from "./ask.ts";
import { parseSelector } from "./select.ts";

const OPTIONS = {
  device: { value: "NAME", help: "only those of these devices: a name, or a pattern as in gw*", parse: parseSelector },
  type: { value: "TYPES", help: "only of these types, with commas between, as in link-up,link-down", parse: String },
  last: {
    value: "N",
    help: "the last so many",
    parse: wholeNumber(0, MAX_KEPT_EVENTS),
    preset: "20",
  },
  ...ASK_OPTIONS,
} as const satisfies OptionTable;

/** An event, as the API tells it. */
interface Told {
  readonly id: string;
  readonly time: string;
  readonly type: string;
  readonly [fact: string]: unknown;
}

/** The command, below the server's command `name`. */
export function eventsCommand(name: string): Command {
  return taskCommand(`${name} events`, "Shows what has happened, a line each.", OPTIONS, examples(name))
    .option("-f, --follow", "go on with what happens, until Ctrl-C")
    .option("--json", "print JSON, an object a line")
    .action((_options: unknown, command: Command) => events(command));
}

async function events(command: Command): Promise<void> {
  const { json, follow } = command.opts<{ json?: true; follow?: true }>();
  const { device, type, last = 20 } = taskOptions(OPTIONS, command);
  const filter = Object.entries({ device, type }).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const show = (event: Told) => printLine(json ? JSON.stringify(event) : lineOf(event));
  await ask(command, async (client) => {
    const { told, cursor } = await kept(client, filter);
    for (const event of last === 0 ? [] : told.slice(-last)) show(event);
    if (!follow) return void (told.length === 0 && stderr.write("nothing of that has happened since the server runs"));
    const search = new URLSearchParams([...filter, ["cursor", cursor]]);
    for await (const { data } of client.stream(`/v1/events/stream?${search}`)) show(data as Told);
    throw new UnfinishedError("the server has ended the stream");
  });
}

/** All that are kept, and where to go on. */
async function kept(client: AdminClient, filter: [string, string][]): Promise<{ told: Told[]; cursor: string }> {
  const told: Told[] = [];
  let cursor = "";
  for (;;) {
    const search = new URLSearchParams([...filter, ["limit", String(MAX_ADMIN_PAGE)], ["cursor", cursor]]);
    const page = await client.get<{ items: Told[]; cursor: string }>(`/v1/events?${search}`);
    told.push(...page.items);
    cursor = page.cursor;
    if (page.items.length < MAX_ADMIN_PAGE) return { told, cursor };
  }
}

/** The time, the type, then facts by their names. */
export function lineOf({ id: _id, time, type, ...facts }: Told): string {
  const words = Object.entries(facts).map(([name, value]) => {
    const text = String(value);
    return `${name}=${/[\s"=]/.test(text) || text === "" ? JSON.stringify(text) : text}`;
  });
  return [time, type, ...words].join(" ");
}

function examples(name: string): string {
  return `Examples:
  ${name} events -f
  ${name} events --device 'gw*' --type link-interrupted,link-resumed,link-down --last 100
  ${name} events -f --json | jq .reason

The types, and what they tell, are in docs/reference/output.md.`;
}
