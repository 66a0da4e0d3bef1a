/**
 * Where the commands about devices find things, and how they change one device of the file.
 *
 * @module
 */

import type { Command } from "commander";
import { taskOptions } from "../../../app/command.ts";
import { ConfigError } from "../../../app/toml/config_error.ts";
import { ADMIN_SOCKET } from "../../../app/admin/address.ts";
import type { OptionTable } from "../../../app/options.ts";
import { stderr } from "../../../app/output.ts";
import { statPath } from "../../../app/files/private_folder.ts";
import { STATE_OPTION, stateFolder } from "../../../app/files/state.ts";
import { DEVICES_OPTION } from "./enroll.ts";
import { DeviceActs } from "../../state/device_acts.ts";
import { Enrolments } from "../../state/enrolments.ts";
import { V1_HAS_NO_DEVICES } from "../../devices/edits.ts";
import { devicesFile, readFacts } from "../../state/facts.ts";
import { hasRun } from "../../state/live_state.ts";

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
  /** What can be done to devices there. */
  readonly acts: DeviceActs;
}

/** The place that a command was told, or that is the usual one; `device` is the one that it is about. */
export async function placeOf(command: Command, device?: string): Promise<Place> {
  const values = taskOptions(PLACE_OPTIONS, command);
  const folder = stateFolder(values.state, "server");
  const file = devicesFile(folder, values.devices, await readFacts(folder));
  demandState(folder, file, device);
  const enrolments = new Enrolments(folder, file);
  const acts = new DeviceActs({ folder, file, enrolments, warn: (line) => stderr.write(line) });
  return { folder, file, enrolments, acts };
}

/** That there is no such device is an answer only where somebody has kept something; another user's state looks the same. */
function demandState(folder: string, file: string, device: string | undefined): void {
  const traces = [file, `${folder}/server.toml`, `${folder}/enrolments.toml`];
  if (hasRun(folder) || traces.some((path) => statPath(path))) return;
  if (statPath(`${folder}/${ADMIN_SOCKET}`)) {
    throw new ConfigError(`the server of ${folder} ${V1_HAS_NO_DEVICES}`);
  }
  const what = device === undefined ? "" : `there is no device "${device}": `;
  const where = statPath(folder) ? `with the state in ${folder}` : `with a state in ${folder}, which is not there`;
  throw new ConfigError(
    `${what}no server has run ${where}; run this as the server's user, or name its state with --state (or SALLYPORT_STATE)`,
  );
}
