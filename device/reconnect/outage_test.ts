import assert from "node:assert/strict";
import { MAX_OUTAGE_REASONS, OUTAGE_EVERY_MS } from "../limits.ts";
import { test } from "../../tests/rig/test.ts";
import { Outage } from "./outage.ts";

/** Fails a try each second for `ms`. @returns when it was told, in seconds. */
function told(ms: number, reason: (second: number) => string = () => "no route"): string[] {
  const outage = new Outage();
  const lines: string[] = [];
  for (let now = 0; now <= ms; now += 1_000) {
    const what = outage.failed(reason(now / 1_000), 5_000 + now);
    if (what !== "known") lines.push(`${what} ${now / 1_000}`);
  }
  return lines;
}

test("an outage is told at once, then at growing distances", () => {
  assert.deepEqual(told(14_000), ["new 0"]);
  assert.deepEqual(told(2 * OUTAGE_EVERY_MS + 900_000), [
    "new 0",
    "still 15",
    "still 60",
    "still 300",
    "still 900",
    "still 4500",
    "still 8100",
  ]);
});

test("each reason is told once, numbers in it apart, and no more than a few of them", () => {
  assert.deepEqual(told(9_000, (s) => s % 2 === 0 ? "a:1 refused" : "b:1 does not answer"), ["new 0", "new 1"]);
  assert.deepEqual(told(9_000, (s) => `the clock says 12:00:0${s}`), ["new 0"]);
  assert.equal(told(14_000, (s) => "x".repeat(s + 1)).length, MAX_OUTAGE_REASONS);
});

test("an outage that is over is forgotten, and the next one told anew", () => {
  const outage = new Outage();
  assert.equal(outage.facts(0), undefined);
  outage.failed("no route", 1_000);
  outage.failed("no route", 3_000);
  assert.deepEqual(outage.facts(4_000), { tries: 2, duration: 3_000 });
  outage.over();
  assert.equal(outage.facts(5_000), undefined);
  assert.equal(outage.failed("no route", 9_000), "new");
});

test("tries that are far apart are told of once, not once for each time that has passed", () => {
  const outage = new Outage();
  outage.failed("no route", 0);
  assert.equal(outage.failed("no route", 400_000), "still");
  assert.equal(outage.failed("no route", 401_000), "known");
  assert.equal(outage.failed("no route", 900_000), "still");
});
