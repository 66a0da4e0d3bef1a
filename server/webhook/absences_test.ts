import assert from "node:assert/strict";
import { FakeClock } from "../../tests/rig/clock.ts";
import { test } from "../../tests/rig/test.ts";
import { poll } from "../../tests/rig/wait.ts";
import { ABSENCES_A_TURN } from "../limits.ts";
import { Absences } from "./absences.ts";

test("of a fleet that is away some are told in each turn, the first first, and none that came back", async () => {
  const clock = new FakeClock();
  const told: string[] = [];
  const absences = new Absences<null>(clock, 1_000, (name) => told.push(name) > 0);
  const names = Array.from({ length: 3 * ABSENCES_A_TURN }, (_, n) => `gw${n}`);
  for (const name of names) absences.begin(name, null);
  clock.tick(1_000);
  assert.equal(told.length, ABSENCES_A_TURN);
  absences.end(names.at(-1)!);
  await poll(() => told.length === names.length - 1, () => "all to be told");
  assert.deepEqual(told, names.slice(0, -1));
  absences.begin("late", null);
  clock.tick(999);
  assert.equal(told.at(-1), names.at(-2));
  clock.tick(1);
  assert.equal(told.at(-1), "late");
});

test("what is still to be told in other turns is told no more after the end", async () => {
  const clock = new FakeClock();
  let told = 0;
  const absences = new Absences<null>(clock, 1_000, () => ++told > 0);
  for (let n = 0; n < 2 * ABSENCES_A_TURN; n++) absences.begin(`gw${n}`, null);
  clock.tick(1_000);
  absences.close();
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.deepEqual([told, clock.pending], [ABSENCES_A_TURN, 0]);
});
