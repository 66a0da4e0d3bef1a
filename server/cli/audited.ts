/**
 * Commands that change files beside a server: each leaves a line in its audit, if it has one.
 *
 * @module
 */

import type { Command } from "commander";
import { auditCommand } from "../../app/audit/command_line.ts";
import { stderr } from "../../app/output.ts";
import { stateFolder } from "../../app/files/state.ts";
import { taskOptions } from "../../app/command.ts";
import { PLACE_OPTIONS } from "./files/device_place.ts";
import { readFacts } from "../state/facts.ts";

/** Commands that a server did which runs: it audits them itself. */
const doneByServer = new WeakSet<Command>();

/** A server that runs has done what a command asked for. */
export function wasDoneByServer(command: Command): void {
  doneByServer.add(command);
}

/** The same command, or group of commands, of which every success is audited. */
export function audited(command: Command): Command {
  return command.hook("postAction", async (_group, done) => {
    if (doneByServer.has(done)) return;
    const { state } = taskOptions(PLACE_OPTIONS, done);
    const { audit } = await readFacts(stateFolder(state, "server")) ?? {};
    const words: string[] = [];
    for (let each: Command | null = done; each?.parent; each = each.parent) words.unshift(each.name());
    if (words[0] !== "server") words.unshift("server"); // the program of the server alone has no such word
    const trouble = auditCommand(audit, { event: "act", act: words.join(" "), arguments: done.args });
    if (trouble !== undefined) stderr.write(`warning: ${trouble}`);
  });
}
