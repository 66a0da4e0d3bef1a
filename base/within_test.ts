import assert from "node:assert/strict";
import { FakeClock } from "../tests/rig/clock.ts";
import { Late, within } from "./within.ts";

const checked = { sanitizeOps: true, sanitizeResources: true };

Deno.test("work that is done in time is what it came to, and leaves no timer", checked, async () => {
  const clock = new FakeClock();
  const cut = () => assert.fail("it was in time");
  assert.equal(await within(clock, 100, cut, () => Promise.resolve(7)), 7);
  await assert.rejects(within(clock, 100, cut, () => Promise.reject(new SyntaxError("its own"))), SyntaxError);
  clock.tick(1_000);
});

Deno.test("work that takes longer is cut, and late whatever it came to then", checked, async () => {
  for (const end of ["resolve", "reject"] as const) {
    const clock = new FakeClock();
    const work = Promise.withResolvers<void>();
    let cuts = 0;
    const done = within(clock, 5_000, () => {
      cuts++;
      work[end]();
    }, () => work.promise);
    clock.tick(4_999);
    assert.equal(cuts, 0);
    clock.tick(1);
    await assert.rejects(done, (error: Error) => error instanceof Late && error.message === "not done within 5 s");
    assert.equal(cuts, 1);
  }
});
