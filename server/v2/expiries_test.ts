import assert from "node:assert/strict";
import fc from "fast-check";
import { Expiries } from "./expiries.ts";

const STRICT = { sanitizeOps: true, sanitizeResources: true };

Deno.test("whatever the clock does, those whose time has come are taken once, and nobody else", STRICT, () => {
  const step = fc.oneof(
    fc.tuple(
      fc.constant("set" as const),
      fc.nat(5),
      fc.option(fc.integer({ min: 0, max: 20_000 }), { nil: undefined }),
    ),
    fc.tuple(fc.constant("delete" as const), fc.nat(5), fc.constant(undefined)),
    fc.tuple(
      fc.constant("take" as const),
      fc.oneof(fc.integer({ min: 0, max: 25_000 }), fc.constant(1e12)),
      fc.constant(undefined),
    ),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
    const [expiries, model] = [new Expiries<number>(), new Map<number, number>()];
    for (const [what, n, time] of steps) {
      if (what === "set") {
        expiries.set(n, time);
        if (time === undefined) model.delete(n);
        else model.set(n, time);
      } else if (what === "delete") {
        expiries.delete(n);
        model.delete(n);
      } else {
        const due = [...model].filter(([, time]) => time <= n).map(([one]) => one);
        assert.deepEqual(expiries.take(n).sort(), due.sort());
        for (const one of due) model.delete(one);
      }
    }
  }));
});
