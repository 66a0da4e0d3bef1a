import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { ALONE, alone, compiled, FROM_SOURCE, partsOf, PORTABLE, portable, testFiles } from "./parts.ts";
import { byWorkers, passOn, workersOf } from "./workers.ts";

const STRICT = { sanitizeOps: true, sanitizeResources: true };

const files = testFiles(fileURLToPath(new URL("../../", import.meta.url)));

Deno.test("the parts have every test file once, and what measures has the machine for itself", STRICT, () => {
  assert.ok(files.length > 400 && files.includes("scripts/test/parts_test.ts"));
  const found = [...partsOf(files), ...alone(files)].flatMap((part) => part.files);
  assert.deepEqual(found.toSorted(), files);
  assert.deepEqual(alone(files).flatMap((part) => part.files), [...ALONE].toSorted());
  assert.ok(
    Math.max(...partsOf(files).map((part) => part.files.length)) <= 70,
    "no part is much longer than the others",
  );
});

Deno.test("parts begin with rooms that take long, which take turns, each with its engine", STRICT, () => {
  const e2e = ["b", "c"].map((name) => `tests/e2e/${name}_test.ts`);
  const faults = ["e", "f"].map((name) => `tests/faults/${name}_test.ts`);
  const parts = partsOf(["app/a_test.ts", "tests/d_test.ts", ...e2e, ...faults], "native");
  assert.deepEqual(parts.map(({ name, engine }) => [name, engine]), [
    ["tests/e2e 1/8", "native"],
    ["tests/faults 1/5", "native"],
    ["tests/e2e 2/8", "native"],
    ["tests/faults 2/5", "native"],
    ["app", "native"],
    ["tests", "native"],
  ]);
});

Deno.test("every file that is named apart is there", STRICT, () => {
  for (const name of [...ALONE, ...FROM_SOURCE]) assert.ok(files.includes(name), name);
  for (const path of PORTABLE) assert.ok(files.some((file) => file.startsWith(path)), path);
  assert.ok(portable(files).includes("tests/v2/resume_test.ts"));
  assert.ok(compiled(files).includes("tests/e2e/permissions_test.ts"));
  assert.ok(!compiled(files).some((file) => FROM_SOURCE.includes(file) || !/^tests\/(e2e|faults)\//.test(file)));
});

Deno.test("a few at a time, begun in their order, and each outcome at its place", STRICT, async () => {
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const all = byWorkers(2, [10, 20, 30], async (job) => {
    begun.push(job);
    await new Promise<void>((resolve) => ends.push(resolve));
    return job + 1;
  });
  assert.deepEqual(begun, [10, 20]);
  ends[1]!();
  while (begun.length < 3) await Promise.resolve();
  for (const end of ends) end();
  assert.deepEqual(await all, [11, 21, 31]);
});

Deno.test("the tests of a file are passed on in one piece, however they come in", STRICT, async () => {
  const text =
    "Check a\n\x1b[90mrunning 2 tests from ./a_test.ts\nä ... ok\nb ... ok\nrunning 1 test from ./b_test.ts\nc";
  const bytes = new TextEncoder().encode(text);
  for (const size of [1, 7, bytes.length]) {
    const pieces: string[] = [];
    const chunks = Array.from(
      { length: Math.ceil(bytes.length / size) },
      (_, n) => bytes.slice(n * size, (n + 1) * size),
    );
    await passOn(ReadableStream.from(chunks), (piece) => pieces.push(piece));
    assert.deepEqual(pieces, [
      "Check a",
      "\x1b[90mrunning 2 tests from ./a_test.ts\nä ... ok\nb ... ok",
      "running 1 test from ./b_test.ts\nc",
    ]);
  }
});

Deno.test("a number of parts at once that is none is refused, and nothing is left out", STRICT, async () => {
  assert.deepEqual([workersOf(undefined, 3), workersOf("", 3), workersOf("12", 3)], [3, 3, 12]);
  for (const asked of ["0", "-1", "many", "1.5", " 2", "1e3"]) assert.throws(() => workersOf(asked, 3), RangeError);
  for (const count of [0, -1, NaN]) {
    await assert.rejects(byWorkers(count, [1], () => Promise.resolve(1)), RangeError);
  }
});

Deno.test("what a process leaves behind does not hold its part", STRICT, async () => {
  const ended = Promise.withResolvers<void>();
  const heading = new TextEncoder().encode("running 1 test from ./a_test.ts\na");
  let end: ReadableStreamDefaultController<Uint8Array> | undefined;
  const held = new ReadableStream<Uint8Array>({
    start: (controller) => (end = controller, controller.enqueue(heading)),
  });
  const pieces: string[] = [];
  const passed = passOn(held, (piece) => pieces.push(piece), ended.promise);
  ended.resolve();
  assert.equal(await passed, false);
  assert.deepEqual(pieces, ["running 1 test from ./a_test.ts\na"]);
  assert.ok(end);

  const whole = passOn(ReadableStream.from([heading]), (piece) => pieces.push(piece), Promise.resolve());
  assert.equal(await whole, true);
});
