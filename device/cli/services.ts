/**
 * `device service add`, `move`, `remove` and `list`: what a device that has joined offers from its next start on.
 *
 * @module
 */

import type { Command } from "commander";
import { listed } from "../../base/format.ts";
import { parseName } from "../../protocol/name.ts";
import { argument, examplesOf, groupCommand, printLine, taskCommand, taskOptions } from "../../app/command.ts";
import { ConfigError } from "../../app/toml/config_error.ts";
import { stderr } from "../../app/output.ts";
import type { OptionTable } from "../../app/options.ts";
import { askRunning } from "../../app/doctor/running.ts";
import { STATE_OPTION, stateFolder } from "../../app/files/state.ts";
import { chooseEngine } from "../../net/engines.ts";
import { demandServable, lackOf } from "../endpoints/registry.ts";
import { parseNamedServices } from "../v2/named_service.ts";
import { claimState } from "./running.ts";
import type { DeviceFacts } from "../admin/schemas.ts";
import { changeServices, loadDevice, type StoredDevice } from "./state.ts";
import { addStored, moveStored, nameOf, optionsLost, removeStored } from "./stored_services.ts";

const OPTIONS = { state: STATE_OPTION } as const satisfies OptionTable;

/** The command with those below it, below the device's command `name`. */
export function servicesCommand(name: string): Command {
  const fullName = `${name} service`;
  const what = "Adds, moves, removes and lists the services that a device which has joined offers.";
  return groupCommand(fullName, what, OPTIONS, examples(name))
    .addCommand(
      taskCommand(
        `${fullName} add`,
        'Offers one more service, from the next start or "device reload" on.',
        OPTIONS,
        examplesOf(fullName, "add db=127.0.0.1:5432", "add docker=unix:/run/docker.sock"),
      )
        .argument("<service>", "the service, NAME=HOST:PORT or NAME=ENDPOINT, as --service takes it", argument(checked))
        .action((text: string, _options: unknown, command: Command) =>
          change(command, (before) => addStored(before, text), text)
        ),
    )
    .addCommand(
      taskCommand(
        `${fullName} move`,
        'Gives a service another endpoint, from the next start or "device reload" on; its clients stay where they are.',
        OPTIONS,
        examplesOf(fullName, "move db=127.0.0.1:5433", "move docker=unix:/run/user/1000/docker.sock"),
      )
        .argument(
          "<service>",
          "the service and what stands behind it from now on, NAME=HOST:PORT or NAME=ENDPOINT, with all its options",
          argument(checked),
        )
        .action((text: string, _options: unknown, command: Command) =>
          change(command, (before) => moveStored(before, text), text)
        ),
    )
    .addCommand(
      taskCommand(
        `${fullName} remove`,
        'Offers a service no more, from the next start or "device reload" on.',
        OPTIONS,
        examplesOf(fullName, "remove db"),
      )
        .argument("<name>", "the service's name", argument(parseName))
        .action((service: string, _options: unknown, command: Command) =>
          change(command, (before) => removeStored(before, service))
        ),
    )
    .addCommand(
      taskCommand(`${fullName} list`, "Prints the services, as they are stored.", OPTIONS, examplesOf(fullName, "list"))
        .action(async (_options: unknown, command: Command) => {
          const folder = folderOf(command);
          for (const service of demandJoined(folder, await loadDevice(folder)).services) printLine(service);
        }),
    );
}

/** Names of stored services that are not among `services`. */
export function leftOut(stored: StoredDevice | undefined, services: readonly string[]): string[] {
  const names = new Set(services.map(nameOf));
  return (stored?.services ?? []).map(nameOf).filter((name) => !names.has(name));
}

/** Changes what is stored; `put` is what is new, or has another endpoint now. */
async function change(
  command: Command,
  edit: (before: readonly string[]) => readonly string[],
  put?: string,
): Promise<void> {
  const folder = folderOf(command);
  demandJoined(folder, await loadDevice(folder)); // no folder is made where there is nothing to change
  const runs = await isRunning(folder);
  const { facts } = runs ? await askRunning(folder, (client) => client.get<DeviceFacts>("/v1/device")) : {};
  const lacks = put === undefined ? undefined : lackThere(put, facts);
  let before: readonly string[] = [];
  const services = listed(await changeServices(folder, (stored) => edit(before = stored)));
  if (lacks !== undefined) stderr.write(`stored, but never offered with the engine that there is here: ${lacks}`);
  if (facts?.servicesFrom === "options") {
    stderr.write(
      "stored, and of no effect on the device that runs: its configuration file, environment or command line says " +
        '"service", which stands in place of all that is stored; change it there, and then "sallyport device reload"',
    );
  } else if (runs) {
    stderr.write(`stored: this device offers ${services}; "sallyport device reload" has the one that runs do so now`);
  } else {
    stderr.write(`from its next start on this device offers ${services}, unless its configuration says "service"`);
  }
  const had = put === undefined ? undefined : before.find((service) => nameOf(service) === nameOf(put));
  if (put === undefined || had === undefined) return;
  const lost = optionsLost(had, put);
  if (lost.length > 0) {
    stderr.write(`"${nameOf(put)}" is without ${listed(lost)} now; to keep what it had, move it with that behind it`);
  }
}

/**
 * What an added service lacks here, where nobody knows with which engine the device will run.
 *
 * @throws {ConfigError} if the one that runs can never serve it.
 */
function lackThere(text: string, running: DeviceFacts | undefined): string | undefined {
  const services = parseNamedServices(text);
  if (running?.engine === "portable") {
    const mistake = (message: string) => new ConfigError(`the device that runs cannot serve ${message}`);
    demandServable(services, chooseEngine("portable").engine, mistake);
  }
  return running ? undefined : lackOf(services[0]!, chooseEngine("auto").engine);
}

/** Whether a device runs with a state: then it has to be told of changes. */
async function isRunning(folder: string): Promise<boolean> {
  try {
    using _claim = await claimState(folder);
    return false;
  } catch (error) {
    if (error instanceof ConfigError) return true; // and if it is for another cause, the change itself says so
    throw error;
  }
}

function folderOf(command: Command): string {
  return stateFolder(taskOptions(OPTIONS, command).state, "device");
}

function demandJoined(folder: string, stored: StoredDevice | undefined): StoredDevice {
  if (stored) return stored;
  throw new ConfigError(
    `this device has not joined a server: ${folder} has none; \`join\` stores its services as well`,
  );
}

function checked(text: string): string {
  parseNamedServices(text);
  return text;
}

function examples(name: string): string {
  const server = name.replace(/device$/, "server");
  return `Examples:
  On the server, first:  ${server} service add gw1 db=0.0.0.0:5432
  Then here:             ${name} service add db=127.0.0.1:5432
  With another endpoint: ${name} service move db=127.0.0.1:5433
  And no more:           ${name} service remove db

A device that runs goes by them from "device reload" on, any other from its next start. At the reload clients of a
service that was moved stay where they are, and those of one that was removed are ended.`;
}
