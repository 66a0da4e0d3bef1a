import assert from "node:assert/strict";
import { MAX_WARNING_KINDS, WARNINGS_PER_SECOND } from "./limits.ts";
import { WarningLimit } from "./warning_limit.ts";

Deno.test("warnings of a kind are limited by the second, and those held back are counted", () => {
  const limit = new WarningLimit();
  for (let n = 0; n < WARNINGS_PER_SECOND; n++) assert.equal(limit.take("refused", 1_500), 0);
  for (let n = 0; n < 7; n++) assert.equal(limit.take("refused", 1_900), undefined);
  assert.equal(limit.take("stalled", 1_900), 0, "another kind has its own limit");
  assert.equal(limit.take("refused", 2_000), 7);
  assert.equal(limit.take("refused", 2_001), 0);
});

Deno.test("a bounded number of kinds is remembered, the latest ones", () => {
  const limit = new WarningLimit();
  for (let n = 0; n < WARNINGS_PER_SECOND; n++) limit.take("first", 0);
  for (let n = 1; n < MAX_WARNING_KINDS; n++) limit.take(`${n}`, 0);
  assert.equal(limit.take("first", 0), undefined);
  limit.take("one more", 0);
  assert.equal(limit.take("first", 0), 0);
});
