/**
 * `server drain`: new clients are refused, and those who are there may finish.
 *
 * @module
 */

import type { Command } from "commander";
import { systemClock } from "../../../base/clock.ts";
import { writeDuration } from "../../../base/duration.ts";
import { argument, taskCommand, taskOptions } from "../../../app/command.ts";
import type { OptionTable } from "../../../app/options.ts";
import { stderr } from "../../../app/output.ts";
import { ConfigError } from "../../../app/toml/config_error.ts";
import { parsePositiveDuration } from "../../../app/values.ts";
import { formatTime } from "../../devices/edits.ts";
import { ask, ASK_OPTIONS } from "./ask.ts";
import { demandConsent, doToEach, parseSelector, selectDevices } from "./select.ts";

/** What the API answers to it. */
interface Done {
  readonly done: boolean;
}

const OPTIONS = {
  for: { value: "TIME", help: "end those who are still there then (default: never)", parse: parsePositiveDuration },
  ...ASK_OPTIONS,
} as const satisfies OptionTable;

/** The command, below the server's command `name`. */
export function drainCommand(name: string): Command {
  return taskCommand(
    `${name} drain`,
    "Refuses new clients; those who are there may finish.",
    OPTIONS,
    `Examples:
  ${name} drain --for 5m          before the server is stopped: of all devices
  ${name} drain 'gw*' --for 5m    of these alone
  ${name} drain --undo            lets clients in again`,
  )
    .argument("[devices]", "a device's name, a pattern as in gw*, or tag=TAG (default: all)", argument(parseSelector))
    .option("--undo", "let new clients in again")
    .option("--yes", "do not ask back before several are touched")
    .action((devices: string | undefined, _options: unknown, command: Command) => drain(command, devices));
}

async function drain(command: Command, devices: string | undefined): Promise<void> {
  const { undo = false, yes = false } = command.opts<{ undo?: true; yes?: true }>();
  const { for: ms } = taskOptions(OPTIONS, command);
  if (undo && ms !== undefined) {
    throw new ConfigError("--for is about the beginning of a drain; leave it out, or --undo");
  }
  const [word, body] = undo ? ["undrain", {}] : ["drain", ms === undefined ? {} : { for: ms }];
  const told = ({ done }: Done) => !undo ? drained(ms) : done ? "lets clients in again" : "was not draining";
  await ask(command, async (client) => {
    if (devices === undefined) {
      return stderr.write(`the server ${told(await client.post<Done>(`/v1/server/${word}`, body))}`);
    }
    const names = await selectDevices(client, devices);
    demandConsent(undo ? "ends drains" : "drains devices", names, yes);
    await doToEach(names, (name) => client.post<Done>(`/v1/devices/${name}/${word}`, body), told);
  });
}

/** What a drain means for clients, and until when. */
function drained(ms: number | undefined): string {
  if (ms === undefined) return "takes no new clients; those who are there may stay (--for TIME ends them then)";
  const until = formatTime(systemClock.wall() + ms);
  return `takes no new clients; those who are still there in ${writeDuration(ms)}, at ${until}, are ended`;
}
