/**
 * `server reload`: the server reads its configuration anew.
 *
 * @module
 */

import type { Command } from "commander";
import { tellReload } from "../../../app/admin/cli/reload.ts";
import { examplesOf, taskCommand } from "../../../app/command.ts";
import type { Reloaded } from "../../../app/reload/report.ts";
import { ask, ASK_OPTIONS } from "./ask.ts";

/** The command, below the server's command `name`. */
export function reloadCommand(name: string): Command {
  const what = "Has the server read its configuration anew; what can change does, without cutting anybody.";
  return taskCommand(`${name} reload`, what, ASK_OPTIONS, examplesOf(name, "reload")).action(async (
    _options: unknown,
    command: Command,
  ) => tellReload(await ask(command, (client) => client.post<Reloaded>("/v1/server/reload"))));
}
