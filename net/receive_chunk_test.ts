import assert from "node:assert/strict";
import fc from "fast-check";
import { MAX_LINK_CHUNK, MIN_LINK_CHUNK } from "./limits.ts";
import { type ReceiveChunk, ReceiveChunks } from "./receive_chunk.ts";
import { test } from "./_fakes_test.ts";

test("a chunk that nobody needs is used again", () => {
  const chunks = new ReceiveChunks();
  const first = chunks.next();
  assert.equal(chunks.next(), first);
  assert.equal(chunks.current, first);
});

test("a pinned chunk is left alone until every pin is gone", () => {
  const chunks = new ReceiveChunks();
  const first = chunks.next();
  first.pin();
  first.pin();
  const second = chunks.next();
  assert.notEqual(second, first);
  first.unpin();
  assert.equal(first.pinned, true);
  second.pin();
  assert.notEqual(chunks.next(), first);
});

test("a chunk that was let go of is taken again instead of a new one", () => {
  const chunks = new ReceiveChunks();
  const first = chunks.next();
  first.pin();
  const second = chunks.next();
  second.pin();
  first.unpin();
  assert.equal(chunks.next(), first);
});

test("chunks grow while reads fill them, up to the bound, and shrink when reads stay small", () => {
  const chunks = new ReceiveChunks();
  assert.equal(chunks.next().bytes.length, MIN_LINK_CHUNK);
  for (let n = 0; n < 6; n++) chunks.learn(chunks.next().bytes.length);
  assert.equal(chunks.next().bytes.length, MAX_LINK_CHUNK);
  chunks.learn(1);
  assert.equal(chunks.next().bytes.length, MAX_LINK_CHUNK);
  for (let n = 0; n < 100; n++) chunks.learn(1);
  assert.equal(chunks.next().bytes.length, MIN_LINK_CHUNK);
});

test("no read ever goes into a chunk that a write still needs", () => {
  const step = fc.record({ pin: fc.boolean(), unpin: fc.nat(5), fill: fc.constantFrom(0.01, 0.5, 1) });
  fc.assert(fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
    const chunks = new ReceiveChunks();
    const pinned: ReceiveChunk[] = [];
    for (const { pin, unpin, fill } of steps) {
      const chunk = chunks.next();
      assert(!pinned.includes(chunk), "a pinned chunk was handed out");
      assert(chunk.bytes.length >= MIN_LINK_CHUNK && chunk.bytes.length <= MAX_LINK_CHUNK);
      if (pin) {
        chunk.pin();
        pinned.push(chunk);
      }
      chunks.learn(Math.ceil(chunk.bytes.length * fill));
      if (unpin < pinned.length) pinned.splice(unpin, 1)[0]!.unpin();
    }
  }));
});
