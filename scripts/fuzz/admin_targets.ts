/**
 * What is fuzzed of the admin APIs' requests, and what has to hold: a target throws if it does not.
 *
 * @module
 */

import assert from "node:assert/strict";
import { ApiError } from "../../app/admin/api_error.ts";
import { readBody } from "../../app/admin/http/body.ts";
import { checked, readQuery, Router } from "../../app/admin/http/router.ts";
import type { Route } from "../../app/admin/route.ts";
import { closed, type TSchema } from "../../app/admin/schema.ts";
import { MAX_ADMIN_BODY } from "../../app/limits.ts";
import { deviceApiRoutes } from "../../device/admin/admin.ts";
import type { DeviceContext } from "../../device/admin/context.ts";
import { adminRoutes } from "../../server/admin/admin.ts";
import type { AdminContext } from "../../server/admin/context.ts";
import type { Random } from "../../tests/rig/random.ts";
import { chunksOf, mutated } from "./inputs.ts";

/** The routes alone: nothing is ever done by them here. */
const ROUTES: readonly (readonly Route[])[] = [
  adminRoutes({ core: { settings: {} } } as unknown as AdminContext),
  deviceApiRoutes({} as unknown as DeviceContext),
];
const ROUTERS = ROUTES.map((routes) => new Router(routes));

const TEXTS = [
  "gw1",
  "gw*",
  "",
  "*",
  "both",
  "config",
  "2099-01-31",
  "ssh=127.0.0.1:0",
  "__proto__",
  "\0",
  "🚢",
] as const;
/** Bytes that mean something in JSON. */
const TELLING = [0x7b, 0x7d, 0x5b, 0x5d, 0x22, 0x2c, 0x3a, 0x5c, 0x2d, 0x65, 0, 0xff, 0xc0] as const;

/** Something that fits a schema, or nearly does. */
function around(schema: TSchema, random: Random, depth = 0): unknown {
  if (random.oneIn(12) || depth > 6) return random.of<unknown>(null, true, 0, -1, 1e300, "x", [], {}, [[[]]], 0.5);
  const words = schema["enum"] as string[] | undefined;
  if (words) return random.oneIn(6) ? "nonsense" : words[random.upTo(words.length - 1)];
  const some = schema["anyOf"] as TSchema[] | undefined;
  if (some) return around(some[random.upTo(some.length - 1)]!, random, depth + 1);
  switch (schema["type"]) {
    case "object": {
      const properties = Object.entries(schema["properties"] as Record<string, TSchema> ?? {});
      const some = properties.filter(() => !random.oneIn(4)).map((
        [name, each],
      ) => [name, around(each, random, depth + 1)]);
      if (random.oneIn(10)) some.push([random.of(...TEXTS), 1]);
      return Object.fromEntries(some);
    }
    case "array":
      return Array.from({ length: random.upTo(4) }, () => around(schema["items"] as TSchema, random, depth + 1));
    case "string":
      return random.oneIn(20) ? "y".repeat(random.upTo(5_000)) : random.of(...TEXTS);
    case "boolean":
      return random.oneIn(2);
    default:
      return random.of(0, 1, 2, 1_000, -1, 2 ** 53, 0.1);
  }
}

/** What `work` gives; `undefined`: it was refused as requests are. */
async function refused<T>(work: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    assert(error instanceof ApiError && error.status >= 400 && error.status < 500, `${error}`);
    assert(!error.message.includes("\n") && error.message.length < 1_000, `no line: ${error.message}`);
    return undefined;
  }
}

/** A request is understood, or refused in one line, whatever its path, its query and its body are. */
export async function fuzzAdminRequests(random: Random): Promise<void> {
  const which = random.upTo(ROUTES.length - 1);
  const routes = ROUTES[which]!;
  const route = routes[random.upTo(routes.length - 1)]!;
  const path = route.path.replace(
    /\{\w+\}/g,
    () => random.of(encodeURIComponent(random.of(...TEXTS)), "%zz", "%00", "a/b", ".."),
  );
  const method = random.oneIn(8) ? random.of("GET", "POST", "HEAD", "PUT", "DELETE") : route.method;
  await refused(() => ROUTERS[which]!.find(method, random.oneIn(12) ? path.slice(random.upTo(4)) : path));
  const query = Object.entries(around(route.query, random) ?? {}).map(([name, value]) => [name, `${value}`]);
  await refused(() => readQuery(route.query, new URLSearchParams(query)));
  const schema = route.body ?? closed({});
  const whole = new TextEncoder().encode(JSON.stringify(around(schema, random)));
  const bytes = random.oneIn(2) ? whole : mutated(random, whole, TELLING);
  const body = await refused(() => readBody(request(random, bytes)));
  if (body === undefined) return;
  const fit = await refused(() => checked(schema, body, "body"));
  if (fit) {
    assert(Object.keys(fit).every((name) => Object.hasOwn(schema.properties, name)), "a name that means nothing");
  }
  assert.equal(Object.getPrototypeOf({}), Object.prototype);
}

function request(random: Random, bytes: Uint8Array): Request {
  const parts = chunksOf(random, bytes);
  if (random.oneIn(300)) parts.push(new Uint8Array(MAX_ADMIN_BODY));
  const body = ReadableStream.from(parts);
  const media = random.oneIn(20) ? random.of("text/plain", "", "application/json; charset=utf-16") : "application/json";
  return new Request("http://localhost/", { method: "POST", body, headers: { "content-type": media } });
}
