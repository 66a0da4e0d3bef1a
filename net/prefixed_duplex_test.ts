import assert from "node:assert/strict";
import fc from "fast-check";
import { FakeDuplex } from "../relay/_fakes_test.ts";
import { PrefixedDuplex } from "./prefixed_duplex.ts";
import { isSettled } from "../tests/rig/wait.ts";
import { test } from "../tests/rig/test.ts";

test("the prefix comes first, whatever the sizes of the reads, then what follows, then the end", async () => {
  await fc.assert(fc.asyncProperty(
    fc.uint8Array({ maxLength: 40 }),
    fc.uint8Array({ minLength: 1, maxLength: 40 }),
    fc.integer({ min: 1, max: 20 }),
    async (prefix, following, size) => {
      const below = new FakeDuplex();
      const duplex = new PrefixedDuplex(below, prefix);
      below.feed(following);
      below.feed(null);
      const got: number[] = [];
      const buffer = new Uint8Array(size);
      for (;;) {
        const count = await duplex.read(buffer);
        if (count === null) break;
        assert.ok(count > 0 && count <= size);
        got.push(...buffer.subarray(0, count));
      }
      assert.deepEqual(got, [...prefix, ...following]);
    },
  ));
});

test("the prefix is read although nothing has come below it", async () => {
  const below = new FakeDuplex();
  const duplex = new PrefixedDuplex(below, Uint8Array.of(1, 2, 3));
  assert.equal(await duplex.read(new Uint8Array(8)), 3);
  assert.equal(below.isRead, false, "and nothing is asked of what is below for it");
  const next = duplex.read(new Uint8Array(8));
  assert.equal(await isSettled(next), false);
  below.feed(Uint8Array.of(4));
  assert.equal(await next, 1);
});

test("everything else is that of the duplex below", async () => {
  const below = new FakeDuplex();
  const duplex = new PrefixedDuplex(below, Uint8Array.of(1));
  assert.equal(await duplex.write(Uint8Array.of(7, 8)), 2);
  assert.deepEqual(below.take(), Uint8Array.of(7, 8));
  await duplex.closeWrite();
  assert.equal(below.finished, true);
  duplex.close();
  assert.equal(below.closed, true);
});
