import assert from "node:assert/strict";
import fc from "fast-check";
import { MAX_BACKOFF_MS, MIN_BACKOFF_MS } from "./limits.ts";
import { Backoff } from "./backoff.ts";
import { test } from "../tests/rig/test.ts";
import { Random } from "../tests/rig/random.ts";

/** Numbers in [0, 1) that a seed repeats. */
function seeded(seed: number): () => number {
  const random = new Random(seed);
  return () => random.fraction();
}

const waits = (backoff: Backoff, count: number) => Array.from({ length: count }, () => backoff.next());

test("the bounds are 0.5 s and 30 s", () => {
  assert.deepEqual([MIN_BACKOFF_MS, MAX_BACKOFF_MS], [500, 30_000]);
});

test("with the largest random number waits double up to the longest", () => {
  const wait = waits(new Backoff(() => 1), 8);
  assert.deepEqual(wait, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
});

test("with the smallest random number every wait is the shortest", () => {
  assert.deepEqual(waits(new Backoff(() => 0), 5), [500, 500, 500, 500, 500]);
});

test("a reset starts over", () => {
  const backoff = new Backoff(() => 1);
  waits(backoff, 6);
  backoff.reset();
  assert.deepEqual(waits(backoff, 2), [1_000, 2_000]);
});

test("with any random numbers waits stay within the bounds of their try", () => {
  fc.assert(fc.property(fc.integer(), (seed) => {
    for (const [at, wait] of waits(new Backoff(seeded(seed)), 12).entries()) {
      assert(wait >= MIN_BACKOFF_MS && wait <= Math.min(MAX_BACKOFF_MS, MIN_BACKOFF_MS * 2 ** (at + 1)), `${wait}`);
    }
  }));
});

test("the same seed gives the same waits, another seed others", () => {
  assert.deepEqual(waits(new Backoff(seeded(7)), 10), waits(new Backoff(seeded(7)), 10));
  assert.notDeepEqual(waits(new Backoff(seeded(7)), 10), waits(new Backoff(seeded(8)), 10));
});

test("without a generator of its own a fleet does not come back as one", () => {
  const first = new Set(Array.from({ length: 50 }, () => new Backoff().next()));
  assert(first.size > 40);
});
