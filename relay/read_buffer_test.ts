import assert from "node:assert/strict";
import fc from "fast-check";
import { MAX_READ } from "../net/limits.ts";
import { MIN_READ } from "./limits.ts";
import { ReadBuffer } from "./read_buffer.ts";
import { test } from "../tests/rig/test.ts";

/** Reads that use all of the buffer, until it no longer grows. */
function grown(buffer: ReadBuffer): number[] {
  const sizes = [buffer.payload.length];
  for (;;) {
    buffer.learn(buffer.payload.length);
    if (buffer.payload.length === sizes.at(-1)) return sizes;
    sizes.push(buffer.payload.length);
  }
}

test("a buffer starts small and grows to its bound while reads fill it", () => {
  assert.equal(grown(new ReadBuffer(4, 1_000_000)).at(0), MIN_READ);
  assert.equal(grown(new ReadBuffer(4, 1_000_000)).at(-1), MAX_READ);
  assert.equal(grown(new ReadBuffer(4, 65_535)).at(-1), 65_535);
});

test("a buffer shrinks to its first size when reads stay small, and not at the first of them", () => {
  const buffer = new ReadBuffer(4, 65_535);
  grown(buffer);
  buffer.learn(1);
  assert.equal(buffer.payload.length, 65_535);
  let reads = 1;
  while (buffer.payload.length > MIN_READ && reads < 1_000) {
    buffer.learn(1);
    reads++;
  }
  assert.equal(buffer.payload.length, MIN_READ);
});

test("a large read among small ones keeps the buffer", () => {
  const buffer = new ReadBuffer(4, 65_535);
  grown(buffer);
  for (let n = 0; n < 100; n++) buffer.learn(n % 5 === 0 ? 40_000 : 1);
  assert.equal(buffer.payload.length, 65_535);
});

test("whatever is read, the payload stands behind the headroom and within the bounds", () => {
  fc.assert(fc.property(
    fc.integer({ min: 0, max: 16 }),
    fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 60 }),
    (headroom, fills) => {
      const buffer = new ReadBuffer(headroom, 65_535);
      for (const fill of fills) {
        buffer.learn(Math.ceil(buffer.payload.length * fill));
        assert.equal(buffer.payload.buffer, buffer.frame.buffer);
        assert.equal(buffer.payload.byteOffset, headroom);
        assert.equal(buffer.frame.length, headroom + buffer.payload.length);
        assert(buffer.payload.length >= MIN_READ && buffer.payload.length <= 65_535);
      }
    },
  ));
});
