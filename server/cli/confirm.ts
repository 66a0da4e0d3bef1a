/**
 * `server confirm`: devices.toml is meant as it is, whomever it leaves out.
 *
 * @module
 */

import { counted } from "../../base/table.ts";
import { ConfigError } from "../../app/toml/config_error.ts";
import { stderr } from "../../app/output.ts";
import { readPrivateFile, withLock } from "../../app/files/private_file.ts";
import { consentToFile } from "../devices/consent.ts";
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
  stderr.write(`${file} is confirmed as it is, with ${counted(count, "device")}`);
}
