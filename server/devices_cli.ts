/**
 * `server enroll`, `devices`, `revoke`, `disable`, `enable`, `rename`: the files of a server, whether it runs or not.
 *
 * @module
 */

import type { Command } from "commander";
import { fingerprint, parsePublicKey } from "../net/identity.ts";
import { argument, printLine, taskCommand, taskOptions } from "../app/command.ts";
import { ConfigError } from "../app/config_error.ts";
import type { OptionTable } from "../app/options.ts";
import { stderr } from "../app/output.ts";
import { withLock } from "../app/private_file.ts";
import { STATE_OPTION, stateFolder } from "../app/state.ts";
import { parseName } from "../app/values.ts";
import type { AuthorizedDevice } from "./authorized_devices.ts";
import {
  type DeviceEdit,
  formatTime,
  readDevices,
  removeDevice,
  renameDevice,
  setDisabled,
  unknownDevice,
  updateDevices,
} from "./device_table.ts";
import { DEVICES_OPTION, enrollCommand } from "./enroll_cli.ts";
import { Enrolments, type PendingEnrolment } from "./enrolments.ts";
import { devicesFile, readFacts } from "./facts.ts";
import { formatGrantedAddress, type ServiceGrant } from "./service_grant.ts";

const OPTIONS = { devices: DEVICES_OPTION, state: STATE_OPTION } as const satisfies OptionTable;

/** Where the commands find things. */
interface Place {
  readonly folder: string;
  readonly file: string;
  readonly enrolments: Enrolments;
}

/** All commands about devices, for the server's command that users know as `name`. */
export function devicesCommands(name: string): Command[] {
  return [
    enrollCommand(name),
    taskCommand(`${name} devices`, "Shows the devices that may link up, and those that may enrol.", OPTIONS)
      .option("--json", "print JSON")
      .action((_options: unknown, command: Command) => list(command)),
    named(`${name} revoke`, "Removes a device: its link ends, and its key is worth nothing.", revoke),
    named(`${name} disable`, "Bars a device until it is enabled again.", (at, device) => {
      return edit(at, device, setDisabled(device, true), "is disabled");
    }),
    named(`${name} enable`, "Lets a disabled device in again.", (at, device) => {
      return edit(at, device, setDisabled(device, false), "is enabled");
    }),
    taskCommand(`${name} rename`, "Gives a device another name; its key, its services and its link stay.", OPTIONS)
      .argument("<old>", "its name", argument(parseName))
      .argument("<new>", "its name from now on", argument(parseName))
      .action(async (before: string, after: string, _options: unknown, command: Command) => {
        await rename(await placeOf(command), before, after);
      }),
  ];
}

function named(fullName: string, help: string, run: (place: Place, device: string) => Promise<void>): Command {
  return taskCommand(fullName, help, OPTIONS)
    .argument("<name>", "the device's name", argument(parseName))
    .action(async (device: string, _options: unknown, command: Command) => run(await placeOf(command), device));
}

async function placeOf(command: Command): Promise<Place> {
  const values = taskOptions(OPTIONS, command);
  const folder = stateFolder(values.state, "server");
  const file = devicesFile(folder, values.devices, await readFacts(folder));
  return { folder, file, enrolments: new Enrolments(folder, file) };
}

async function edit({ folder, file }: Place, device: string, change: DeviceEdit, what: string): Promise<void> {
  await withLock(folder, async () => {
    await demandDevice(file, device);
    await updateDevices(file, device, change);
  });
  stderr.write(`"${device}" ${what}`);
}

async function revoke({ folder, file, enrolments }: Place, device: string): Promise<void> {
  const withdrawn = await withLock(folder, async () => {
    const there = (await readDevices(file)).some(({ name }) => name === device);
    const count = await enrolments.withdraw(device); // first: what is revoked must not come back
    if (!there && count === 0) await demandDevice(file, device);
    if (there) await updateDevices(file, device, removeDevice(device));
    return count;
  });
  stderr.write(`"${device}" is revoked${withdrawn > 0 ? ", with the enrolment that waited" : ""}`);
}

async function rename({ folder, file }: Place, before: string, after: string): Promise<void> {
  await withLock(folder, async () => {
    const devices = await demandDevice(file, before);
    if (devices.some(({ name }) => name === after)) {
      throw new ConfigError(`there is a device "${after}" already; take another name`);
    }
    await updateDevices(file, before, renameDevice(before, after));
  });
  stderr.write(`"${before}" is "${after}" from now on`);
}

async function demandDevice(file: string, device: string): Promise<AuthorizedDevice[]> {
  const devices = await readDevices(file);
  if (!devices.some(({ name }) => name === device)) throw unknownDevice(device, devices.map(({ name }) => name));
  return devices;
}

/** One line of `devices`. */
interface Row {
  readonly name: string;
  readonly key: string | null;
  readonly fingerprint: string | null;
  readonly state: "active" | "disabled" | "expired" | "enrolling";
  readonly services: Record<string, string>;
  readonly expires: string | null;
  readonly comment: string | null;
}

async function list(command: Command): Promise<void> {
  const { file, enrolments } = await placeOf(command);
  const rows = [
    ...await Promise.all((await readDevices(file)).map((device) => rowOf(device, Date.now()))),
    ...(await enrolments.waiting()).map(waitingRow),
  ];
  if (command.opts<{ json?: true }>().json) printLine(JSON.stringify(rows));
  else if (rows.length === 0) stderr.write("no devices yet; enroll lets one in");
  else for (const line of tableOf(rows)) printLine(line);
}

async function rowOf(device: AuthorizedDevice, now: number): Promise<Row> {
  const { name, key, services, expires, disabled, comment } = device;
  const expired = expires !== undefined && expires <= now;
  return {
    name,
    key,
    fingerprint: await fingerprint(parsePublicKey(key)),
    state: disabled ? "disabled" : expired ? "expired" : "active",
    services: addressesOf(services),
    expires: expires === undefined ? null : formatTime(expires),
    comment: comment ?? null,
  };
}

function waitingRow({ device, services, expires, validUntil, comment }: PendingEnrolment): Row {
  return {
    name: device,
    key: null,
    fingerprint: null,
    state: "enrolling",
    services: addressesOf(services ?? []),
    expires: expires === undefined ? null : formatTime(expires),
    comment: [`until ${formatTime(validUntil)}`, comment].filter(Boolean).join("; "),
  };
}

function addressesOf(services: readonly ServiceGrant[]): Record<string, string> {
  return Object.fromEntries(services.map(({ name, listen }) => [name, formatGrantedAddress(listen)]));
}

/** Columns as wide as what stands in them. */
function tableOf(rows: readonly Row[]): string[] {
  const cells = [
    ["NAME", "KEY", "STATE", "EXPIRES", "SERVICES", "COMMENT"],
    ...rows.map(({ name, fingerprint, state, expires, services, comment }) => [
      name,
      fingerprint ?? "-",
      state,
      expires ?? "never",
      Object.entries(services).map(([service, address]) => `${service}=${address}`).join(" ") || "-",
      comment ?? "",
    ]),
  ];
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  return cells.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd());
}
