/**
 * A service that a v2 device offers by name, as its owner writes it.
 *
 * @module
 */

import { closest } from "../../base/closest.ts";
import { V2_MAX_CHANNELS, V2_MAX_SERVICES } from "../../protocol/v2/limits.ts";
import type { Address } from "../../protocol/address.ts";
import { parseName } from "../../protocol/name.ts";
import { parsePositiveDuration } from "../../base/duration.ts";
import type { Endpoint } from "../endpoints/endpoint.ts";
import { EXAMPLES, isOption, kindOf, parseEndpoint } from "../endpoints/registry.ts";
import { splitAtCommas } from "../endpoints/split.ts";
import { parseTcp, tcpEndpoint, tcpKind } from "../endpoints/tcp.ts";

/** A service by name. */
export interface NamedService {
  /** Its name, which the server grants host addresses to: 1–63 of `a-z A-Z 0-9 . _ -`. */
  readonly name: string;
  /** Where this device dials it, for a service over TCP; either this or {@linkcode NamedService.endpoint}. */
  readonly localAddress?: Address | undefined;
  /** What stands behind it, as in `unix:/run/docker.sock`; see {@linkcode parseNamedService}. */
  readonly endpoint?: string | undefined;
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

const FORM = `write NAME=HOST:PORT, as in ssh=127.0.0.1:22, or in place of that one of ${EXAMPLES}, ` +
  "and behind it what you need of proxy=v1|v2, down=refuse, max-clients=N, connect-timeout=TIME, idle-timeout=TIME";

const KEYS = ["proxy", "down", "max-clients", "connect-timeout", "idle-timeout"] as const;

/** What a service as it was written says of itself, and not of its endpoint, as in `proxy=v2`. */
export function ownOptions(text: string): string[] {
  return splitAtCommas(text).slice(1).map((part) => part.trim()).filter((part) =>
    KEYS.some((key) => part.startsWith(`${key}=`))
  );
}

/** Splits a list of services at commas, but not between a service and what is said of it. */
export function splitServices(text: string): string[] {
  const services: string[] = [];
  for (const part of splitAtCommas(text)) {
    if (services.length > 0 && belongsTo(services.at(-1)!, part.trim())) services[services.length - 1] += `,${part}`;
    else services.push(part);
  }
  return services;
}

/** Whether a part of a list says something of the service before it. */
function belongsTo(service: string, part: string): boolean {
  if (KEYS.some((key) => part.startsWith(`${key}=`))) return true;
  try {
    const kind = kindOf(service.slice(service.indexOf("=") + 1).trim());
    // What has no colon is no service, and may be an option with a slip in its name.
    const [key = "", value] = part.split("=");
    const isNearly = value !== undefined && !value.includes(":") && closest(key, [...KEYS, ...kind.keys]) !== undefined;
    return isNearly || isOption(part, kind);
  } catch {
    return false; // parsing that service says why it is none
  }
}

/**
 * Parses `NAME=ENDPOINT[,proxy=v2][,down=refuse][,max-clients=N][,connect-timeout=TIME][,idle-timeout=TIME]`, where the
 * endpoint is `HOST:PORT`, `unix:PATH` or another of those that docs/how-to/endpoints.md has, with its own options.
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
 * assert.equal(parseNamedService("docker=unix:/run/docker.sock").endpoint, "unix:/run/docker.sock");
 * ```
 */
export function parseNamedService(
  text: string,
  parseTime: (text: string) => number = parsePositiveDuration,
): NamedService {
  const [head = "", ...parts] = splitAtCommas(text).map((part) => part.trim());
  const equals = head.indexOf("=");
  const given = head.slice(0, Math.max(0, equals));
  if (equals < 0) throw new SyntaxError(`"${text}" has no name; ${FORM}`);
  const name = parseName(given);
  const where = head.slice(equals + 1).trim();
  const kind = kindOf(where);
  const isDetail = (part: string) => kind === tcpKind || KEYS.some((key) => part.split("=", 1)[0] === key);
  const details = parts.filter(isDetail);
  demandKnown(parts, [...KEYS, ...kind.keys], text);
  let service: NamedService = { name, ...parseWhere([where, ...parts.filter((part) => !isDetail(part))]) };
  const keys = details.map((detail) => detail.split("=", 1)[0]!);
  const twice = keys.find((key, at) => keys.indexOf(key) !== at);
  if (twice !== undefined) throw new SyntaxError(`"${text}" says ${twice} twice; say it once`);
  for (const detail of details) service = { ...service, ...parseDetail(detail, text, parseTime) };
  endpointOf(service);
  return service;
}

/** A range of local ports: what stands in front of them, the first, the last, and what stands behind. */
const RANGE = /^((?:udp:)?(?:\[[^\]]+\]|[^:,[\]]+):)(\d{1,5})-(\d{1,5})((?:,.*)?)$/;

/**
 * Parses one service, as {@linkcode parseNamedService} does, or as many as a range of local ports has: `web=127.0.0.1:9000-9010` is
 * `web-1` at port 9000 to `web-11` at port 9010, for which the server has a range that is as long, `web=0.0.0.0:8000-8010,each`.
 *
 * @throws {SyntaxError} with what was wrong and what would do.
 *
 * @example
 * ```ts
 * import { parseNamedServices } from "@sallyport/sallyport";
 * import assert from "node:assert/strict";
 *
 * const services = parseNamedServices("web=127.0.0.1:9000-9010,down=refuse");
 * assert.deepEqual(services.map(({ name }) => name).slice(0, 2), ["web-1", "web-2"]);
 * assert.deepEqual(services[10]?.localAddress, { host: "127.0.0.1", port: 9010 });
 * ```
 */
export function parseNamedServices(
  text: string,
  parseTime: (text: string) => number = parsePositiveDuration,
): NamedService[] {
  const equals = text.indexOf("=");
  const where = text.slice(equals + 1).trim();
  const range = equals < 0 ? undefined : RANGE.exec(where);
  if (!range || kindOf(where) !== tcpKind && !where.startsWith("udp:")) return [parseNamedService(text, parseTime)];
  const [, host, from, to, rest] = range;
  const [first, last] = [Number(from), Number(to)];
  if (first === 0 || first >= last || last > 65_535) {
    throw new SyntaxError(`"${from}-${to}" in "${text}" is not a range; write one as in 9000-9010`);
  }
  const count = last - first + 1;
  if (count > V2_MAX_SERVICES) {
    throw new SyntaxError(`"${text}" has ${count} ports; a device can offer ${V2_MAX_SERVICES}`);
  }
  const name = parseName(text.slice(0, equals));
  return Array.from(
    { length: count },
    (_, at) => parseNamedService(`${name}-${at + 1}=${host}${first + at}${rest}`, parseTime),
  );
}

/** Refuses what is nearly an option, which its endpoint would take for something of its own. */
function demandKnown(parts: readonly string[], known: readonly string[], text: string): void {
  for (const part of parts) {
    const [key = "", ...value] = part.split("=");
    if (known.includes(key) || value.length === 0) continue;
    const like = closest(key, known);
    if (like === undefined) continue;
    throw new SyntaxError(`"${part}" in "${text}" is not known; did you mean "${[like, ...value].join("=")}"?`);
  }
}

function parseWhere(parts: readonly string[]): Pick<NamedService, "localAddress" | "endpoint"> {
  const endpoint = parts.join(",");
  return kindOf(endpoint) === tcpKind ? { localAddress: parseTcp(endpoint) } : { endpoint };
}

/**
 * What stands behind a service.
 *
 * @throws {SyntaxError} with what was wrong and what would do: its endpoint is none, or cannot do what the service says.
 */
export function endpointOf({ name, localAddress, endpoint, proxy, refuseWhenDown }: NamedService): Endpoint {
  if ((localAddress === undefined) === (endpoint === undefined)) {
    throw new SyntaxError(`the service ${name} has to have either a localAddress or an endpoint`);
  }
  if (endpoint === undefined) return tcpEndpoint(localAddress!);
  const kind = kindOf(endpoint);
  if (proxy !== undefined && !kind.takesHeader) {
    throw new SyntaxError(
      `proxy=v${proxy} of the service ${name} is a header for sockets; leave it out of ${kind.name}:`,
    );
  }
  if (refuseWhenDown && !kind.isLookedAt) {
    throw new SyntaxError(
      `down=refuse of the service ${name} is for what can be looked at; leave it out of ${kind.name}:`,
    );
  }
  return parseEndpoint(endpoint);
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
      return { connectTimeout: parseDetailTime(detail, value, parseTime) };
    case "idle-timeout":
      return { idleTimeout: parseDetailTime(detail, value, parseTime) };
    default:
      throw new SyntaxError(`"${detail}" in "${text}" is not known; ${FORM}`);
  }
}

function parseDetailTime(detail: string, value: string, parseTime: (text: string) => number): number {
  try {
    return parseTime(value);
  } catch (error) {
    throw error instanceof SyntaxError ? new SyntaxError(`"${detail}": ${error.message}`, { cause: error }) : error;
  }
}

/** @throws {RangeError} for services that cannot be offered together: too many, or two of one name. */
export function demandOfferable(services: readonly NamedService[]): void {
  if (services.length > V2_MAX_SERVICES) {
    throw new RangeError(`Cannot offer ${services.length} services: ${V2_MAX_SERVICES} are the most`);
  }
  const names = services.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new RangeError(`Cannot offer the service ${twice} twice`);
}
