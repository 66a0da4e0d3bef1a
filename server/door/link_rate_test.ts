import assert from "node:assert/strict";
import { LINK_BURST, LINK_INTERVAL_MS, MAX_RATED_DEVICES } from "./limits.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { LinkRates } from "./link_rate.ts";
import { test } from "../../tests/rig/test.ts";

/** Takes until one is refused. @returns how many were not, and the wait. */
function drain(rates: LinkRates, key: string): [number, number] {
  for (let count = 0;; count++) {
    const wait = rates.take(key);
    if (wait > 0) return [count, wait];
  }
}

test("a device may make as many links in a row as a path that flaps needs, then one each second", () => {
  const clock = new FakeClock();
  const rates = new LinkRates(clock);
  assert.deepEqual(drain(rates, "a"), [LINK_BURST, LINK_INTERVAL_MS]);
  clock.jump(LINK_INTERVAL_MS - 1);
  assert.equal(rates.take("a"), 1, "the refusals before cost nothing");
  clock.jump(1);
  assert.equal(rates.take("a"), 0);
  assert.equal(rates.take("a"), LINK_INTERVAL_MS);
  clock.jump(LINK_INTERVAL_MS * 5);
  assert.equal(drain(rates, "a")[0], 5);
});

test("one device does not use up another's, and a quiet one has all of its own again, and no more", () => {
  const clock = new FakeClock();
  const rates = new LinkRates(clock);
  drain(rates, "a");
  assert.equal(drain(rates, "b")[0], LINK_BURST);
  clock.jump(LINK_INTERVAL_MS * LINK_BURST * 10);
  assert.equal(drain(rates, "a")[0], LINK_BURST);
});

test("of more devices than are remembered, the one that has not come for longest begins anew", () => {
  const rates = new LinkRates(new FakeClock());
  drain(rates, "old");
  drain(rates, "busy");
  for (let n = 0; n < MAX_RATED_DEVICES - 1; n++) {
    rates.take(`other ${n}`);
    if (n === MAX_RATED_DEVICES / 2) assert.ok(rates.take("busy") > 0);
  }
  assert.ok(rates.take("busy") > 0);
  assert.equal(rates.take("old"), 0);
});
