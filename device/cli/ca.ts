/**
 * The file of a private CA.
 *
 * @module
 */

import { X509Certificate } from "node:crypto";
import { whyUnreadable } from "../../base/errors.ts";
import { readPemFile } from "../../net/tls/pem_file.ts";
import { ConfigError } from "../../app/toml/config_error.ts";

/**
 * Reads `file`.
 *
 * @throws {ConfigError} if it cannot be read, or is no certificate as PEM: the first dial would be late to say so.
 */
export function readCa(file: string): string {
  let text: string;
  try {
    text = readPemFile(file);
  } catch (error) {
    throw new ConfigError(`Cannot use ${file} as --ca: ${whyUnreadable(error)}`, { cause: error });
  }
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new ConfigError(`Cannot use ${file} as --ca: it has no certificate as PEM`);
  try {
    for (const block of blocks) new X509Certificate(block);
  } catch (error) {
    throw new ConfigError(`Cannot use ${file} as --ca: it has a damaged certificate`, { cause: error });
  }
  return text;
}
