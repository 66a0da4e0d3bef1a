import assert from "node:assert/strict";
import { MAX_LINES_JOINED, MAX_OUTPUT_BACKLOG } from "./limits.ts";
import { LineWriter, type Sink } from "./output.ts";
import { TempFolder } from "../tests/rig/temp_folder.ts";

const STRICT = { sanitizeOps: true, sanitizeResources: true };

/** Takes what the test lets it take. */
class BlockedSink implements Sink {
  taken = "";
  #resume = Promise.withResolvers<void>();
  #error: Error | undefined;

  async write(bytes: Uint8Array): Promise<number> {
    await this.#resume.promise;
    if (this.#error) throw this.#error;
    const count = Math.min(bytes.length, 7); // short writes are as good as any
    this.taken += new TextDecoder().decode(bytes.subarray(0, count));
    return count;
  }

  writeSync(): number {
    throw new Error("whoever waits for this sink waits for ever");
  }

  unblock(error?: Error): void {
    this.#error = error;
    this.#resume.resolve();
  }
}

Deno.test("lines come out whole and in order, however little is taken at once", STRICT, async () => {
  const sink = new BlockedSink();
  const writer = new LineWriter(sink);
  sink.unblock();
  for (const line of ["one", "two, which is longer", "three"]) writer.write(line);
  await writer.flush(1_000);
  assert.equal(sink.taken, "one\ntwo, which is longer\nthree\n");
});

Deno.test("a sink that nobody reads costs lines beyond the bound, and nobody waits for it", STRICT, async () => {
  const sink = new BlockedSink();
  const writer = new LineWriter(sink);
  const line = "x".repeat(1023);
  for (let n = 0; n < MAX_OUTPUT_BACKLOG / 1024 + 5; n++) writer.write(line);
  await writer.flush(1); // gives up, and comes back
  assert.equal(sink.taken, "");
  sink.unblock();
  await writer.flush(10_000);
  const lines = sink.taken.trimEnd().split("\n");
  assert.equal(lines.length, MAX_OUTPUT_BACKLOG / 1024 + 1);
  assert.match(lines.at(-1)!, /^\(5 lines dropped here: 1024 KiB waited for whoever reads this/);
});

Deno.test(
  "a sink that fails loses its lines, and the next ones are tried again, with word of the loss",
  STRICT,
  async () => {
    const sink = new BlockedSink();
    const writer = new LineWriter(sink);
    const failures: unknown[] = [];
    writer.onFailure = (error) => failures.push(error);
    const broken = new Error("Broken pipe (os error 32)");
    sink.unblock(broken);
    writer.write("lost");
    writer.write("lost too");
    await writer.flush(1_000);
    assert.equal(sink.taken, "");
    assert.deepEqual(failures, [broken]);
    sink.unblock();
    writer.write("read");
    await writer.flush(1_000);
    assert.equal(sink.taken, "read\n(2 lines dropped here: Broken pipe)\n");
  },
);

/** Takes all, a little at a time, until its disk is full. */
class FakeFile implements Sink {
  taken = "";
  full = false;

  write(): Promise<number> {
    return Promise.reject(new Error("a file is not waited for"));
  }

  writeSync(bytes: Uint8Array): number {
    if (this.full) throw new Error("No space left on device (os error 28)");
    this.taken += new TextDecoder().decode(bytes.subarray(0, 7));
    return Math.min(bytes.length, 7);
  }
}

Deno.test("a file has every line as soon as it is written, however many there are at once", STRICT, () => {
  const file = new FakeFile();
  const writer = new LineWriter(file, true);
  const line = "x".repeat(1023);
  const count = MAX_OUTPUT_BACKLOG / 1024 + 5;
  for (let n = 0; n < count; n++) writer.write(line);
  assert.equal(file.taken, `${line}\n`.repeat(count));
});

Deno.test("a full disk costs lines, and the first one that fits again stands behind their number", STRICT, () => {
  const file = new FakeFile();
  const writer = new LineWriter(file, true);
  writer.write("one");
  file.full = true;
  writer.write("two");
  writer.write("three");
  file.full = false;
  writer.write("four");
  assert.equal(file.taken, "one\n(2 lines dropped here: No space left on device)\nfour\n");
});

Deno.test("ten thousand lines to stderr all arrive in a file that it is", STRICT, async () => {
  using temporary = new TempFolder();
  const folder = temporary.path;
  const output = JSON.stringify(new URL("./output.ts", import.meta.url).href);
  const program = `const { stderr, flushOutput } = await import(${output});
for (let n = 0; n < 10_000; n++) stderr.write("line " + n + " " + "x".repeat(200));
await flushOutput();
Deno.exit(0);`;
  await Deno.writeTextFile(`${folder}/many.mjs`, program);
  const shell = new Deno.Command("sh", {
    args: [
      "-c",
      '"$0" run --no-prompt --allow-read "$1" 2>"$2"',
      Deno.execPath(),
      `${folder}/many.mjs`,
      `${folder}/log`,
    ],
  });
  assert.equal((await shell.output()).code, 0);
  const lines = (await Deno.readTextFile(`${folder}/log`)).trimEnd().split("\n");
  assert.deepEqual([lines.length, lines.at(-1)?.slice(0, 10)], [10_000, "line 9999 "]);
});

/** Takes everything, and notes each write. */
class NotingSink implements Sink {
  readonly writes: string[] = [];

  write(bytes: Uint8Array): Promise<number> {
    return Promise.resolve(this.writeSync(bytes));
  }

  writeSync(bytes: Uint8Array): number {
    this.writes.push(new TextDecoder().decode(bytes));
    return bytes.length;
  }
}

for (const isFile of [true, false]) {
  Deno.test(
    `lines of one turn leave in one write, to a ${isFile ? "file" : "pipe"}, ahead of an urgent one`,
    STRICT,
    async () => {
      const sink = new NotingSink();
      const writer = new LineWriter(sink, isFile);
      writer.writeSoon("one");
      writer.writeSoon("two");
      assert.deepEqual(sink.writes, []);
      await new Promise((resolve) => setTimeout(resolve, 5));
      assert.deepEqual(sink.writes, ["one\ntwo\n"]);
      writer.writeSoon("three");
      writer.write("urgent");
      await writer.flush(1_000);
      assert.equal(sink.writes.join(""), "one\ntwo\nthree\nurgent\n");
      for (let n = 0; n < MAX_LINES_JOINED; n++) writer.writeSoon("many");
      await writer.flush(1_000);
      assert.equal(sink.writes.join("").split("\n").length, 5 + MAX_LINES_JOINED);
    },
  );
}

Deno.test("lines that wait for the end of the turn are counted when they do not fit", STRICT, async () => {
  const sink = new BlockedSink();
  const writer = new LineWriter(sink);
  const line = "x".repeat(MAX_OUTPUT_BACKLOG / 2 - 1);
  writer.write(line);
  writer.write(line);
  writer.writeSoon("a");
  writer.writeSoon("b");
  await writer.flush(1);
  sink.unblock();
  await writer.flush(60_000);
  assert.match(sink.taken.slice(-200), /\(2 lines dropped here/);
});
