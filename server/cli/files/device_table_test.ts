import assert from "node:assert/strict";
import { test } from "../../../tests/rig/test.ts";
import { NOT_OFFERED, type Row } from "./device_rows.ts";
import { reasonLines, tableOf } from "./device_table.ts";

const NOW = Date.parse("2027-01-01T00:00:00Z");

function rowOf(count: number, more: Partial<Row> = {}): Row {
  const names = Array.from({ length: count }, (_, at) => `service${at}`);
  return {
    name: "gw1",
    key: "x",
    fingerprint: "7b:4c:4c:73:a6:70:1d:ac",
    state: "active",
    online: true,
    interrupted: false,
    since: "2026-12-31T20:48:00.000Z",
    remote: "192.0.2.7:53740",
    draining: null,
    mode: "run",
    software: null,
    versions: null,
    clockOffset: null,
    incompatible: null,
    services: Object.fromEntries(names.map((name, at) => [name, `0.0.0.0:${2201 + at}`])),
    bound: {},
    unbound: {},
    expires: null,
    validUntil: null,
    tags: [],
    comment: null,
    ...more,
  };
}

/** A string that waits for its device. */
const waiting = rowOf(1, {
  name: "gw9",
  key: null,
  fingerprint: null,
  state: "enrolling",
  online: false,
  since: null,
  expires: "2027-01-31T00:00:00.000Z",
  validUntil: "2027-01-02T00:00:00.000Z",
});

test("off a terminal nothing is cut, and a device with many services makes no other line longer", () => {
  const until = "2027-01-01T00:05:00.000Z";
  const long = "in the cellar of the old house, behind the door";
  const rows = [rowOf(200, { draining: { since: "", until }, comment: long }), rowOf(1), waiting];
  const [head, first, second, third] = tableOf(rows, undefined, NOW);
  assert.match(head!, / LINK +EXPIRES +COMMENT +SERVICES$/);
  assert.match(first!, / online 3h 12m, draining +never +in the cellar .* the door +service0=0\.0\.0\.0:2201 .*=\S+$/);
  assert.ok(second!.length < 160, second);
  assert.match(third!, / enrolling +- +2027-01-31 +until 2027-01-02 +service0=0\.0\.0\.0:2201$/);
});

test("comments have a column where one device has one", () => {
  const [head, row] = tableOf([rowOf(1)], undefined, NOW);
  assert.match(head!, / EXPIRES +SERVICES$/);
  assert.match(row!, / never +service0=\S+$/);
  assert.match(tableOf([rowOf(1), rowOf(1, { tags: ["lte"], comment: "roof" })], undefined, NOW)[2]!, / #lte roof /);
});

test("on a terminal it fits, and what does not is counted", () => {
  const rows = [rowOf(20), rowOf(1, { name: "gw2", comment: "in the cellar of the old house, behind the door" })];
  for (const width of [80, 100, 140, 200]) {
    const lines = tableOf(rows, width, NOW);
    assert.ok(lines.every((line) => line.length <= width), `${width}\n${lines.join("\n")}`);
    assert.match(lines[1]!, / \+\d+( |$)/);
  }
  assert.match(tableOf(rows, 140, NOW)[1]!, /^gw1 .* online 3h 12m .* service0=0\.0\.0\.0:2201 .*\+1\d$/);
  const [, wide] = tableOf([rowOf(2)], 200, NOW);
  assert.match(wide!, / service0=0\.0\.0\.0:2201 service1=0\.0\.0\.0:2202$/);
});

test("services that are not open come first, with a word, and why is told below", () => {
  const row = rowOf(3, { unbound: { service1: NOT_OFFERED, service2: 'closed: "server open gw1/service2" opens it' } });
  const [, line] = tableOf([row], 200, NOW);
  assert.match(line!, / service1: not offered service2: closed service0=0\.0\.0\.0:2201$/);
  assert.deepEqual(reasonLines([row]), [
    `gw1/service1: ${NOT_OFFERED}`,
    'gw1/service2: closed: "server open gw1/service2" opens it',
  ]);
  const other = rowOf(0, { incompatible: "2026-12-31T20:48:00.999Z", versions: [3, 4] });
  assert.match(tableOf([other], undefined, NOW)[1]!, / incompatible +never/);
  assert.deepEqual(reasonLines([other]), ["gw1: incompatible: it speaks versions 3 to 4, at 2026-12-31T20:48:00Z"]);
  const many = rowOf(9, { unbound: Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`service${at}`, "x"])) });
  assert.equal(reasonLines([many]).at(-1), "… and 4 more; --json has all");
});
