import assert from "node:assert/strict";
import { test } from "../tests/rig/test.ts";
import { TURN_BOUNDS, TurnTimes } from "./turn_times.ts";

test("a turn counts in the first group whose bound it does not pass", () => {
  const times = new TurnTimes();
  for (const ms of [0, 1, 1.1, 20, 20.5, 100, 100.1, 5_000]) times.add(ms);
  assert.deepEqual(times.take(), { longest: 5_000, bounds: TURN_BOUNDS, counts: [2, 1, 0, 0, 1, 1, 1, 2] });
  assert.deepEqual(times.take().counts, [0, 0, 0, 0, 0, 0, 0, 0]);
  times.add(3);
  const { counts, sum } = times.totals;
  assert.deepEqual([counts, sum], [[2, 1, 1, 0, 1, 1, 1, 2], 5_245.7], "what was taken counts in the totals, too");
  assert.deepEqual(times.take().counts, [0, 0, 1, 0, 0, 0, 0, 0]);
});
