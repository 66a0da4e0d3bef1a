import assert from "node:assert/strict";
import fc from "fast-check";
import { FEWEST_SHARES } from "../limits.ts";
import { SharedBound } from "./shared_bound.ts";
import { test } from "../../../tests/rig/test.ts";

test("a member may hold its share however much the others hold, and the common half while it lasts", () => {
  const bound = new SharedBound(64 * FEWEST_SHARES);
  for (let member = 0; member < FEWEST_SHARES; member++) bound.join();
  assert.equal(bound.share, 32);
  assert.equal(bound.limit(0), 32 * FEWEST_SHARES);
  bound.held = 32 * FEWEST_SHARES - 100;
  assert.equal(bound.limit(0), 100);
  bound.held = 1_000 * FEWEST_SHARES;
  assert(bound.spent);
  assert.deepEqual([bound.limit(0), bound.room(0), bound.room(31), bound.room(32)], [32, 32, 1, 0]);
  for (let member = 0; member < FEWEST_SHARES; member++) bound.join();
  assert.equal(bound.share, 16);
});

test("whatever members take within their limits, all hold the bound at most, and none finds nothing", () => {
  const takes = fc.array(fc.tuple(fc.nat(39), fc.double({ min: 0, max: 1, noNaN: true })), { maxLength: 300 });
  fc.assert(fc.property(fc.integer({ min: 1, max: 40 }), takes, (members, steps) => {
    const bound = new SharedBound(1_000_000);
    const held = new Array<number>(members).fill(0);
    for (let member = 0; member < members; member++) bound.join();
    for (const [who, part] of steps) {
      const at = who % members;
      assert(bound.limit(held[at]!) >= bound.share);
      const more = Math.floor(Math.max(0, bound.limit(held[at]!) - held[at]!) * part);
      held[at]! += more;
      bound.held += more;
      assert(bound.held <= 1_000_000);
    }
  }));
});
