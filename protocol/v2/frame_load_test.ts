import assert from "node:assert/strict";
import { FRAME_LOAD_BURST, FRAME_LOAD_PER_MS } from "./limits.ts";
import { FrameLoad } from "./frame_load.ts";
import { V2Command } from "./wire/commands.ts";
import { test } from "../../tests/rig/test.ts";

test("a peer that sends what clients need is never paused: 10,000 opened at once, then 10,000 frames a second", () => {
  const load = new FrameLoad(0);
  for (let n = 0; n < 4 * 10_000; n++) load.add(V2Command.RESULT, 5);
  assert.equal(load.pause(0), 0);
  for (let now = 1; now < 10_000; now++) {
    for (let n = 0; n < 10; n++) load.add(V2Command.CREDIT, 4);
    assert.equal(load.pause(now), 0);
  }
});

test("a flood is paused for as long as its frames are worth, and costs no more than its share however long it goes on", () => {
  const load = new FrameLoad(0);
  let now = 0;
  let frames = 0;
  for (let chunk = 0; chunk < 100; chunk++) {
    for (let n = 0; n < 32_768; n++, frames++) load.add(V2Command.CLOSE, 1);
    now += load.pause(now);
  }
  const rate = (frames - FRAME_LOAD_BURST) / now;
  assert.ok(Math.abs(rate - FRAME_LOAD_PER_MS) < 1, `${rate} frames a millisecond`);
});

test("256 services may be offered at once; offering them again and again is slowed down", () => {
  const load = new FrameLoad(0);
  load.add(V2Command.LISTEN, 256 * 16);
  assert.equal(load.pause(0), 0);
  for (let n = 0; n < 60; n++) load.add(V2Command.LISTEN, 256 * 16);
  assert.ok(load.pause(0) > 10_000, `${load.pause(0)} ms`);
});

test("what was overdrawn is forgotten with time, and no more than that is saved up", () => {
  const load = new FrameLoad(0);
  for (let n = 0; n < FRAME_LOAD_BURST + 500 * FRAME_LOAD_PER_MS; n++) load.add(V2Command.END, 0);
  assert.equal(load.pause(0), 500);
  assert.equal(load.pause(500), 0);
  assert.equal(load.pause(3_600_000), 0);
  for (let n = 0; n < FRAME_LOAD_BURST + FRAME_LOAD_PER_MS; n++) load.add(V2Command.END, 0);
  assert.equal(load.pause(3_600_000), 1);
});
