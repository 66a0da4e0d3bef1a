/**
 * Tests of what a soak makes of its samples.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { growth, MinuteLow, slope } from "./samples.ts";

const checked = { sanitizeOps: true, sanitizeResources: true };

Deno.test("the slope of points on a line is that line's, wherever it begins", checked, () => {
  const whole = fc.integer({ min: -1_000, max: 1_000 });
  fc.assert(fc.property(whole, whole, fc.integer({ min: 2, max: 50 }), (rise, start, count) => {
    const points = Array.from({ length: count }, (_, x) => [x / 60, start + rise * x / 60] as const);
    assert.ok(Math.abs(slope(points) - rise) < 1e-6);
  }));
});

Deno.test("fewer than two points have no slope", checked, () => {
  assert.deepEqual([slope([]), slope([[1, 5]])], [0, 0]);
});

Deno.test("what counts of a minute is the least of it, each on its own", checked, () => {
  const low = new MinuteLow();
  low.saw({ memory: 5, descriptors: 9 });
  low.saw({ memory: 7, descriptors: 3 });
  assert.deepEqual(low.next(1), { hour: 1, memory: 5, descriptors: 3 });
  low.saw({ memory: 8, descriptors: 4 });
  assert.deepEqual(low.next(2), { hour: 2, memory: 8, descriptors: 4 });
  assert.equal(low.samples.length, 2);
});

Deno.test(
  "the growth of a line is its slope; teeth that grow no higher have none, and on a line that of the line",
  checked,
  () => {
    const whole = fc.integer({ min: -1_000, max: 1_000 });
    const minutes = fc.integer({ min: 4, max: 200 });
    fc.assert(fc.property(fc.nat(1_000), whole, minutes, (rise, start, count) => {
      const line = Array.from({ length: count }, (_, x) => [x / 60, start + rise * x / 60] as const);
      assert.ok(Math.abs(growth(line) - rise) < 1e-6);
    }));
    fc.assert(fc.property(fc.nat(200), fc.nat(9), fc.integer({ min: 40, max: 200 }), (rise, phase, count) => {
      const teeth = Array.from({ length: count }, (_, x) => [x / 60, (x + phase) % 10 + rise * x / 60] as const);
      const error = 10 / (Math.floor(count / 4) / 60); // a tooth more or less, over the quarter
      assert.ok(Math.abs(growth(teeth) - rise) <= error, `${growth(teeth)} for ${rise}`);
      if (rise === 0) assert.equal(growth(teeth), 0);
    }));
    assert.deepEqual([growth([]), growth([[1, 5], [2, 9], [3, 9]])], [0, 0]);
  },
);
