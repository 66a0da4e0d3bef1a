/**
 * Has the process trust nothing but what a device was told to, before its first TLS connection.
 *
 * @module
 */

import { forgetRoots } from "../net/portable/peer_certificate.ts";
import { ConfigError } from "../app/toml/config_error.ts";
import type { V2DeviceOptions } from "./options.ts";

/** Flags of the runtime that let others pass for the server, and cannot be taken back while it runs. */
const OPEN_FLAGS = ["--cert", "--unsafely-ignore-certificate-errors"];

/**
 * Empties the runtime's store of CAs, if the server proves itself by its key or by CAs that were named: then these count
 * alone. With `pki` and no CA of one's own that store is what counts, and with `plain` nothing.
 *
 * @param flags The flags that the runtime was started with.
 * @throws {ConfigError} if one of them defeats that.
 */
export function trustOnlyNamed(
  { security = "pinned", caCerts }: Pick<V2DeviceOptions, "security" | "caCerts">,
  flags: readonly string[] = runtimeFlags(),
): void {
  if (security === "plain" || security === "pki" && !caCerts) return;
  const open = OPEN_FLAGS.find((name) => flags.some((flag) => flag === name || flag.startsWith(`${name}=`)));
  // A pinned key is looked at itself, so that another CA does no harm.
  if (open !== undefined && (security === "pki" || open !== "--cert")) {
    throw new ConfigError(
      `the runtime's flag ${open} lets others pass for the server; start it without ${open}`,
    );
  }
  forgetRoots();
}

/** What stands before the program on the command line; nothing where that cannot be read. */
function runtimeFlags(): string[] {
  if (Deno.build.os !== "linux" || Deno.build.standalone) return [];
  try {
    const words = Deno.readTextFileSync("/proc/self/cmdline").split("\0").slice(0, -1);
    return words.slice(0, words.length - Deno.args.length);
  } catch {
    return [];
  }
}
