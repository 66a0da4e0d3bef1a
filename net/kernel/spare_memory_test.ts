import assert from "node:assert/strict";
import { test } from "../../tests/rig/test.ts";
import { QUIET_PASSES, SPARE_LOOKS, WORKED_PASSES } from "../limits.ts";
import { SpareMemory } from "./spare_memory.ts";

test("memory is given back in the first pause after a start, and after work, not while there is work, nor for nothing", () => {
  let given = 0;
  const spare = new SpareMemory({ malloc_trim: () => ++given });
  let passes = 0;
  /** As many looks as count, with `fresh` passes meanwhile. */
  const goes = (fresh: number) => {
    const before = given;
    passes += fresh;
    for (let n = 0; n < SPARE_LOOKS; n++) spare.look(passes);
    return given - before;
  };
  assert.equal(goes(10), 1, "it has started");
  for (let n = 0; n < 20; n++) assert.equal(goes(10), 0);
  assert.equal(goes(QUIET_PASSES + 1), 0, "it works");
  assert.equal(goes(QUIET_PASSES * 100), 0);
  assert.equal(goes(5), 1, "it is done");
  assert.equal(goes(WORKED_PASSES - 1), 0);
  assert.equal(goes(1), 1, "little, for a long time");
});
