import assert from "node:assert/strict";
import { KeepAlive, type KeepAliveSettings, type KeepAliveStep } from "./keep_alive.ts";
import { test } from "../tests/rig/test.ts";

const SETTINGS: KeepAliveSettings = { idleTimeout: 1_000, probeInterval: 300, probeCount: 2 };

/** Asks at each deadline up to `until`, as an owner with a timer does. */
function run(keepAlive: KeepAlive, until: number, answers: boolean): [number, KeepAliveStep][] {
  const steps: [number, KeepAliveStep][] = [];
  while (keepAlive.deadline <= until) {
    const now = keepAlive.deadline;
    const step = keepAlive.step(now, answers);
    if (step !== "wait") steps.push([now, step]);
  }
  return steps;
}

test("a peer that answers probes is lost after idle time, probes and one more interval of silence", () => {
  assert.deepEqual(run(new KeepAlive(SETTINGS, 0), 1e6, true), [[1_000, "probe"], [1_300, "probe"], [1_600, "lost"]]);
});

test("nothing is due before the deadline", () => {
  const keepAlive = new KeepAlive(SETTINGS, 50);
  assert.equal(keepAlive.deadline, 1_050);
  assert.equal(keepAlive.step(1_049, true), "wait");
  assert.equal(keepAlive.step(1_050, true), "probe");
});

test("a peer that was lost is lost once", () => {
  const keepAlive = new KeepAlive(SETTINGS, 0);
  run(keepAlive, 1e6, true);
  assert.equal(keepAlive.deadline, Infinity);
  assert.equal(keepAlive.step(1e9, true), "wait");
});

test("any byte puts the first probe off", () => {
  const keepAlive = new KeepAlive(SETTINGS, 0);
  keepAlive.heard(900);
  assert.deepEqual(run(keepAlive, 2_000, true), [[1_900, "probe"]]);
});

test("a byte after a probe starts the count over", () => {
  const keepAlive = new KeepAlive(SETTINGS, 0);
  assert.deepEqual(run(keepAlive, 1_300, true), [[1_000, "probe"], [1_300, "probe"]]);
  keepAlive.heard(1_500);
  assert.deepEqual(run(keepAlive, 1e6, true), [[2_500, "probe"], [2_800, "probe"], [3_100, "lost"]]);
});

test("whether a peer answers is asked early, also while bytes come, and again if that probe could not be sent", () => {
  const slow = { ...SETTINGS, idleTimeout: 15_000 };
  const keepAlive = new KeepAlive(slow, 0);
  keepAlive.heard(4_900);
  assert.deepEqual(run(keepAlive, 5_000, false), [[5_000, "probe"]]);
  keepAlive.postpone(5_000);
  keepAlive.heard(9_900);
  assert.deepEqual(run(keepAlive, 24_899, false), [[10_000, "probe"]]);

  const answered = new KeepAlive(slow, 0);
  assert.deepEqual(run(answered, 5_000, false), [[5_000, "probe"]]);
  answered.heard(5_050);
  assert.deepEqual(run(answered, 21_000, true), [[20_050, "probe"], [20_350, "probe"], [20_650, "lost"]]);
});

test("a peer that never answered a probe is probed for ever at the idle pace, and never lost", () => {
  assert.deepEqual(run(new KeepAlive(SETTINGS, 0), 4_000, false), [
    [1_000, "probe"],
    [2_000, "probe"],
    [3_000, "probe"],
    [4_000, "probe"],
  ]);
});

test("a negative idle time or a count of 0 turns it off, and a negative interval never gives up", () => {
  assert.equal(new KeepAlive({ ...SETTINGS, idleTimeout: -1 }, 0).deadline, Infinity);
  assert.equal(new KeepAlive({ ...SETTINGS, probeCount: 0 }, 0).deadline, Infinity);
  assert.deepEqual(run(new KeepAlive({ ...SETTINGS, probeInterval: -1 }, 0), 1e6, true), [[1_000, "probe"]]);
});

test("one that yields leaves the first probe to its peer for a moment, and gives up when it would have", () => {
  const yielding = () => new KeepAlive({ ...SETTINGS, probeInterval: 1_000 }, 0, true);
  assert.deepEqual(run(yielding(), 1e6, true), [[1_200, "probe"], [2_000, "probe"], [3_000, "lost"]]);
  const probed = yielding();
  for (let now = 1_050; now < 60_000; now += 1_050) {
    assert.deepEqual(run(probed, now, true), [], "the peer's probes do for both");
    probed.heard(now);
  }
  assert.deepEqual(run(new KeepAlive({ ...SETTINGS, idleTimeout: -1 }, 0, true), 1e6, true), []);
});
