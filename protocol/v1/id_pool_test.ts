import assert from "node:assert/strict";
import fc from "fast-check";
import { CROSSED_ID_REST_MS } from "./limits.ts";
import { IdPool } from "./id_pool.ts";
import { test } from "../../tests/rig/test.ts";

test("ids come in the order of the original server: 1, 2, … 255, 0, and then none", () => {
  const pool = new IdPool();
  const taken = Array.from({ length: 256 }, () => pool.take(0));
  assert.deepEqual(taken, [...Array.from({ length: 255 }, (_, at) => at + 1), 0]);
  assert.equal(pool.take(0), undefined);
  assert.equal(pool.free, 0);
});

test("an id that was given back comes after all that were never used", () => {
  const pool = new IdPool(4);
  assert.equal(pool.take(0), 1);
  pool.release(1);
  assert.deepEqual([pool.take(0), pool.take(0), pool.take(0), pool.take(0)], [2, 3, 0, 1]);
});

test("ids that were given back come in the order of their return", () => {
  const pool = new IdPool(4);
  for (let n = 0; n < 4; n++) pool.take(0);
  for (const id of [3, 0, 2]) pool.release(id);
  assert.deepEqual([pool.take(0), pool.take(0), pool.take(0), pool.take(0)], [3, 0, 2, undefined]);
});

test("a resting id is passed over while another is free", () => {
  const pool = new IdPool(3);
  const [a, b, c] = [pool.take(0)!, pool.take(0)!, pool.take(0)!];
  pool.rest(a, 0);
  pool.release(b);
  pool.release(c);
  assert.deepEqual([pool.take(1), pool.take(1)], [b, c]);
});

test("a resting id is taken early, the longest rested first, when no other is left", () => {
  const pool = new IdPool(2);
  const [a, b] = [pool.take(0)!, pool.take(0)!];
  pool.rest(b, 0);
  pool.rest(a, 10);
  assert.equal(pool.free, 2);
  assert.deepEqual([pool.take(11), pool.take(11), pool.take(11)], [b, a, undefined]);
});

test("an id that has rested stands behind those given back before its rest ended", () => {
  const pool = new IdPool(3);
  const [a, b, c] = [pool.take(0)!, pool.take(0)!, pool.take(0)!];
  pool.rest(a, 0);
  pool.release(b);
  assert.equal(pool.take(CROSSED_ID_REST_MS), b);
  pool.release(c);
  assert.deepEqual([pool.take(CROSSED_ID_REST_MS), pool.take(CROSSED_ID_REST_MS)], [a, c]);
});

test("an id in use is never handed out again, and a free one always is", () => {
  const step = fc.record({
    what: fc.constantFrom("take", "take", "release", "rest"),
    which: fc.nat(255),
    wait: fc.constantFrom(0, 1, CROSSED_ID_REST_MS / 2, CROSSED_ID_REST_MS),
  });
  fc.assert(fc.property(fc.integer({ min: 1, max: 256 }), fc.array(step, { maxLength: 400 }), (size, steps) => {
    const pool = new IdPool(size);
    const used = new Set<number>();
    let now = 0;
    for (const { what, which, wait } of steps) {
      now += wait;
      const inUse = [...used];
      const chosen = inUse[which % Math.max(1, inUse.length)];
      if (what === "take") {
        const id = pool.take(now);
        assert.equal(id === undefined, used.size === size);
        if (id === undefined) continue;
        assert(id >= 0 && id < size && !used.has(id), `id ${id} was in use`);
        used.add(id);
      } else if (chosen !== undefined) {
        used.delete(chosen);
        if (what === "rest") pool.rest(chosen, now);
        else pool.release(chosen);
      }
      assert.equal(pool.free, size - used.size);
    }
  }));
});
