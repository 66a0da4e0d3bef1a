import assert from "node:assert/strict";
import { firstLine } from "./join.ts";

/** What reads `parts`, one after the other, and then the end. */
function input(...parts: string[]): { read(into: Uint8Array): Promise<number | null>; left(): number } {
  return {
    read(into) {
      const part = parts.shift();
      if (part === undefined) return Promise.resolve(null);
      const { read, written } = new TextEncoder().encodeInto(part, into);
      if (read < part.length) parts.unshift(part.slice(read));
      return Promise.resolve(written);
    },
    left: () => parts.length,
  };
}

Deno.test("the first line of stdin counts, however it is cut, with or without its end; nothing more is waited for", async () => {
  assert.equal(await firstLine(input("sp2_AB", "CD\r\nmo", "re")), "sp2_ABCD");
  assert.equal(await firstLine(input(" sp2_AB")), "sp2_AB");
  assert.equal(await firstLine(input()), "");
  const waits = input("sp2_AB\n", "later");
  assert.equal(await firstLine(waits), "sp2_AB");
  assert.equal(waits.left(), 1);
});

Deno.test("a line that never ends is given up", async () => {
  await assert.rejects(firstLine(input("x".repeat(10_000))), /the line on stdin has more than 4096 bytes/);
});
