import assert from "node:assert/strict";
import { test } from "../tests/rig/test.ts";
import { formatAge, formatBytes, tableLines } from "./table.ts";

test("columns are as wide as what stands in them, and no line ends in blanks", () => {
  assert.deepEqual(tableLines([["A", "LONG"], ["abc", ""], ["b", "x"]]), ["A    LONG", "abc", "b    x"]);
});

test("bytes and ages have the unit in which they are read at a glance", () => {
  assert.deepEqual(
    [0, 1_023, 1_024, 1_536, 102_400, 5 * 2 ** 30].map(formatBytes),
    ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "100 KiB", "5.0 GiB"],
  );
  assert.deepEqual(
    [-1, 0, 59_000, 60_000, 3_723_000, 90_000_000].map(formatAge),
    ["0s", "0s", "59s", "1m", "1h 2m", "1d 1h"],
  );
});
