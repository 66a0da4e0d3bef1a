import assert from "node:assert/strict";
import fc from "fast-check";
import { EARLY_HOLD_MS, MAX_EARLY_BYTES, MAX_EARLY_BYTES_PER_LINK } from "./limits.ts";
import { EarlyBytes } from "./early_bytes.ts";
import { hex, unhex } from "../../tests/rig/bytes.ts";
import { test } from "../../tests/rig/test.ts";

test("early bytes are copied, and taken once, in order", () => {
  const early = new EarlyBytes();
  const bytes = unhex("01 02");
  assert.equal(early.hold(5, bytes, 0), true);
  bytes.fill(0);
  assert.equal(early.hold(6, unhex("09"), 1), true);
  assert.equal(early.hold(5, unhex("03"), 2), true);
  assert.equal(hex(early.take(5).bytes), "01 02 03");
  assert.equal(early.take(5).bytes.length, 0);
  assert.equal(hex(early.take(6).bytes), "09");
});

test("nothing is due while nothing is held", () => {
  const early = new EarlyBytes();
  assert.equal(early.deadline, Infinity);
  assert.deepEqual(early.expire(1e9), []);
  early.hold(1, unhex("01"), 100);
  assert.equal(early.deadline, 100 + EARLY_HOLD_MS);
  early.take(1);
  assert.equal(early.deadline, Infinity);
});

test("bytes expire by the time of the first of their id, and not before", () => {
  const early = new EarlyBytes();
  early.hold(1, unhex("01"), 0);
  early.hold(2, unhex("02"), 10);
  early.hold(1, unhex("03"), 400);
  assert.deepEqual(early.expire(EARLY_HOLD_MS - 1), []);
  assert.deepEqual(early.expire(EARLY_HOLD_MS), [1]);
  assert.equal(early.take(1).bytes.length, 0);
  assert.equal(early.deadline, 10 + EARLY_HOLD_MS);
  assert.deepEqual(early.expire(10 + EARLY_HOLD_MS), [2]);
  assert.equal(early.deadline, Infinity);
});

test("a CLOSE is kept with what came before it, for as long, and nobody has to be answered after that", () => {
  const early = new EarlyBytes();
  early.close(1, 0);
  early.hold(2, unhex("02"), 0);
  early.close(2, 400);
  early.hold(3, unhex("03"), 0);
  assert.equal(early.deadline, EARLY_HOLD_MS);
  assert.deepEqual(early.expire(EARLY_HOLD_MS), [3]);
  assert.equal(early.deadline, Infinity);
  early.close(1, 1_000);
  assert.deepEqual(early.take(1), { bytes: new Uint8Array(0), closed: true });
  assert.deepEqual(early.take(1), { bytes: new Uint8Array(0), closed: false });
  early.hold(2, unhex("02"), 1_000);
  early.close(2, 1_000);
  assert.equal(early.hold(2, new Uint8Array(MAX_EARLY_BYTES), 1_000), true, "nobody's");
  assert.deepEqual(early.take(2), { bytes: unhex("02"), closed: true });
});

test("one id may hold its bound and not a byte more; then nothing of it is kept", () => {
  const early = new EarlyBytes();
  assert.equal(early.hold(1, new Uint8Array(MAX_EARLY_BYTES), 0), true);
  assert.equal(early.hold(2, unhex("07"), 0), true);
  assert.equal(early.hold(1, unhex("01"), 0), false);
  assert.equal(early.take(1).bytes.length, 0);
  assert.equal(hex(early.take(2).bytes), "07");
});

test("all ids together may hold the bound of a link, and what is dropped makes room", () => {
  const early = new EarlyBytes();
  const full = MAX_EARLY_BYTES_PER_LINK / MAX_EARLY_BYTES;
  for (let id = 0; id < full; id++) assert.equal(early.hold(id, new Uint8Array(MAX_EARLY_BYTES), 0), true);
  assert.equal(early.hold(200, unhex("01"), 0), false);
  early.drop(3);
  assert.equal(early.hold(200, new Uint8Array(MAX_EARLY_BYTES), 0), true);
  assert.equal(early.hold(201, unhex("01"), 0), false);
  early.expire(EARLY_HOLD_MS);
  assert.equal(early.hold(201, new Uint8Array(MAX_EARLY_BYTES), EARLY_HOLD_MS), true);
});

test("bytes that come one by one are gathered, so that the bounds are those of the memory too", () => {
  const early = new EarlyBytes();
  const expected = new Uint8Array(MAX_EARLY_BYTES).map((_, at) => at * 7);
  for (const byte of expected) assert.equal(early.hold(1, Uint8Array.of(byte), 0), true);
  const kept = early.take(1).bytes;
  assert.deepEqual(kept, expected);
  assert(kept.buffer.byteLength <= 2 * MAX_EARLY_BYTES, `${kept.buffer.byteLength} bytes of memory`);
});

test("whatever comes, an id never loses a part of what is kept for it, and the bounds hold", () => {
  const step = fc.record({ id: fc.nat(40), size: fc.integer({ min: 1, max: MAX_EARLY_BYTES }), take: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const early = new EarlyBytes();
      const model = new Map<number, number>();
      for (const { id, size, take } of steps) {
        if (take) {
          assert.equal(early.take(id).bytes.length, model.get(id) ?? 0);
          model.delete(id);
          continue;
        }
        const before = model.get(id) ?? 0;
        const total = [...model.values()].reduce((sum, each) => sum + each, 0);
        const fits = before + size <= MAX_EARLY_BYTES && total + size <= MAX_EARLY_BYTES_PER_LINK;
        assert.equal(early.hold(id, new Uint8Array(size), 0), fits);
        if (fits) model.set(id, before + size);
        else model.delete(id);
      }
      for (const [id, size] of model) assert.equal(early.take(id).bytes.length, size);
    }),
    { numRuns: 30 },
  );
});
