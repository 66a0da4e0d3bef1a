/**
 * Frames and filters.
 *
 * @module
 */

import assert from "node:assert/strict";
import { test } from "../tests/rig/test.ts";
import { ERROR, EXTENDED, FD, frameFault, KIND_BIT, NO_DATA, passes, REMOTE } from "./frame.ts";

const of = (id: number, flags = 0, length = 0) => ({ id, flags, length, data: new Uint8Array(length), time: 0 });

test("a frame passes if any filter lets it, and errors always do", () => {
  assert.ok(passes([], of(0x123)));
  const filters = [{ id: 0x12, mask: 0xff }, { id: 0x300, mask: 0x700 }];
  assert.deepEqual([0x112, 0x345, 0x113].map((id) => passes(filters, of(id))), [true, true, false]);
  assert.ok(passes(filters, of(1, ERROR)));
});

test("the kind of an id counts only where a filter says so", () => {
  const either = [{ id: 0x12, mask: 0x7ff }];
  assert.ok(passes(either, of(0x12)) && passes(either, of(0x12, EXTENDED)));
  const standard = [{ id: 0x12, mask: (0x7ff | KIND_BIT) >>> 0 }];
  assert.deepEqual([passes(standard, of(0x12)), passes(standard, of(0x12, EXTENDED))], [true, false]);
  const extended = [{ id: (0x12 | KIND_BIT) >>> 0, mask: (0x1fff_ffff | KIND_BIT) >>> 0 }];
  assert.deepEqual([passes(extended, of(0x12)), passes(extended, of(0x12, EXTENDED))], [false, true]);
});

test("what no bus carries is a fault", () => {
  assert.equal(frameFault(of(0x7ff, 0, 8)), undefined);
  assert.equal(frameFault(of(0x1fff_ffff, EXTENDED | FD, 64)), undefined);
  assert.equal(frameFault({ ...of(1, REMOTE), length: 8, data: NO_DATA }), undefined);
  for (
    const wrong of [
      of(0x800),
      of(0x2000_0000, EXTENDED),
      of(-1),
      of(0.5),
      of(1, 0, 9),
      of(1, FD, 9),
      of(1, FD | REMOTE),
      { ...of(1, 0, 2), length: 3 },
    ]
  ) assert.notEqual(frameFault(wrong), undefined);
});
