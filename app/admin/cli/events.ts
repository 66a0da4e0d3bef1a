/**
 * `events`: what has happened to a daemon, and what happens.
 *
 * @module
 */

import type { Command } from "commander";
import type { AdminClient } from "../client.ts";
import { describeError } from "../../../base/errors.ts";
import { formatDuration, formatPastTime } from "../../../base/format.ts";
import { formatBytes } from "../../../base/table.ts";
import { printLine, taskCommand, taskOptions } from "../../command.ts";
import { MAX_ADMIN_PAGE, MAX_KEPT_EVENTS } from "../../limits.ts";
import type { OptionTable } from "../../options.ts";
import { stderr } from "../../output.ts";
import { UnfinishedError } from "../../run.ts";
import { oneOf, wholeNumber } from "../../values.ts";
import { ASK_OPTIONS, askDaemon, type AskedRole } from "./ask.ts";

const OPTIONS = {
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

/** What the command is of. */
export interface EventsCommandFacts {
  readonly role: AskedRole;
  /** The types that there are. */
  readonly types: readonly string[];
  /** Options beside those of all, whose values are asked for by their names. */
  readonly filters?: OptionTable;
  /** Says what is wrong with filters that nothing has come through, if something is; `values` are those given. */
  demandSense?(client: AdminClient, values: Readonly<Record<string, unknown>>): Promise<void>;
  readonly examples: string;
}

/** The command, below the daemon's command `name`. */
export function eventsCommand(name: string, facts: EventsCommandFacts): Command {
  const table = { ...facts.filters, ...typeOption(facts.types), ...OPTIONS };
  return taskCommand(`${name} events`, "Shows what has happened, a line each.", table, facts.examples)
    .option("-f, --follow", "go on with what happens, until Ctrl-C")
    .option("--json", "print JSON, an object a line")
    .action((_options: unknown, command: Command) => events(facts, command));
}

function typeOption(types: readonly string[]) {
  return {
    type: {
      value: "TYPES",
      help: `only of these types, with commas between: ${types.join(", ")}`,
      parse: oneOf(...types),
      many: true,
    },
  } as const satisfies OptionTable;
}

async function events(facts: EventsCommandFacts, command: Command): Promise<void> {
  const { role, types, filters = {} } = facts;
  const { json, follow } = command.opts<{ json?: true; follow?: true }>();
  const { last = 20 } = taskOptions(OPTIONS, command);
  const { type } = taskOptions(typeOption(types), command);
  const values = taskOptions(filters, command);
  const given: [string, unknown][] = [...Object.entries(values), ["type", type?.join(",")]];
  const filter = given.flatMap(([name, value]): [string, string][] => value === undefined ? [] : [[name, `${value}`]]);
  const show = (event: Told) => printLine(json ? JSON.stringify(event) : lineOf(event));
  await askDaemon(role, command, async (client) => {
    const { told, cursor } = await keptEvents<Told>(client, filter);
    for (const event of last === 0 ? [] : told.slice(-last)) show(event);
    if (told.length === 0) {
      const sense = facts.demandSense?.(client, values);
      if (!follow) await sense;
      else await sense?.catch((error: unknown) => stderr.write(`${describeError(error)}; waiting for it`)); // it may come
    }
    if (!follow) return void (told.length === 0 && stderr.write(`nothing of that has happened since the ${role} runs`));
    const search = new URLSearchParams([...filter, ["cursor", cursor]]);
    for await (const { data } of client.stream(`/v1/events/stream?${search}`)) show(data as Told);
    throw new UnfinishedError(`the ${role} has ended the stream`);
  });
}

/** All that are kept, of those that `filter` lets through, and where to go on. */
export async function keptEvents<T>(
  client: AdminClient,
  filter: [string, string][],
): Promise<{ told: T[]; cursor: string }> {
  const told: T[] = [];
  let cursor = "";
  for (;;) {
    const search = new URLSearchParams([...filter, ["limit", String(MAX_ADMIN_PAGE)], ["cursor", cursor]]);
    const page = await client.get<{ items: T[]; cursor: string }>(`/v1/events?${search}`);
    told.push(...page.items);
    cursor = page.cursor;
    if (page.items.length < MAX_ADMIN_PAGE) return { told, cursor };
  }
}

/** Spans, in milliseconds, and numbers of bytes: for people with their unit. */
const SPANS: ReadonlySet<string> = new Set(["duration", "interrupted", "expiration", "retryIn"]);
const SIZES: ReadonlySet<string> = new Set(["bytesUp", "bytesDown", "replayed"]);

/** The time, the type, then facts by their names; the service is called so, also where JSON has what it stands for. */
export function lineOf({ id: _id, time, type, ...facts }: Told): string {
  return factLine(time, type, facts);
}

/** A time, a word, then facts by their names, as people read them. */
export function factLine(time: string, word: string, facts: Readonly<Record<string, unknown>>): string {
  const words = Object.entries(facts).map(([name, value]) => {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return `${name}=${JSON.stringify(value)}`;
    const text = textOf(name, value);
    const shown = name === "localAddress" && !("service" in facts) ? "service" : name;
    return `${shown}=${/[\s"=]/.test(text) || text === "" ? JSON.stringify(text) : text}`;
  });
  return [formatPastTime(Date.parse(time)), word, ...words].join(" ");
}

function textOf(name: string, value: unknown): string {
  if (name === "until") return formatPastTime(Date.parse(String(value)));
  if (typeof value !== "number") return String(value);
  return SPANS.has(name) ? formatDuration(value) : SIZES.has(name) ? formatBytes(value) : String(value);
}
