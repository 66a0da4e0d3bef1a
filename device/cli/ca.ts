/**
 * The file of a private CA, and the way to a server that proves itself by it or otherwise.
 *
 * @module
 */

import { X509Certificate } from "node:crypto";
import { whyUnreadable } from "../../base/errors.ts";
import { readPemFile } from "../../net/tls/pem_file.ts";
import { ConfigError } from "../../app/toml/config_error.ts";
import type { DeviceWay, V2Way } from "../options.ts";
import { trustOnlyNamed } from "../trust.ts";
import { demandWay } from "../way.ts";
import type { DeviceConfig, V2Config } from "./config.ts";

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

/** Where a device dials that was told this, with what is in the file of the CA now. @throws {ConfigError} as {@linkcode readCa}. */
export function wayOf(config: DeviceConfig): DeviceWay {
  const { profile } = config;
  return profile === "v1" ? { profile, server: config.server } : { profile, ...v2WayOf(config) };
}

/** The same of v2. */
export function v2WayOf(config: V2Config): V2Way {
  const { server, serverKey, security, sni, binding, proxyFor, ca } = config;
  return {
    server,
    serverKey,
    ...(security !== undefined && { security }),
    ...(sni !== undefined && { sni }),
    ...(binding !== undefined && { binding }),
    ...(proxyFor && { proxyFor }),
    ...(ca !== undefined && { caCerts: [readCa(ca)] }),
  };
}

/**
 * Demands that a device which was told this can dial with `tls`, and trust nobody else: before anything is stored, and at
 * `--check`.
 *
 * @throws {ConfigError}, {RangeError} or {UnprovableError} with why not.
 */
export function demandWayOf(config: V2Config, tls: Parameters<typeof demandWay>[1]): void {
  const way = v2WayOf(config);
  trustOnlyNamed(way); // what the runtime trusts counts
  demandWay(way, tls);
}
