/**
 * One device, as the file of devices has it.
 *
 * @module
 */

import { V2_MAX_TEXT } from "../../protocol/v2/limits.ts";
import { parseName } from "../../protocol/name.ts";
import type { KeepAliveChoice } from "../../protocol/keep_alive.ts";
import { parseDuration } from "../../base/duration.ts";
import { formatPublicKey, parsePublicKey } from "../../net/tls/identity.ts";
import { parseTag } from "../../app/admin/selector.ts";
import { MAX_TAGS } from "../../app/limits.ts";
import type { TomlTable } from "../../app/toml/table.ts";
import { parseKeepAlive } from "../../app/link_options.ts";
import { parseTime } from "../../app/values.ts";
import type { AccessRules } from "../access/rules.ts";
import { readRules } from "../access/rules_table.ts";
import { readGrants } from "./grant_table.ts";
import type { ServiceGrant } from "./service_grant.ts";

/** A device as the file has it. */
export interface AuthorizedDevice {
  /** Its name in logs and commands. */
  readonly name: string;
  /** Its public key, as text: what it is known by. */
  readonly key: string;
  /** What it may offer. */
  readonly services: readonly ServiceGrant[];
  /** When it may no longer link up, in milliseconds since 1970. */
  readonly expires?: number;
  /** Milliseconds that its session outlives a link, if not as for all (seed 002, "expiration time"). */
  readonly expiration?: number;
  /** The keep-alive of both ends of its links, if not as for all, and as the device wants it. */
  readonly keepAlive?: KeepAliveChoice;
  /** Whether it may not link up for now. */
  readonly disabled: boolean;
  /** Words to select it by, such as `site:berlin`. */
  readonly tags?: readonly string[];
  /** For people. */
  readonly comment?: string;
  /** Rules for all its services, unless one has its own. */
  readonly access?: AccessRules;
}

/** The table of rules for all devices: no device can have this name. */
export const DEFAULTS = "defaults";

/** Reads that table. @throws {ConfigError} with the place of the mistake. */
export function readDefaults(table: TomlTable): AccessRules {
  if (table.names.includes("key")) {
    throw table.error("key", `[${DEFAULTS}] has the rules for all devices; give the device of this key another name`);
  }
  return readRules(table);
}

/**
 * Reads the table of a device.
 *
 * @throws {ConfigError} with the place of the mistake; what nobody asked for is for the table to reject.
 */
export function readDevice(name: string, table: TomlTable): AuthorizedDevice {
  try {
    parseName(name);
  } catch (error) {
    throw error instanceof SyntaxError ? table.error(undefined, error.message) : error;
  }
  const key = table.one("key", (text) => formatPublicKey(parsePublicKey(text)));
  const services = table.table("services");
  const grants = services ? readGrants(services) : [];
  const expires = table.one("expires", parseTime);
  const expiration = table.one("expiration", parseDuration);
  const keepAlive = table.one("keep-alive", parseKeepAlive);
  const disabled = table.flag("disabled") ?? false;
  const comment = table.one("comment", parseComment);
  const tags = table.list("tags", parseTag);
  if (tags && tags.length > MAX_TAGS) throw table.error("tags", `${MAX_TAGS} tags are the most`);
  const access = readRules(table);
  if (key === undefined) {
    table.rejectUnknown(); // a slip of the pen explains more
    throw table.error(undefined, `"key" is missing; "device key" prints it on the device`);
  }
  return {
    name,
    key,
    services: grants,
    ...(expires !== undefined && { expires }),
    ...(expiration !== undefined && { expiration }),
    ...(keepAlive !== undefined && { keepAlive }),
    disabled,
    ...(tags !== undefined && { tags: [...new Set(tags)] }),
    ...(comment !== undefined && { comment }),
    ...(Object.keys(access).length > 0 && { access }),
  };
}

/** Reads what stands beside a device for people. */
export function parseComment(text: string): string {
  if (new TextEncoder().encode(text).length <= V2_MAX_TEXT && !/\p{Cc}/u.test(text)) return text;
  throw new SyntaxError(`a comment is one line of ${V2_MAX_TEXT} bytes at most`);
}
