import assert from "node:assert/strict";
import fc from "fast-check";
import { COPY_MAX, MAX_LEFT_CHUNKS, MAX_LINK_CHUNK, MAX_PIECES_A_READ, MIN_LINK_CHUNK } from "../limits.ts";
import { type ChunkBudget, type ReceiveChunk, ReceiveChunks } from "./receive_chunk.ts";
import { test } from "../../tests/rig/test.ts";

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

/** Writes down what is counted against it. */
class Counted implements ChunkBudget {
  largest = Infinity;
  bytes = 0;
  charge(size: number): void {
    this.bytes += size;
  }
  give(size: number): void {
    this.bytes -= size;
  }
}

/** Chunks that have grown to the largest size. */
function largeChunks(budget: ChunkBudget): ReceiveChunks {
  const chunks = new ReceiveChunks(budget);
  for (let n = 0; n < 6; n++) chunks.learn(chunks.next().bytes.length);
  return chunks;
}

test("what blocked writes hold is counted in whole chunks, from when reading goes on without one until its last pin", () => {
  const budget = new Counted();
  const chunks = largeChunks(budget);
  const first = chunks.next();
  first.pin();
  first.pin();
  assert.equal(budget.bytes, 0, "a write that comes back at once costs nothing");
  chunks.next();
  assert.equal(budget.bytes, MAX_LINK_CHUNK);
  first.unpin();
  assert.equal(budget.bytes, MAX_LINK_CHUNK);
  first.unpin();
  assert.equal(budget.bytes, 0);
  const shrinking = chunks.next();
  shrinking.pin();
  for (let n = 0; n < 20; n++) chunks.learn(1);
  assert.equal(budget.bytes, MAX_LINK_CHUNK, "a chunk that another size takes the place of counts too");
  shrinking.unpin();
  assert.equal(budget.bytes, 0);
});

test("small parts of large chunks are lent to few blocked writes, large parts as long as there is room", () => {
  const budget = new Counted();
  const chunks = largeChunks(budget);
  const pinned: ReceiveChunk[] = [];
  while (chunks.next().lends(COPY_MAX + 1)) {
    chunks.current.pin();
    pinned.push(chunks.current);
  }
  assert.equal(budget.bytes, MAX_LEFT_CHUNKS);
  assert.equal(chunks.current.lends(COPY_MAX), true, "such a piece is copied anyway");
  assert.equal(chunks.current.lends(MAX_LINK_CHUNK / 2 - 1), false);
  assert.equal(chunks.current.lends(MAX_LINK_CHUNK / 2), true);
  budget.largest = MAX_LINK_CHUNK - 1;
  assert.equal(chunks.current.lends(MAX_LINK_CHUNK), false);
  pinned.pop()!.unpin();
  budget.largest = Infinity;
  assert.equal(chunks.current.lends(COPY_MAX + 1), true);
});

for (const what of ["is delivered in many pieces", "asks for many answers"]) {
  test(`what ${what} is read in smaller chunks, which grow again when that is over`, () => {
    const chunks = new ReceiveChunks();
    const read = (count: number) => {
      const chunk = chunks.next();
      const { bytes } = chunk;
      for (let n = 0; n < count; n++) {
        if (what === "asks for many answers") chunks.answers++;
        else chunk.lends(1);
      }
      chunks.learn(bytes.length);
      return bytes.length;
    };
    while (read(0) < MAX_LINK_CHUNK);
    assert.equal(read(MAX_PIECES_A_READ), MAX_LINK_CHUNK);
    assert.equal(read(MAX_PIECES_A_READ + 1), MAX_LINK_CHUNK);
    assert.equal(read(MAX_PIECES_A_READ + 1), MAX_LINK_CHUNK / 4);
    assert.equal(read(MAX_PIECES_A_READ + 1), MIN_LINK_CHUNK);
    assert.equal(read(MAX_PIECES_A_READ + 1), MIN_LINK_CHUNK);
    assert.equal(read(0), MIN_LINK_CHUNK);
    assert.equal(read(0), MAX_LINK_CHUNK / 4);
    assert.equal(read(0), MAX_LINK_CHUNK);
  });
}
