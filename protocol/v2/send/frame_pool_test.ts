import assert from "node:assert/strict";
import { FRAME_BUFFER_SIZE, MAX_POOLED_FRAMES } from "../limits.ts";
import { giveFrame, takeFrame } from "./frame_pool.ts";
import { test } from "../../../tests/rig/test.ts";

/** Takes what the pool has, so that a test knows what is in it. */
function drain(): Uint8Array[] {
  return Array.from({ length: MAX_POOLED_FRAMES + 1 }, takeFrame);
}

test("a buffer that was given back is the next one that is taken, and is nobody else's then", () => {
  drain();
  const buffer = takeFrame();
  assert.equal(buffer.length, FRAME_BUFFER_SIZE);
  giveFrame(buffer);
  assert.equal(takeFrame(), buffer);
  assert.notEqual(takeFrame(), buffer);
});

test("buffers of another size, and views of a part, are left to the collector", () => {
  drain();
  const others = [new Uint8Array(FRAME_BUFFER_SIZE - 1), new Uint8Array(0), takeFrame().subarray(8)];
  for (const other of others) giveFrame(other);
  for (const taken of drain()) assert.equal(others.includes(taken), false);
});

test("no more buffers are kept than the limit, however many come back", () => {
  const given = drain();
  assert.equal(given.length, MAX_POOLED_FRAMES + 1);
  for (const buffer of given) giveFrame(buffer);
  const known = new Set(given);
  const again = drain().filter((buffer) => known.has(buffer));
  assert.equal(again.length, MAX_POOLED_FRAMES);
});
