/**
 * `server openings`: what is open for a time.
 *
 * @module
 */

import type { Command } from "commander";
import { examplesOf, printLine, taskCommand } from "../../../app/command.ts";
import { stderr, terminalColumns } from "../../../app/output.ts";
import { systemClock } from "../../../base/clock.ts";
import { formatAge, tableLines } from "../../../base/table.ts";
import type { Static } from "../../../app/admin/schema.ts";
import type { Opened } from "../../admin/opening_routes.ts";
import { ask, ASK_OPTIONS } from "./ask.ts";

/** The command, below the server's command `name`. */
export function openingsCommand(name: string): Command {
  return taskCommand(
    `${name} openings`,
    "Shows what is open for a time: services, and addresses of devices' networks.",
    ASK_OPTIONS,
    examplesOf(name, "openings", "openings --json | jq '.[].hostAddress'"),
  )
    .option("--json", "print JSON")
    .action((_options: unknown, command: Command) => list(command));
}

/** Where they stand in a line. */
const [HOST, FROM, BY, REASON] = [1, 3, 4, 5];

async function list(command: Command): Promise<void> {
  const { items } = await ask(command, (client) => client.get<{ items: Static<typeof Opened>[] }>("/v1/openings"));
  if (command.opts<{ json?: true }>().json) return printLine(JSON.stringify(items));
  if (items.length === 0) return void stderr.write("nothing is open for a time now");
  const now = systemClock.wall();
  const rows = items.map(({ device, service, hostAddress, until, from, by, reason }) => [
    `${device}/${service}`,
    hostAddress ?? "-",
    formatAge(Math.max(0, Date.parse(until) - now)),
    from.join(",") || "-",
    by ?? "-",
    reason ?? "-",
  ]);
  const fit = { width: terminalColumns(), drop: [HOST], shorten: [REASON, FROM, BY] };
  for (const line of tableLines([["SERVICE", "HOST", "LEFT", "FROM", "BY", "REASON"], ...rows], fit)) printLine(line);
}
