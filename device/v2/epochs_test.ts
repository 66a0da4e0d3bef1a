import assert from "node:assert/strict";
import fc from "fast-check";
import { V2_MAX_EPOCH, V2_MAX_EPOCH_LEAP } from "../../protocol/v2/limits.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { test } from "../../tests/rig/test.ts";
import { Epochs } from "./epochs.ts";

/** Epochs of a process that began at a time of its wall clock, in milliseconds since 1970. */
function startedAt(wall: number): Epochs {
  const clock = Object.assign(new FakeClock(), { wall: () => wall });
  return new Epochs(clock);
}

test("the first epoch is the time, and each after it one more", () => {
  const epochs = startedAt(1_700_000_000_123.75);
  assert.deepEqual([epochs.next(), epochs.next(), epochs.next()], [
    1_700_000_000_123,
    1_700_000_000_124,
    1_700_000_000_125,
  ]);
  assert.equal(startedAt(0).next(), 1, "a clock that knows nothing");
  assert.equal(startedAt(-5).next(), 1);
});

test("a device whose clock was set back goes on from what the server has seen", () => {
  const epochs = startedAt(5_000);
  assert.equal(epochs.next(), 5_000);
  assert.equal(epochs.seen(1_700_000_000_000), true);
  assert.equal(epochs.next(), 1_700_000_000_001);
  assert.equal(epochs.seen(1_600_000_000_000), false, "that is long ago");
  assert.equal(epochs.next(), 1_700_000_000_002);
});

test("what would use the numbers up is not believed", () => {
  const epochs = startedAt(5_000);
  epochs.next();
  for (const epoch of [5_001 + V2_MAX_EPOCH_LEAP, V2_MAX_EPOCH, Number.MAX_SAFE_INTEGER]) {
    assert.equal(epochs.seen(epoch), false, `${epoch}`);
  }
  assert.equal(epochs.next(), 5_001);
});

test("whatever a server says, epochs grow, up to the greatest that can be", () => {
  const said = fc.array(fc.oneof(fc.constant(undefined), fc.nat(100_000), fc.maxSafeNat()), { maxLength: 40 });
  fc.assert(fc.property(fc.integer({ min: -1_000, max: 1e13 }), said, (wall, said) => {
    const epochs = startedAt(wall);
    let last = 0;
    for (const epoch of said) {
      const isNews = epoch !== undefined && epochs.seen(epoch);
      const next = epochs.next();
      assert.ok(Number.isSafeInteger(next) && next > last && next <= V2_MAX_EPOCH, `${next} after ${last}`);
      assert.ok(!isNews || next > epoch, `${next} is not above ${epoch}`);
      last = next;
    }
  }));
});
