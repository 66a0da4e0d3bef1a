/**
 * `server confirm`: devices.toml is meant as it is, whomever it leaves out.
 *
 * @module
 */

import { describeError } from "../../base/errors.ts";
import { ConfigError } from "../../app/toml/config_error.ts";
import { stderr } from "../../app/output.ts";
import { readPrivateFile, withLock } from "../../app/files/private_file.ts";
import { consentToFile, consentToLoss } from "../devices/consent.ts";
import { parseDevices } from "../devices/reader.ts";

/**
 * Tells a running server that the file is meant as it is.
 *
 * @throws {ConfigError} if it is not there, or cannot be used.
 */
export async function confirmFile(folder: string, file: string): Promise<void> {
  const count = await withLock(folder, async () => {
    const source = await readPrivateFile(file, false);
    if (source === undefined) throw new ConfigError(`${file} is not there; an empty file is one without devices`);
    const { length } = parseDevices(file, source);
    await consentToFile(folder, source);
    return length;
  });
  stderr.write(`${file} is confirmed as it is, with ${count} ${count === 1 ? "device" : "devices"}`);
}

/** Says that a device is to lose access: a running server believes it at once, however many others go with it. */
export async function meanLoss(folder: string, key: string): Promise<void> {
  try {
    await consentToLoss(folder, key);
  } catch (error) {
    // A full disk must not keep anybody in: one device alone is believed without this.
    stderr.write(describeError(error));
  }
}
