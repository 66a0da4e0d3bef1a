/**
 * Where the commands about devices find things, and how they change one device of the file.
 *
 * @module
 */

import type { Command } from "commander";
import { taskOptions } from "../../app/command.ts";
import { ConfigError } from "../../app/toml/config_error.ts";
import type { OptionTable } from "../../app/options.ts";
import { withLock } from "../../app/files/private_file.ts";
import { statPath } from "../../app/files/private_folder.ts";
import { STATE_OPTION, stateFolder } from "../../app/files/state.ts";
import type { AuthorizedDevice } from "../devices/authorized_devices.ts";
import { type DeviceEdit, readDevices, unknownDevice, updateDevices } from "../devices/edits.ts";
import { DEVICES_OPTION } from "./enroll.ts";
import { Enrolments } from "../state/enrolments.ts";
import { devicesFile, readFacts } from "../state/facts.ts";
import { hasRun } from "../state/live_state.ts";

/** What every such command can be told. */
export const PLACE_OPTIONS = { devices: DEVICES_OPTION, state: STATE_OPTION } as const satisfies OptionTable;

/** Where the commands find things. */
export interface Place {
  /** The state of the server. */
  readonly folder: string;
  /** The file of authorized devices. */
  readonly file: string;
  /** Strings that wait. */
  readonly enrolments: Enrolments;
}

/** The place that a command was told, or that is the usual one; `device` is the one that it is about. */
export async function placeOf(command: Command, device?: string): Promise<Place> {
  const values = taskOptions(PLACE_OPTIONS, command);
  const folder = stateFolder(values.state, "server");
  const file = devicesFile(folder, values.devices, await readFacts(folder));
  demandState(folder, file, device);
  return { folder, file, enrolments: new Enrolments(folder, file) };
}

/** That there is no such device is an answer only where somebody has kept something; another user's state looks the same. */
function demandState(folder: string, file: string, device: string | undefined): void {
  const traces = [file, `${folder}/server.toml`, `${folder}/enrolments.toml`];
  if (hasRun(folder) || traces.some((path) => statPath(path))) return;
  const what = device === undefined ? "" : `there is no device "${device}": `;
  const where = statPath(folder) ? `with the state in ${folder}` : `with a state in ${folder}, which is not there`;
  throw new ConfigError(
    `${what}no server has run ${where}; run this as the server's user, or name its state with --state (or SALLYPORT_STATE)`,
  );
}

/** The devices of the file, of which `device` has to be one. */
export async function demandDevice(file: string, device: string): Promise<AuthorizedDevice[]> {
  const devices = await readDevices(file);
  if (!devices.some(({ name }) => name === device)) throw unknownDevice(device, devices.map(({ name }) => name));
  return devices;
}

/**
 * Changes one device of the file.
 *
 * @param wanted What is to come of it; it throws if it cannot.
 * @throws {ConfigError} if the device is not there, or is written in a way that `edit` does not understand.
 */
export async function changeDevice(
  command: Command,
  device: string,
  edit: DeviceEdit,
  wanted: (before: AuthorizedDevice) => AuthorizedDevice,
): Promise<void> {
  const { folder, file, enrolments } = await placeOf(command, device);
  await withLock(folder, async () => {
    const devices = await readDevices(file);
    const before = devices.find(({ name }) => name === device);
    if (!before) {
      if ((await enrolments.waiting()).some((waiting) => waiting.device === device)) {
        throw new ConfigError(
          `"${device}" has not used its enrolment string yet; enroll it anew with what it should have`,
        );
      }
      throw unknownDevice(device, devices.map(({ name }) => name));
    }
    const after = wanted(before);
    await updateDevices(file, device, edit, after);
  });
}
