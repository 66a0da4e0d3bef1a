/**
 * `server refusals`: who was turned away, and why.
 *
 * @module
 */

import type { Command } from "commander";
import type { AdminClient } from "../../../app/admin/client.ts";
import { showFacts, type Shown } from "../../../app/admin/cli/watch.ts";
import { argument, examplesOf, taskCommand } from "../../../app/command.ts";
import { terminalColumns } from "../../../app/output.ts";
import { formatAge, tableLines } from "../../../base/table.ts";
import type { Refused } from "../../refusals/routes.ts";
import { ask, ASK_OPTIONS, listed } from "./ask.ts";
import { demandMatch, parseSelector } from "./select.ts";

const HEAD = ["LAST", "COUNT", "FROM", "TO", "FOR", "REASON", "WHY"];
const [FOR, WHY] = [HEAD.indexOf("FOR"), HEAD.indexOf("WHY")];

/** The command, below the server's command `name`. */
export function refusalsCommand(name: string): Command {
  return taskCommand(
    `${name} refusals`,
    "Shows who was turned away since the server runs, devices and clients, and why; those who are alike are one line.",
    ASK_OPTIONS,
    examplesOf(name, "refusals", "refusals gw1", "refusals --watch", "refusals --json | jq '.[].key'"),
  )
    .argument(
      "[device]",
      "only those who showed the key of these devices, or wanted to reach them: a name, a pattern as in gw*, or tag=TAG",
      argument(parseSelector),
    )
    .option("--json", "print JSON")
    .option("--watch", "show it anew every two seconds, until Ctrl-C")
    .action((device: string | undefined, _options: unknown, command: Command) => refusals(command, device));
}

function refusals(command: Command, device: string | undefined): Promise<void> {
  return ask(command, (client) => showFacts(command.opts<Shown>(), () => found(client, device), linesOf));
}

async function found(client: AdminClient, device: string | undefined): Promise<Refused[]> {
  const all: Refused[] = [];
  for await (const each of listed<Refused>(client, "/v1/refusals", { device })) all.push(each);
  if (all.length === 0 && device !== undefined) await demandMatch(client, device);
  return all;
}

/** What is shown: the last at the end, as in a log, where a terminal shows it. */
export function linesOf(all: readonly Refused[], now: number): string[] {
  if (all.length === 0) return ["nobody was turned away"];
  const rows = all.toReversed().map(({ last, count, site, at, reason, why, ...wanted }) => [
    formatAge(now - Date.parse(last)),
    String(count),
    site ?? "others",
    at ?? "-",
    nameOf(wanted),
    reason,
    why ?? "-",
  ]);
  return tableLines([HEAD, ...rows], { width: terminalColumns(), shorten: [WHY, FOR] });
}

/** Whom somebody wanted to be, or to reach; a key that is not proved may be another's. */
function nameOf({ device, key, proved, service }: Pick<Refused, "device" | "key" | "proved" | "service">): string {
  const name = (device === null ? key : service === null ? device : `${device}/${service}`) ?? "-";
  return proved === false ? `${name} (not proved)` : name;
}
