import assert from "node:assert/strict";
import { formatDuration, formatPastTime, listed } from "./format.ts";

Deno.test("a time is written in the unit that fits, without a fraction that is none", () => {
  const written = [612, 999.7, 1_000, 12_345, 15_000, 30_040, 119_000, 120_000, 600_000].map(formatDuration);
  assert.deepEqual(written, ["612 ms", "1000 ms", "1 s", "12.3 s", "15 s", "30 s", "119 s", "2 min", "10 min"]);
});

Deno.test("a time that is past is never written as one that is still to come, nor without its time of day", () => {
  assert.equal(formatPastTime(Date.UTC(2027, 0, 31, 12) + 999), "2027-01-31T12:00:00Z");
  assert.equal(formatPastTime(Date.UTC(2027, 0, 31)), "2027-01-31T00:00:00Z");
});

Deno.test("a list has commas, and one word in front of its last", () => {
  const written = [[], ["a"], ["a", "b"], ["a", "b", "c"], ["a=1,x=2", "b", "c", "d"]].map(listed);
  assert.deepEqual(written, ["", "a", "a and b", "a, b and c", "a=1,x=2, b, c and d"]);
});
