import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "../../tests/rig/test.ts";
import { NewestLink } from "./newest_link.ts";

test("without epochs the order in which links were accepted decides", () => {
  const newest = new NewestLink();
  assert.equal(newest.take(2, undefined), true);
  assert.equal(newest.take(1, undefined), false);
  assert.equal(newest.take(2, undefined), true, "it still is");
  assert.equal(newest.take(3, undefined), true);
  assert.equal(newest.highest, 0);
});

test("with epochs they decide, in whatever order links were accepted", () => {
  const newest = new NewestLink();
  assert.equal(newest.take(5, 70), true);
  assert.equal(newest.take(6, 69), false);
  assert.equal(newest.take(6, 70), false, "the same number is another machine's, or a mistake");
  assert.equal(newest.take(4, 71), true);
  assert.equal(newest.take(5, 70), false, "it was the newest");
  assert.equal(newest.highest, 71);
});

test("between a link with an epoch and one without, the order decides, and what was seen stays seen", () => {
  const newest = new NewestLink();
  assert.equal(newest.take(5, 70), true);
  assert.equal(newest.take(4, undefined), false);
  assert.equal(newest.take(6, undefined), true);
  assert.equal(newest.take(5, 71), false, "a late one, of before the program was changed");
  assert.equal(newest.take(7, 70), false);
  assert.equal(newest.take(7, 71), true);
});

test("of links with epochs, taken in any order, the greatest is the newest at the end", () => {
  const epochs = fc.uniqueArray(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 20 });
  fc.assert(fc.property(epochs, (epochs) => {
    const newest = new NewestLink();
    epochs.forEach((epoch, at) => newest.take(at + 1, epoch));
    assert.equal(newest.highest, Math.max(...epochs));
    for (const [at, epoch] of epochs.entries()) {
      assert.equal(newest.take(at + 1, epoch), epoch === newest.highest, "one of them still is");
    }
  }));
});
