/**
 * `device key` and `server key`: print a public key, for the other side's configuration.
 *
 * @module
 */

import type { Command } from "commander";
import { formatPublicKey } from "../net/tls/identity.ts";
import { examplesOf, printLine, taskCommand, taskOptions } from "./command.ts";
import type { OptionTable } from "./options.ts";
import { stderr } from "./output.ts";
import { loadIdentity, STATE_OPTION, stateFolder } from "./files/state.ts";

const OPTIONS = { state: STATE_OPTION } as const satisfies OptionTable;

/** What to do with a key, for people. */
const HINTS = {
  device: (key: string) =>
    `In devices.toml of the server:\n  [NAME]\n  key = "${key}"\n  services = { ssh = "0.0.0.0:2201" }`,
  server: (key: string) => `On the device, unless it joins with an enrolment string:\n  --server-key ${key}`,
};

/** The command, below the command `name` of a role. */
export function keyCommand(name: string, role: "device" | "server"): Command {
  const help = `Prints the public key of this ${role}, and makes the key if there is none.`;
  return taskCommand(`${name} key`, help, OPTIONS, examplesOf(name, "key")).action((
    _options: unknown,
    command: Command,
  ) => printKey(role, command));
}

async function printKey(role: "device" | "server", command: Command): Promise<void> {
  const { state } = taskOptions(OPTIONS, command);
  const folder = stateFolder(state, role);
  const tell = () => stderr.write(`made a new key in ${folder}`); // perhaps not where it was looked for
  const key = formatPublicKey((await loadIdentity(folder, tell)).publicKey);
  printLine(key);
  if (Deno.stderr.isTerminal()) stderr.write(`\n${HINTS[role](key)}`);
}
