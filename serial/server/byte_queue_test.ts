import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "../../tests/rig/test.ts";
import { ByteQueue } from "./byte_queue.ts";

test("a queue is a list of bytes of which the newest stay, and what went is counted", () => {
  const step = fc.oneof(
    fc.record({ push: fc.uint8Array({ maxLength: 3_000 }) }),
    fc.record({ skip: fc.nat(2_000) }),
    fc.constant({ clear: true }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
    const limit = 2_500;
    const queue = new ByteQueue(limit);
    let model: number[] = [];
    let lost = 0;
    for (const step of steps) {
      if ("push" in step) {
        const over = Math.max(0, model.length + step.push.length - limit);
        assert.equal(queue.push(step.push), over);
        lost += over;
        model = [...model, ...step.push].slice(-limit);
      } else if ("skip" in step) {
        const head = queue.peek();
        assert.deepEqual([...head], model.slice(0, head.length));
        assert.ok(head.length > 0 || model.length === 0);
        const count = Math.min(step.skip, head.length);
        queue.skip(count);
        model = model.slice(count);
      } else {
        queue.clear();
        model = [];
      }
      assert.deepEqual([queue.length, queue.room, queue.lost], [model.length, limit - model.length, lost]);
    }
    const rest: number[] = [];
    while (queue.length > 0) {
      const head = queue.peek();
      rest.push(...head);
      queue.skip(head.length);
    }
    assert.deepEqual(rest, model);
  }));
});
