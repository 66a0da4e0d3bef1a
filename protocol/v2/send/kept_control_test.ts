import assert from "node:assert/strict";
import fc from "fast-check";
import { KeptControl } from "./kept_control.ts";
import { test } from "../../../tests/rig/test.ts";

test("what is counted of control frames is what is kept, or up to 64 KiB more", () => {
  const step = fc.record({
    control: fc.boolean(),
    size: fc.oneof(fc.integer({ min: 8, max: 100 }), fc.integer({ min: 8, max: 65_543 })),
    acknowledge: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined, freq: 3 }),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
    const kept = new KeptControl();
    let frames: { end: number; size: number }[] = [];
    let position = 0;
    let base = 0;
    for (const { control, size, acknowledge } of steps) {
      position += size;
      if (control) {
        kept.sent(size, position);
        frames.push({ end: position, size });
      }
      if (acknowledge !== undefined) {
        base += Math.floor((position - base) * acknowledge);
        kept.acknowledged(base, base === position);
        frames = frames.filter(({ end }) => end > base);
      }
      const real = frames.reduce((sum, frame) => sum + frame.size, 0);
      assert(kept.bytes >= real && kept.bytes <= real + 2 * 65_543, `${kept.bytes} for ${real}`);
      if (base === position) assert.equal(kept.bytes, 0);
    }
  }));
});
