import assert from "node:assert/strict";
import { test } from "../tests/rig/test.ts";
import { fitList, formatAge, formatBytes, tableLines } from "./table.ts";

test("columns are as wide as what stands in them, and no line ends in blanks", () => {
  assert.deepEqual(tableLines([["A", "LONG"], ["abc", ""], ["b", "x"]]), ["A    LONG", "abc", "b    x"]);
});

test("a table that is too wide is cut where it may be, and a list says how much more there is", () => {
  const rows = [["A", "B"], ["abcdefghijkl", "0123456789"]];
  assert.deepEqual(tableLines(rows, { width: 20, shorten: [0, 1] }), ["A         B", "abcdefg…  0123456789"]);
  assert.deepEqual(tableLines(rows, { width: 40, shorten: [0] }), tableLines(rows));
  assert.deepEqual(tableLines(rows, { width: 4, shorten: [0] })[1], "abcdefg…  0123456789");
  assert.deepEqual([20, 9, 7, 4].map((width) => fitList(["aaa", "bbb", "ccc"], width)), [
    ...["aaa bbb ccc", "aaa +2", "aaa +2", "… +2"],
  ]);
  assert.deepEqual([fitList([], 9), fitList(["abcdef"], 4)], ["", "abc…"]);
});

test("columns that nobody fills are left out, and those that matter least if the table is too wide", () => {
  const rows = [["A", "B", "C", "D"], ["abcdefghijkl", "", "0123456789", "xyz"]];
  assert.deepEqual(tableLines(rows, { optional: [1, 3] }), [
    "A             C           D",
    "abcdefghijkl  0123456789  xyz",
  ]);
  const fit = { optional: [1], drop: [3, 2], shorten: [0] };
  assert.deepEqual([29, 28, 23, 9].map((width) => tableLines(rows, { ...fit, width })[1]), [
    ...["abcdefghijkl  0123456789  xyz", "abcdefghijkl  0123456789", "abcdefghijkl", "abcdefgh…"],
  ]);
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
