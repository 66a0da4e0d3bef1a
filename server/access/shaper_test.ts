import assert from "node:assert/strict";
import fc from "fast-check";
import { FakeClock } from "../../tests/rig/clock.ts";
import { test } from "../../tests/rig/test.ts";
import { type Flow, Shaper } from "./shaper.ts";

/** A client that sends `bytes` again and again, for as long as the clock goes. */
class Sender {
  passed = 0;
  readonly waits: number[] = [];
  readonly flow: Flow = { finish: 0 };
  #stopped = false;

  constructor(shaper: Shaper, clock: FakeClock, bytes: number, pause = 0) {
    const go = async () => {
      while (!this.#stopped) {
        const since = clock.now();
        await shaper.pay(this.flow, bytes);
        this.waits.push(clock.now() - since);
        if (this.#stopped) return;
        this.passed += bytes;
        if (pause > 0) await new Promise<void>((resolve) => void clock.after(pause, resolve));
      }
    };
    go();
  }

  stop(shaper: Shaper): void {
    this.#stopped = true;
    shaper.leave(this.flow);
  }
}

test("what passes is at the rate, whatever the sizes, and each client has its even part", async () => {
  const sizes = fc.array(fc.integer({ min: 200, max: 5_000 }), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 100_000, max: 400_000 }), sizes, async (rate, sizes) => {
      const clock = new FakeClock();
      const shaper = new Shaper(rate, clock);
      const senders = sizes.map((size) => new Sender(shaper, clock, size));
      await clock.advance(2_000);
      const all = senders.reduce((sum, { passed }) => sum + passed, 0);
      assert.ok(all <= rate * 2.1 + 5_000 && all >= rate * 1.9, `${all} B in 2 s at ${rate} B/s`);
      const part = all / senders.length;
      for (const { passed } of senders) {
        assert.ok(Math.abs(passed - part) <= part * 0.1 + 10_000, `${passed} of ${part}`);
      }
      for (const sender of senders) sender.stop(shaper);
      assert.deepEqual([shaper.waiting, clock.pending], [0, 0]);
    }),
    { numRuns: 6 },
  );
});

test("who sends little does not wait behind those who always send", async () => {
  const clock = new FakeClock();
  const shaper = new Shaper(100_000, clock);
  const bulk = Array.from({ length: 20 }, () => new Sender(shaper, clock, shaper.turn));
  await clock.advance(3_000);
  const keys = new Sender(shaper, clock, 50, 100);
  await clock.advance(3_000);
  assert.ok(keys.waits.length > 20);
  assert.ok(Math.max(...keys.waits) <= 60, `a keystroke waited for ${Math.max(...keys.waits)} ms`); // 20 turns are 1 s
  for (const sender of [...bulk, keys]) sender.stop(shaper);
});

test("another rate holds for those who wait already, and none at all lets them pass", async () => {
  const clock = new FakeClock();
  const shaper = new Shaper(10_000, clock);
  const sender = new Sender(shaper, clock, 1_000);
  await clock.advance(1_000);
  const before = sender.passed;
  shaper.rate = 100_000;
  await clock.advance(1_000);
  assert.ok(sender.passed - before > 90_000, `${sender.passed - before}`);
  sender.stop(shaper);
  const flow = { finish: 0 };
  while (shaper.pay(flow, 1_000) === undefined);
  assert.equal(shaper.waiting, 1);
  shaper.rate = Infinity;
  await clock.advance(1);
  assert.deepEqual([shaper.waiting, clock.pending], [0, 0]);
});
