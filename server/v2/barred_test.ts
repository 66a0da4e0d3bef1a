import assert from "node:assert/strict";
import { MAX_BARRED, MIN_BARRED_COME_BACK_MS } from "../limits.ts";
import { goodbye } from "../../protocol/v2/wire/goodbye.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { Retry } from "../../device/reconnect/retry.ts";
import { BarredDevices } from "./barred.ts";
import { test } from "../../tests/rig/test.ts";

const DISABLED = goodbye("disabled", "");

test("a device that was barred lately asks again soon, and one that was barred long ago as its goodbye says", () => {
  const clock = new FakeClock();
  const barred = new BarredDevices(clock);
  const after = () => barred.refuse("a", DISABLED).comeBackAfter;
  assert.equal(after(), MIN_BARRED_COME_BACK_MS);
  clock.jump(40_000);
  assert.equal(after(), 10_000);
  clock.jump(3_600_000);
  assert.equal(after(), DISABLED.comeBackAfter);
  barred.forget("a");
  assert.equal(after(), MIN_BARRED_COME_BACK_MS);
  assert.equal(barred.refuse("a", goodbye("shutting-down", "")).comeBackAfter, undefined);
});

test("a device is back within as long again as it was barred, or seconds, whatever its luck", () => {
  for (const luck of [0, 0.5, 0.999]) {
    const clock = new FakeClock();
    const [barred, retry, start] = [new BarredDevices(clock), new Retry(() => luck), clock.now()];
    for (let asked = 0; clock.now() - start < 120_000; asked++) {
      const barredFor = clock.now() - start;
      const wait = retry.after(barred.refuse("a", DISABLED));
      assert.ok(wait <= Math.max(2 * MIN_BARRED_COME_BACK_MS, barredFor), `${wait} ms after ${barredFor} ms`);
      assert.ok(asked < 40, "it asks too often");
      clock.jump(wait);
    }
  }
});

test("of too many barred devices the first is forgotten, which costs it an early question", () => {
  const clock = new FakeClock();
  const barred = new BarredDevices(clock);
  barred.refuse("first", DISABLED);
  clock.jump(1_000_000);
  for (let n = 0; n < MAX_BARRED; n++) barred.refuse(`${n}`, DISABLED);
  assert.equal(barred.refuse("first", DISABLED).comeBackAfter, MIN_BARRED_COME_BACK_MS);
});
