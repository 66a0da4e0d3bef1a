/**
 * Every bound has a name, and a line in the documents: those of the wire and of the engine in the specifications, the rest
 * in the reference.
 *
 * @module
 */

import assert from "node:assert/strict";
import * as app from "../app/limits.ts";
import * as base from "../base/limits.ts";
import * as can from "../can/limits.ts";
import * as device from "../device/limits.ts";
import * as net from "../net/limits.ts";
import * as openssl from "../net/openssl/limits.ts";
import * as native from "../net/native/limits.ts";
import * as protocol from "../protocol/limits.ts";
import * as v1 from "../protocol/v1/limits.ts";
import * as v2 from "../protocol/v2/limits.ts";
import * as relay from "../relay/limits.ts";
import * as serial from "../serial/limits.ts";
import * as capacity from "../server/capacity/limits.ts";
import * as refusals from "../server/refusals/limits.ts";
import * as door from "../server/door/limits.ts";
import * as history from "../server/history/limits.ts";
import * as server from "../server/limits.ts";
import { test } from "./rig/test.ts";

const ROOMS = {
  base,
  protocol,
  v1,
  v2,
  net,
  openssl,
  native,
  relay,
  can,
  serial,
  app,
  server,
  capacity,
  refusals,
  door,
  history,
  device,
};
const PAGES = ["../protocol/v1/v1.md", "../protocol/v2/v2.md", "../docs/reference/limits.md"];

/** What the tables of a page say: names, and values without their units. */
function stated(text: string): [name: string, value: number][] {
  return text.split("\n").flatMap((line): [string, number][] => {
    const [, name, value] = /^\| `([A-Z0-9_]+)` +\| ([\d.,]+)/.exec(line) ?? [];
    return name === undefined ? [] : [[name, Number(value!.replaceAll(",", ""))]];
  });
}

test("the documents state every limit of every room, once and as it is", async () => {
  const pages = await Promise.all(PAGES.map((page) => Deno.readTextFile(new URL(page, import.meta.url))));
  const all = pages.flatMap(stated);
  const limits = Object.values(ROOMS).flatMap((room) =>
    Object.entries(room).filter((entry): entry is [string, number] => typeof entry[1] === "number")
  );
  assert.ok(limits.length > 150, "the limits were found");
  assert.deepEqual(all.map(([name]) => name).toSorted(), limits.map(([name]) => name).toSorted());
  assert.deepEqual(Object.fromEntries(all), Object.fromEntries(limits));
});
