import assert from "node:assert/strict";
import { sleep, systemClock } from "./clock.ts";
import { FakeClock } from "../tests/rig/clock.ts";
import { isSettled } from "../tests/rig/wait.ts";
import { test } from "../tests/rig/test.ts";

test("a sleep ends when its time is up, and not before", async () => {
  const clock = new FakeClock();
  const done = sleep(clock, 100, new AbortController().signal);
  clock.jump(99);
  assert.equal(await isSettled(done), false);
  clock.jump(1);
  assert.equal(await isSettled(done), true);
});

test("an abort cuts a sleep short and leaves no timer", async () => {
  const clock = new FakeClock();
  const abort = new AbortController();
  const done = sleep(clock, 100, abort.signal);
  abort.abort();
  await done;
  assert.equal(clock.pending, 0);
  await sleep(clock, 100, abort.signal);
  assert.equal(clock.pending, 0);
});

test("the clock of this machine runs forward, and its timers can be cancelled", async () => {
  const before = systemClock.now();
  const cancel = systemClock.after(0, () => assert.fail("it was cancelled"));
  cancel();
  await new Promise<void>((resolve) => systemClock.after(1, resolve));
  assert(systemClock.now() > before);
});
