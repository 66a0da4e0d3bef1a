/**
 * A bus behind an slcan adapter, which the test plays.
 *
 * @module
 */

import assert from "node:assert/strict";
import { FakeClock } from "../../tests/rig/clock.ts";
import { settled } from "../../tests/rig/wait.ts";
import { test } from "../../tests/rig/test.ts";
import { TestClient } from "../server/_server_fixture_test.ts";
import type { CanFrame } from "../frame.ts";
import { EXTENDED } from "../frame.ts";
import { MAX_SLCAN_OUTPUT, SLCAN_ANSWER_MS } from "../limits.ts";
import { frame } from "../wires/_wire_fixture_test.ts";
import { BusError } from "./bus.ts";
import { slcanBackend } from "./slcan.ts";

/** Opens a bus behind an adapter that answers commands so. */
async function open(
  answers: readonly (string | undefined)[],
  bitrate: number | null = 500_000,
  listenOnly = false,
) {
  const clock = new FakeClock();
  const adapter = new TestClient();
  const frames: CanFrame[] = [];
  const troubles: string[] = [];
  const said: string[] = [];
  const backend = slcanBackend("ttyACM0", () => Promise.resolve(adapter), clock);
  const opening = backend.open({ bitrate: bitrate ?? undefined, listenOnly, fd: false }, {
    frame: (frame) => frames.push(frame),
    trouble: (why, gone) => troubles.push(`${why} ${gone}`),
  });
  let failed = false;
  opening.catch(() => failed = true);
  await settled();
  said.push(adapter.text());
  await adapter.send("t7FF0\r\x07");
  await clock.advance(SLCAN_ANSWER_MS);
  for (const answer of answers) {
    said.push(adapter.text());
    if (answer === undefined) await clock.advance(SLCAN_ANSWER_MS);
    else await adapter.send(answer);
    if (failed) break;
  }
  return { opening, adapter, frames, troubles, said, clock };
}

test("an adapter is closed, set and opened, each answer waited for, and its frames are read", async () => {
  const { opening, adapter, frames, said, clock } = await open(["\r", "\r"]);
  const bus = await opening;
  assert.deepEqual(said, ["\rC\r", "S6\r", "O\r"]);
  await adapter.send("t1232AABB\rT000123");
  await adapter.send("451FF\rz\rr1238\r");
  assert.deepEqual(frames.map(({ id, flags, data }) => [id, flags, ...data]), [[0x123, 0, 0xaa, 0xbb], [
    0x12345,
    EXTENDED,
    255,
  ], [0x123, 2]]);
  assert.ok(frames[0]!.time > 1e9);
  assert.equal(bus.send(frame(0x123, [1, 2])), true);
  assert.equal(adapter.text(), "t12320102\r");
  await settled();
  bus.close();
  await settled();
  assert.equal(adapter.text(), "C\r");
  assert.equal(adapter.end, "closed");
  assert.equal(clock.pending, 0);
});

test("one that answers nothing is taken, and one that says no is not", async () => {
  const silent = await open([undefined, undefined], 125_000, true);
  (await silent.opening).close();
  assert.deepEqual(silent.said.slice(1), ["S4\r", "L\r"]);
  await settled();
  const asItIs = await open(["\r"], null);
  assert.deepEqual(asItIs.said, ["\rC\r", "O\r"]);
  (await asItIs.opening).close();
  await settled();
  await assert.rejects((await open(["\x07"])).opening, /does not take the bitrate 500000/);
  await assert.rejects((await open(["\r", "\x07"])).opening, /does not open its bus/);
});

test("a bitrate that slcan has no digit for is told before anything is opened", async () => {
  const backend = slcanBackend("ttyACM0", () => Promise.reject(new Error("not asked for")), new FakeClock());
  const nobody = { frame: () => {}, trouble: () => {} };
  await assert.rejects(
    backend.open({ bitrate: 333_333, listenOnly: false, fd: false }, nobody),
    /there are 10000, 20000/,
  );
});

test("an adapter that takes nothing has no room, and one that goes is told of", async () => {
  const { opening, adapter, troubles } = await open(["\r", "\r"]);
  const bus = await opening;
  adapter.stalled = true;
  let count = 0;
  while (bus.send(frame(0x123, [1, 2, 3, 4, 5, 6, 7, 8]))) count++;
  assert.equal(count, Math.floor(MAX_SLCAN_OUTPUT / 22));
  await adapter.finish();
  assert.deepEqual(troubles, ["ttyACM0: it has hung up true"]);
  assert.throws(() => bus.send(frame(1)), BusError);
  assert.equal(adapter.end, "closed");
});
