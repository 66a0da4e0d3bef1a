import assert from "node:assert/strict";
import { LineWriter, MAX_OUTPUT_BACKLOG, type Sink } from "./output.ts";

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
  assert.match(lines.at(-1)!, /^\(5 lines dropped/);
});

Deno.test("a sink that fails loses its lines, and the next ones are tried again", STRICT, async () => {
  const broken = new BlockedSink();
  const writer = new LineWriter(broken);
  broken.unblock(new Error("EPIPE"));
  writer.write("lost");
  await writer.flush(1_000);
  writer.write("lost too");
  await writer.flush(1_000);
  assert.equal(broken.taken, "");
});
