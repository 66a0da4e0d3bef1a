import assert from "node:assert/strict";
import { PAIR_BUFFER } from "../limits.ts";
import { noise } from "../../tests/rig/bytes.ts";
import { test } from "../../tests/rig/test.ts";
import { within } from "../../tests/rig/wait.ts";
import { connectionPair } from "./pair.ts";

test("what is written at one end comes out at the other, in order, with a bound on what waits", async () => {
  const [a, b] = connectionPair();
  const bytes = noise(10 * PAIR_BUFFER + 17, 1);
  const send = async () => {
    for (let at = 0; at < bytes.length;) at += await a.write(bytes.subarray(at));
    await a.closeWrite();
  };
  const sent = send();
  const got: number[] = [];
  const into = new Uint8Array(7_919);
  for (;;) {
    const count = await within(Promise.resolve(b.read(into)), "a read");
    if (count === null) break;
    for (const byte of into.subarray(0, count)) got.push(byte);
  }
  await sent;
  assert.ok(bytes.every((byte, at) => got[at] === byte) && got.length === bytes.length);
  assert.equal(b.endsWhole, false, "the other way is still open");
  assert.equal(await b.write(Uint8Array.of(1)), 1);
  assert.equal(await a.read(into), 1);
});

test("a write waits while there is no room, and fails when nobody will read it", async () => {
  const [a, b] = connectionPair();
  assert.equal(await a.write(new Uint8Array(2 * PAIR_BUFFER)), PAIR_BUFFER);
  const waits = Promise.resolve(a.write(Uint8Array.of(1)));
  b.close();
  await assert.rejects(waits, Deno.errors.BrokenPipe);
  assert.equal(await a.read(new Uint8Array(1)), null);
  assert.equal(a.endsWhole, true);
});

test("a read and a write that wait fail when their own end is closed", async () => {
  const [a] = connectionPair();
  const read = Promise.resolve(a.read(new Uint8Array(1)));
  a.close();
  a.close();
  await assert.rejects(read, Deno.errors.BadResource);
  await assert.rejects(Promise.resolve(a.write(Uint8Array.of(1))), Deno.errors.BadResource);
});
