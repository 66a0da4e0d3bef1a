/**
 * What is fuzzed of endpoints, services and host addresses as people write them, and what has to hold: a target throws if it
 * does not.
 *
 * @module
 */

import assert from "node:assert/strict";
import { parseCanEndpoint } from "../../can/endpoint.ts";
import { parseEndpoint } from "../../device/endpoints/registry.ts";
import { parseService } from "../../device/services.ts";
import { parseAllow } from "../../device/v2/allowed_targets.ts";
import { endpointOf, parseNamedService, splitServices } from "../../device/v2/named_service.ts";
import { formatSerialEndpoint, parseSerialEndpoint } from "../../serial/endpoint.ts";
import { parseForwards } from "../../server/cli/forwards.ts";
import { formatUnixHost, parseUnixHost } from "../../server/ports/unix_host.ts";
import { parseGrant } from "../../server/devices/service_grant.ts";
import type { Random } from "../../tests/rig/random.ts";

const HEADS = [
  "127.0.0.1:22",
  "[::1]:22",
  "host.lan:8000-8010",
  "*:*",
  "10.0.0.0/24:23",
  "unix:/run/docker.sock",
  "unix:@name",
  'exec:["/bin/cat","-u"]',
  "can:can0",
  "can:slcan:/dev/ttyACM0",
  "can:slcan:tcp:10.0.0.7:2000",
  "can:virtual:lab",
  "serial:/dev/ttyUSB0",
  "udp:127.0.0.1:161",
  "udp:[fe80::1%eth0]:161",
] as const;

const OPTIONS = [
  ...["proxy=v1", "proxy=v2", "down=refuse", "max-clients=4", "connect-timeout=10s", "idle-timeout=1h"],
  ...["115200", "8n1", "7e2", "5n1.5", "flow=rts", "flow=xon", "lock", "share=read", "control=rfc2217", "replug=end"],
  ...["bitrate=500000", "500000", "wire=slcan", "listen-only", "fd", "baud=9600", "max-age=500ms"],
  ...["pty", "stderr=client", "mode=0660", "group=ssh"],
] as const;

const PIECES = [
  ",",
  "=",
  ":",
  "[",
  "]",
  '"',
  "\\",
  "/",
  "@",
  "%",
  "-",
  "*",
  " ",
  ".",
  "..",
  "0",
  "99999999999",
  "-1",
] as const;
const MORE = ["1e9", "0x10", "é", "🚢", "\u202e", "constructor", "__proto__", "NaN", "", "x".repeat(300)] as const;

/** A service as its owner might write it, or nearly. */
function someService(random: Random): string {
  let text = random.oneIn(8) ? "" : `${random.of("ssh", "a.b-c_d", "x".repeat(63), "docker")}=`;
  text += random.of(...HEADS);
  for (let count = random.upTo(3); count > 0; count--) text += `,${random.of(...OPTIONS)}`;
  for (let times = random.of(0, 0, 1, 2, 4); times > 0; times--) {
    const at = random.upTo(text.length);
    const cut = random.oneIn(2) ? 0 : random.upTo(6);
    text = text.slice(0, at) + random.of(...PIECES, ...MORE) + text.slice(at + cut);
  }
  return text;
}

/** What `parse` makes of a text; `undefined`: it is none, and one line says why. */
function parsed<T>(parse: (text: string) => T, text: string): T | undefined {
  try {
    return parse(text);
  } catch (error) {
    assert(error instanceof SyntaxError, `${parse.name} of ${JSON.stringify(text)}: ${error}`);
    assert(error.message.length > 0 && !error.message.includes("\n"), `no line: ${error.message}`);
    assert(!/undefined|\[object|NaN/.test(error.message.replaceAll(text, "")) || /NaN/.test(text), error.message);
    return undefined;
  }
}

/** Each text is read, or refused in one line; what was read is written and read as the same. */
export function fuzzEndpoints(random: Random): void {
  const text = someService(random);
  const behind = text.slice(text.indexOf("=") + 1);
  const service = parsed(parseNamedService, text);
  if (service) {
    const { address } = endpointOf(service);
    assert(address.length > 0 && address.length <= text.length + 8, `${text} is called ${address}`);
    assert(!/,(?:max-clients|bitrate|control|idle-timeout)=/.test(address), `${address} has options`);
  }
  const endpoint = parsed(parseEndpoint, behind);
  assert(!endpoint || endpoint.address.length <= behind.length + 8);
  const line = parsed(parseSerialEndpoint, behind);
  if (line) assert.deepEqual(parseSerialEndpoint(formatSerialEndpoint(line)), line);
  const bus = parsed(parseCanEndpoint, behind);
  if (bus && !behind.startsWith("can:")) assert.deepEqual(parseCanEndpoint(`can:${behind}`), bus);
  for (const parse of [parseService, parseAllow, parseGrant, parseForwards] as ((text: string) => unknown)[]) {
    parsed(parse, random.oneIn(2) ? text : behind);
  }
  const host = parsed(parseUnixHost, behind);
  if (host) assert.deepEqual(parseUnixHost(formatUnixHost(host)), host);
}

/** A list of services is split into those that it was made of. */
export function fuzzServiceLists(random: Random): void {
  const services: string[] = [];
  for (let tries = random.upTo(6); tries > 0; tries--) {
    const text = someService(random);
    if (parsed(parseNamedService, text)) services.push(text);
  }
  const split = splitServices(services.join(","));
  assert.deepEqual(split, services.length === 0 ? [""] : services);
}
