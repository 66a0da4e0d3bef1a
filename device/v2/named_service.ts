/**
 * A service that a v2 device offers by name, as its owner writes it.
 *
 * @module
 */

import { V2_MAX_CHANNELS } from "../../protocol/v2/limits.ts";
import { type Address, parseAddress } from "../../protocol/address.ts";
import { parseName } from "../../protocol/name.ts";
import { parsePositiveDuration } from "../../base/duration.ts";

/** A service by name. */
export interface NamedService {
  /** Its name, which the server grants host addresses to: 1–63 of `a-z A-Z 0-9 . _ -`. */
  readonly name: string;
  /** Where this device dials it. */
  readonly localAddress: Address;
  /** The version of the PROXY protocol header that tells the service the client's address; none by default. */
  readonly proxy?: 1 | 2 | undefined;
  /** Whether the host port is closed while the service is down, so that clients are refused. @default {false} */
  readonly refuseWhenDown?: boolean | undefined;
  /** Clients at once at most; as many as the link can have by default. */
  readonly maxClients?: number | undefined;
  /** Milliseconds for reaching it; the device's own by default. */
  readonly connectTimeout?: number | undefined;
  /** Milliseconds without a byte either way after which a client is ended; never by default. */
  readonly idleTimeout?: number | undefined;
}

const FORM = "write NAME=HOST:PORT, as in ssh=127.0.0.1:22, and behind it what you need of " +
  "proxy=v1|v2, down=refuse, max-clients=N, connect-timeout=TIME, idle-timeout=TIME";

const KEYS = ["proxy", "down", "max-clients", "connect-timeout", "idle-timeout"] as const;

/** Splits a list of services at commas, but not between a service and what is said of it. */
export function splitServices(text: string): string[] {
  const services: string[] = [];
  for (const part of text.split(",")) {
    const isDetail = KEYS.some((key) => part.trim().startsWith(`${key}=`));
    if (isDetail && services.length > 0) services[services.length - 1] += `,${part}`;
    else services.push(part);
  }
  return services;
}

/**
 * Parses `NAME=HOST:PORT[,proxy=v2][,down=refuse][,max-clients=N][,connect-timeout=TIME][,idle-timeout=TIME]`.
 *
 * @param parseTime Reads a duration into milliseconds; by default as in `500ms`, `10s`, `2m` or `1h`.
 * @throws {SyntaxError} with what was wrong and what would do.
 *
 * @example
 * ```ts
 * import { parseNamedService } from "@sallyport/sallyport";
 * import assert from "node:assert/strict";
 *
 * const service = parseNamedService("web=127.0.0.1:80,proxy=v2");
 * assert.equal(service.name, "web");
 * assert.equal(service.proxy, 2);
 * ```
 */
export function parseNamedService(
  text: string,
  parseTime: (text: string) => number = parsePositiveDuration,
): NamedService {
  const [head = "", ...details] = text.split(",").map((part) => part.trim());
  const equals = head.indexOf("=");
  const given = head.slice(0, Math.max(0, equals));
  if (equals < 0) throw new SyntaxError(`"${text}" has no name; ${FORM}`);
  const name = parseName(given);
  const localAddress = parseAddress(head.slice(equals + 1));
  if (localAddress.port === 0) throw new SyntaxError(`the port in "${text}" is 0; write one from 1 to 65535`);
  let service: NamedService = { name, localAddress };
  const keys = details.map((detail) => detail.split("=", 1)[0]!);
  const twice = keys.find((key, at) => keys.indexOf(key) !== at);
  if (twice !== undefined) throw new SyntaxError(`"${text}" says ${twice} twice; say it once`);
  for (const detail of details) service = { ...service, ...parseDetail(detail, text, parseTime) };
  return service;
}

function parseDetail(detail: string, text: string, parseTime: (text: string) => number): Partial<NamedService> {
  const equals = detail.indexOf("=");
  const [key, value] = equals < 0 ? [detail, ""] : [detail.slice(0, equals), detail.slice(equals + 1)];
  switch (key) {
    case "proxy":
      if (value === "v1" || value === "v2") return { proxy: value === "v1" ? 1 : 2 };
      throw new SyntaxError(`"${detail}" in "${text}": write proxy=v1 or proxy=v2`);
    case "down":
      if (value === "refuse") return { refuseWhenDown: true };
      throw new SyntaxError(`"${detail}" in "${text}": write down=refuse`);
    case "max-clients": {
      const count = /^\d{1,5}$/.test(value) ? Number(value) : 0;
      if (count >= 1 && count <= V2_MAX_CHANNELS) return { maxClients: count };
      throw new SyntaxError(`"${detail}" in "${text}": write a whole number from 1 to ${V2_MAX_CHANNELS}`);
    }
    case "connect-timeout":
      return { connectTimeout: parseTime(value) };
    case "idle-timeout":
      return { idleTimeout: parseTime(value) };
    default:
      throw new SyntaxError(`"${detail}" in "${text}" is not known; ${FORM}`);
  }
}
