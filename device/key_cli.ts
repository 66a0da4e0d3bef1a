/**
 * `device key`: prints the device's public key, for a server's file of authorized devices.
 *
 * @module
 */

import type { Command } from "commander";
import { formatPublicKey } from "../net/identity.ts";
import { printLine, taskCommand, taskOptions } from "../app/command.ts";
import type { OptionTable } from "../app/options.ts";
import { stderr } from "../app/output.ts";
import { loadIdentity, STATE_OPTION, stateFolder } from "../app/state.ts";

const OPTIONS = { state: STATE_OPTION } as const satisfies OptionTable;

/** The command, below the device's command `name`. */
export function keyCommand(name: string): Command {
  const help = "Prints the public key of this device, and makes the key if there is none.";
  return taskCommand(`${name} key`, help, OPTIONS).action((_options: unknown, command: Command) => printKey(command));
}

async function printKey(command: Command): Promise<void> {
  const { state } = taskOptions(OPTIONS, command);
  const key = formatPublicKey((await loadIdentity(stateFolder(state, "device"))).publicKey);
  printLine(key);
  if (!Deno.stderr.isTerminal()) return;
  stderr.write(
    `\nIn devices.toml of the server:\n  [NAME]\n  key = "${key}"\n  services = { ssh = "0.0.0.0:2201" }`,
  );
}
