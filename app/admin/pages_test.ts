import assert from "node:assert/strict";
import { systemClock } from "../../base/clock.ts";
import { test } from "../../tests/rig/test.ts";
import { ADMIN_PAGE } from "../limits.ts";
import { makePage } from "./pages.ts";

/** Pages over whole numbers up to `end`, of which the even ones are wanted. */
async function evens(end: number, limit: number | undefined): Promise<number[][]> {
  const pages: number[][] = [];
  let from = 0;
  for (;;) {
    const { items, cursor } = await makePage({
      from: Array.from({ length: end - from }, (_, at) => from + at),
      limit,
      clock: systemClock,
      describe: (number) => number % 2 === 0 ? number : undefined,
      cursor: String,
    });
    pages.push(items);
    if (cursor === null) return pages;
    from = Number(cursor) + 1;
  }
}

test("pages have what is wanted, once and in order, and the last one has no cursor", async () => {
  assert.deepEqual(await evens(0, 3), [[]]);
  assert.deepEqual(await evens(6, 3), [[0, 2, 4]]);
  assert.deepEqual(await evens(8, 3), [[0, 2, 4], [6]]);
  assert.deepEqual(
    (await evens(1_000, undefined)).map(({ length }) => length),
    Array(500 / ADMIN_PAGE).fill(ADMIN_PAGE),
  );
});
