/**
 * `device join`: takes the server's one string, makes this device's key, and stays up.
 *
 * @module
 */

import type { Command } from "commander";
import { formatAddress } from "../protocol/address.ts";
import { decodeEnrolment, type Enrolment } from "../protocol/enrolment.ts";
import { formatPublicKey } from "../net/identity.ts";
import { keepAliveOptions, printLine, taskCommand, taskOptions } from "../app/command.ts";
import { ConfigError } from "../app/config_error.ts";
import { required } from "../app/options.ts";
import { loadIdentity, stateFolder } from "../app/state.ts";
import { checkNames, LINK_OPTIONS, SERVICE_OPTION } from "./config.ts";
import { loadDevice, saveDevice } from "./state.ts";

const OPTIONS = {
  service: { ...SERVICE_OPTION, help: SERVICE_OPTION.help.replace(/^v2: |; v1: .*$/g, "") },
  ...LINK_OPTIONS,
  ...keepAliveOptions("server", ["1s", "1s", "2"]),
} as const;

/** The command, below the device's command `name`; `run` runs the device with what is stored then. */
export function joinCommand(name: string, run: (command: Command) => Promise<void>): Command {
  const help = "Joins the server that printed the string: makes this device's key, proves itself, then stays up.";
  return taskCommand(`${name} join`, help, OPTIONS, examples(name), true)
    .argument("<string>", "what `server enroll` printed, sp2_…")
    .option("--no-run", "store what the string says, and end; the device joins when it runs")
    .option("--replace", "forget the server that this device has joined before")
    .action(async (text: string, _options: unknown, command: Command) => {
      await join(readString(text), command);
      if (command.opts<{ run: boolean }>().run) await run(command);
    });
}

/** The string is a secret: it is not shown again. */
function readString(text: string): Enrolment {
  try {
    return decodeEnrolment(text);
  } catch (error) {
    throw error instanceof SyntaxError ? new ConfigError(error.message) : error;
  }
}

async function join(enrolment: Enrolment, command: Command): Promise<void> {
  const values = taskOptions(OPTIONS, command);
  const services = required(values.service, "service", "--service ssh=127.0.0.1:22");
  checkNames(services);
  const folder = stateFolder(values.state, "device");
  const before = await loadDevice(folder);
  const { serverKey, security, addresses, tokenId, tokenSecret } = enrolment;
  const same = before !== undefined && formatPublicKey(before.serverKey) === formatPublicKey(serverKey);
  if (before && !same && command.opts<{ replace?: true }>().replace !== true) {
    const where = before.addresses.map(formatAddress).join(", ");
    throw new ConfigError(`this device has joined ${where} before; --replace forgets that, --state DIR keeps both`);
  }
  await loadIdentity(folder);
  await saveDevice(folder, {
    serverKey,
    security,
    addresses,
    services: services.map(({ text }) => text),
    enrolment: { tokenId, tokenSecret },
  });
  printLine(`stored ${folder}`);
}

function examples(name: string): string {
  const server = name.replace(/device$/, "server");
  return `Examples:
  On the server, first:  ${server} enroll gw1 --service ssh=0.0.0.0:2201
  Then here:             ${name} join 'sp2_...' --service ssh=127.0.0.1:22
  From the next start on, what is stored will do:
    ${name}`;
}
