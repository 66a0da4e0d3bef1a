import assert from "node:assert/strict";
import { systemClock } from "../../base/clock.ts";
import { ENDS_AT_ONCE, ENDS_WINDOW_MS } from "../limits.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { pause, poll } from "../../tests/rig/wait.ts";
import { test } from "../../tests/rig/test.ts";
import { EndPace } from "./end_pace.ts";

test("so many ends are told at once, the others later, and all in their order", async () => {
  const pace = EndPace.of(new FakeClock());
  const told: number[] = [];
  const all = Array.from({ length: 3 * ENDS_AT_ONCE }, (_, n) => n);
  for (const n of all) pace.tell(() => told.push(n));
  assert.equal(told.length, ENDS_AT_ONCE);
  await poll(() => told.length === all.length, () => `${told.length} were told`);
  assert.deepEqual(told, all);
});

test("one now and then is told at once, however many there were", async () => {
  const clock = new FakeClock();
  const pace = EndPace.of(clock);
  let told = 0;
  for (let n = 1; n <= 10 * ENDS_AT_ONCE; n++) {
    pace.tell(() => told++);
    assert.equal(told, n);
    if (n % ENDS_AT_ONCE === 0) await clock.advance(ENDS_WINDOW_MS);
  }
});

test("a thousand ends that each take their time leave others their turns", async () => {
  const pace = EndPace.of(systemClock);
  let [told, longest, since] = [0, 0, performance.now()];
  const turns = setInterval(() => {
    longest = Math.max(longest, performance.now() - since);
    since = performance.now();
  }, 0);
  const { promise, resolve } = Promise.withResolvers<void>();
  for (let n = 0; n < 1_000; n++) {
    pace.tell(() => {
      for (const until = performance.now() + 0.5; performance.now() < until;); // a line, an event
      if (++told === 1_000) resolve();
    });
  }
  await promise;
  clearInterval(turns);
  assert.ok(longest < 250, `${longest} ms`); // all at once would be 500
});

test("one that is cancelled is not told, nor counted, and nothing of it is left", async () => {
  const pace = EndPace.of(systemClock);
  await pause(ENDS_WINDOW_MS);
  const told: number[] = [];
  const cancels = Array.from({ length: ENDS_AT_ONCE + 3 }, (_, n) => pace.tell(() => told.push(n)));
  for (const cancel of [...cancels, ...cancels]) cancel();
  await pause(ENDS_WINDOW_MS);
  pace.tell(() => told.push(-1));
  assert.deepEqual(told, [...Array(ENDS_AT_ONCE).keys(), -1]);
});
