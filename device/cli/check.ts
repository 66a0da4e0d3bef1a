/**
 * `device --check`: what a device would run with, and whether it could.
 *
 * @module
 */

import { formatAddress } from "../../protocol/address.ts";
import { chooseEngine, describeEngine } from "../../net/engines.ts";
import { settledKeepAlive, unsaidKeepAlive } from "../../app/link_options.ts";
import { printLine } from "../../app/command.ts";
import { describeOptions } from "../../app/options.ts";
import { stderr } from "../../app/output.ts";
import { adminWish } from "../../app/admin/options.ts";
import { readIdentity, stateFolder } from "../../app/files/state.ts";
import { readCa } from "./ca.ts";
import { describeDevice } from "./describe.ts";
import { DEVICE_OPTIONS } from "./config.ts";
import type { Told } from "./reload.ts";

/** Prints it, with the warnings there are. @throws {ConfigError} for what cannot be. */
export async function checkDevice(
  { values, config }: Pick<Told, "values" | "config">,
  warnings: readonly string[],
): Promise<void> {
  const isV2 = config.profile === "v2";
  await adminWish(values, isV2 ? "unix" : "off");
  for (const warning of warnings) stderr.write(`warning: ${warning}`);
  const lines = describeDevice(config);
  if (isV2) {
    const folder = stateFolder(values.state, "device");
    await readIdentity(folder);
    lines.push(`state ${folder}`);
  }
  if (config.profile === "v2" && config.ca !== undefined) readCa(config.ca);
  const inForce = { ...values, ...settledKeepAlive(config.keepAlive!) };
  lines.push(`engine ${describeEngine(chooseEngine(config.engine))}`);
  if (values.metrics) lines.push(`metrics ${formatAddress(values.metrics)}`);
  const without = [
    ...["profile", "engine"] as const, // stand above
    ...(isV2 ? ["stall-timeout"] as const : ["mode", "expiration"] as const),
    ...(isV2 || values.admin !== undefined ? [] : ["admin"] as const),
    ...unsaidKeepAlive(config.keepAlive, false),
  ];
  for (const line of [...lines, ...describeOptions(DEVICE_OPTIONS, inForce, without)]) printLine(line);
}
