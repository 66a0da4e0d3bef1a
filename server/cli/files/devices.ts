/**
 * `server enroll`, `devices`, `revoke`, `disable`, `enable`, `rename`, `service …`, `open`, `shut`, `expire`: the files of a server, whether it runs or not.
 *
 * @module
 */

import { systemClock } from "../../../base/clock.ts";
import type { Command } from "commander";
import { parseName } from "../../../protocol/name.ts";
import { argument, examplesOf, printLine, taskCommand } from "../../../app/command.ts";
import { stderr, terminalColumns } from "../../../app/output.ts";
import { confirmFile } from "../confirm.ts";
import { readDevices, unknownDevice } from "../../devices/edits.ts";
import { type Place, PLACE_OPTIONS, placeOf } from "./device_place.ts";
import { enrollCommand } from "./enroll.ts";
import { whyNotInForce } from "./held_file.ts";
import { liveDevices } from "../admin/live.ts";
import { rowOf, waitingRow } from "./device_rows.ts";
import { reasonLines, tableOf } from "./device_table.ts";
import { selector } from "../../../app/admin/selector.ts";
import { parseSelector } from "../admin/select.ts";
import { tagCommand } from "./tags.ts";
import { openingCommands } from "./openings.ts";
import { servicesCommands } from "./services.ts";

/** All commands about devices, for the server's command that users know as `name`. */
export function devicesCommands(name: string): Command[] {
  return [
    enrollCommand(name),
    taskCommand(
      `${name} devices`,
      "Shows the devices that may link up, and those that may enrol.",
      PLACE_OPTIONS,
      examplesOf(
        name,
        "devices",
        "devices 'gw*'",
        "devices tag=site:berlin --json | jq -r '.[] | select(.online).name'",
      ),
    )
      .argument("[devices]", "only these: a name, a pattern as in gw*, or tag=TAG", argument(parseSelector))
      .option("--json", "print JSON")
      .action((devices: string | undefined, _options: unknown, command: Command) => list(command, devices)),
    named(name, "revoke", "Removes a device: its link ends, and its key is worth nothing.", revoke),
    named(name, "disable", "Bars a device until it is enabled again.", (at, device) => {
      return setDisabled(at, device, true);
    }),
    named(name, "enable", "Lets a disabled device in again.", (at, device) => setDisabled(at, device, false)),
    taskCommand(
      `${name} rename`,
      "Gives a device another name; its key, its services and its link stay.",
      PLACE_OPTIONS,
      examplesOf(name, "rename gw1 roof-7"),
    )
      .argument("<old>", "its name", argument(parseName))
      .argument("<new>", "its name from now on", argument(parseName))
      .action(async (before: string, after: string, _options: unknown, command: Command) => {
        await rename(await placeOf(command, before), before, after);
      }),
    tagCommand(name),
    ...servicesCommands(name),
    ...openingCommands(name),
    taskCommand(
      `${name} confirm`,
      "Takes devices.toml as it is, though it bars most devices, or all of them.",
      PLACE_OPTIONS,
      examplesOf(name, "confirm"),
    )
      .action(async (_options: unknown, command: Command) => {
        const { folder, file } = await placeOf(command);
        await confirmFile(folder, file);
      }),
  ];
}

function named(
  name: string,
  word: string,
  help: string,
  run: (place: Place, device: string) => Promise<void>,
): Command {
  return taskCommand(`${name} ${word}`, help, PLACE_OPTIONS, examplesOf(name, `${word} gw1`))
    .argument("<name>", "the device's name", argument(parseName))
    .action(async (device: string, _options: unknown, command: Command) => run(await placeOf(command, device), device));
}

async function setDisabled({ acts }: Place, device: string, disabled: boolean): Promise<void> {
  await acts.setDisabled(device, disabled);
  const what = disabled
    ? "is disabled"
    : "is enabled; it asks again within seconds if it was disabled lately, within a minute else";
  stderr.write(`"${device}" ${what}`);
}

async function revoke({ acts }: Place, device: string): Promise<void> {
  const withdrawn = await acts.revoke(device);
  stderr.write(`"${device}" is revoked${withdrawn > 0 ? ", with the enrolment that waited" : ""}`);
}

async function rename({ acts }: Place, before: string, after: string): Promise<void> {
  await acts.rename(before, after);
  stderr.write(`"${before}" is "${after}" from now on`);
}

async function list(command: Command, only = "*"): Promise<void> {
  const { folder, file, enrolments } = await placeOf(command);
  const devices = await readDevices(file);
  const isMeant = selector(only);
  const live = await liveDevices(folder);
  const rows = [
    ...await Promise.all(
      devices.filter(({ name, tags }) => isMeant(name, tags)).map((device) => rowOf(device, systemClock.wall(), live)),
    ),
    ...(await enrolments.waiting()).filter(({ device }) => isMeant(device)).map((waiting) =>
      waitingRow(waiting, systemClock.wall())
    ),
  ].toSorted((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  const doubt = live && await whyNotInForce({ folder, file }, devices, live);
  if (doubt !== undefined) stderr.write(doubt);
  if (rows.length === 0 && only !== "*") throw unknownDevice(only, devices.map(({ name }) => name));
  if (command.opts<{ json?: true }>().json) return printLine(JSON.stringify(rows));
  if (rows.length === 0) {
    if (doubt === undefined) stderr.write(`no devices yet in ${file}; enroll lets one in`);
    return;
  }
  for (const line of tableOf(rows, terminalColumns(), systemClock.wall())) printLine(line);
  for (const line of reasonLines(rows)) stderr.write(line);
  if (!live) stderr.write("whether devices are online is unknown: the server is not running");
}
