import assert from "node:assert/strict";
import fc from "fast-check";
import { MAX_DURATION_MS } from "../base/limits.ts";
import { connectedEnds, writeAll } from "./_engines_fixture_test.ts";
import { nativeEngine } from "./native/engine.ts";
import { isGone, keepAlivePace, listenerPace, paceSettings, PeerWatch, settingsPace } from "./tcp_keep_alive.ts";
import { PEER_LOOKS, PEER_TRIES } from "./limits.ts";
import { FakeDuplex } from "../relay/_fakes_test.ts";
import { FakeClock } from "../tests/rig/clock.ts";
import { test } from "../tests/rig/test.ts";

test("a peer is given up after about the time that was asked for", () => {
  assert.deepEqual(keepAlivePace(120_000), { idle: 60, interval: 10, probes: 6 });
  assert.deepEqual(keepAlivePace(3_000), { idle: 2, interval: 1, probes: 1 });
  assert.deepEqual(keepAlivePace(1), { idle: 1, interval: 1, probes: 1 });
  fc.assert(fc.property(fc.integer({ min: 2_000, max: MAX_DURATION_MS }), (ms) => {
    const { idle, interval, probes } = keepAlivePace(ms);
    assert.ok([idle, interval, probes].every((each) => Number.isInteger(each) && each >= 1));
    assert.ok(Math.abs(idle + interval * probes - ms / 1_000) <= 0.5);
    assert.ok(probes <= 127, "what the system takes");
  }));
});

test("whoever is never to be given up has no keep-alive", () => {
  assert.equal(listenerPace(-1), "off");
  assert.deepEqual(listenerPace(120_000), keepAlivePace(120_000));
});

test("settings come to a pace that the system takes, and back to what is in force", () => {
  const settings = { idleTimeout: 15_000, probeInterval: 5_000, probeCount: 3 };
  assert.deepEqual(settingsPace(settings), { idle: 15, interval: 5, probes: 3 });
  assert.deepEqual(paceSettings(settingsPace(settings)!), settings);
  const never = { idleTimeout: -1, probeInterval: -1, probeCount: 0 };
  assert.deepEqual(paceSettings("off"), never);
  for (const off of [{ ...settings, idleTimeout: -1 }, { ...settings, probeCount: 0 }]) {
    assert.equal(settingsPace(off), undefined);
  }
  assert.deepEqual(settingsPace({ ...settings, probeInterval: -1 }), { idle: 15, interval: 32_767, probes: 3 });
  const time = fc.integer({ min: -10, max: MAX_DURATION_MS });
  fc.assert(fc.property(time, time, fc.integer({ min: 0, max: 1_000 }), (idleTimeout, probeInterval, probeCount) => {
    const pace = settingsPace({ idleTimeout, probeInterval, probeCount });
    if (!pace) return assert.ok(idleTimeout < 0 || probeCount === 0);
    assert.ok([pace.idle, pace.interval].every((each) => Number.isInteger(each) && each >= 1 && each <= 32_767));
    assert.ok(pace.probes >= 1 && pace.probes <= 127);
    assert.deepEqual(settingsPace(paceSettings(pace)), pace);
  }));
});

const native = nativeEngine();

test("a peer that takes nothing and still answers is not gone, however long it is silent between", async () => {
  if (!native) return;
  using ends = await connectedEnds(native); // whose client reads nothing
  const conn = ends.server;
  const clock = new FakeClock();
  let gone = false;
  const watch = PeerWatch.start(conn, keepAlivePace(120_000), clock, () => gone = true)!;
  assert.equal(clock.pending, 0, "nothing is under way");
  const written = assert.rejects(async () => {
    for (;;) await writeAll(conn, new Uint8Array(1_000_000));
  });
  watch.sent();
  watch.sent();
  assert.equal(clock.pending, 1);
  for (let silences = 0, before = 0; silences < 2;) { // it has answered as often, with more time between
    await new Promise((resolve) => setTimeout(resolve, 20)); // nobody tells
    assert.equal(isGone(conn, 0), false);
    const { silent } = conn.signs()!;
    if (silent < before && before >= 200) silences++;
    before = silent;
  }
  await clock.advance(120_000);
  assert.deepEqual([gone, clock.pending], [false, 1]);
  watch.cancel();
  assert.equal(clock.pending, 0);
  ends.client.close();
  conn.close();
  await written;
});

test("a peer is gone when it was asked often enough and has been silent for as long, and looked at no more when all came", async () => {
  const conn = new FakeDuplex();
  conn.seen = { unanswered: 0, silent: 0 };
  const clock = new FakeClock();
  let gone = 0;
  const watch = PeerWatch.start(conn, keepAlivePace(120_000), clock, () => gone++)!;
  assert.deepEqual(conn.keepAlive(), keepAlivePace(120_000));
  conn.unacked = 1;
  watch.sent();
  await clock.advance(120_000);
  assert.deepEqual([gone, clock.pending], [0, 1]);
  conn.unacked = 0;
  await clock.advance(120_000);
  assert.deepEqual([gone, clock.pending], [0, 0]);
  conn.unacked = 1;
  watch.sent();
  for (
    const [unanswered, silent, wanted] of [[PEER_TRIES, 119_999, 0], [PEER_TRIES - 1, 120_000, 0], [
      PEER_TRIES,
      120_000,
      1,
    ]] as const
  ) {
    conn.seen = { unanswered, silent };
    await clock.advance(120_000 / PEER_LOOKS);
    assert.equal(gone, wanted);
  }
  assert.equal(clock.pending, 0);
});

test("where only the system watches, a peer is not looked at; nor where it is never given up", async () => {
  const [blind, clock] = [new FakeDuplex(), new FakeClock()];
  const watch = PeerWatch.start(blind, keepAlivePace(120_000), clock, () => assert.fail("it cannot be seen"));
  watch!.sent();
  await clock.advance(600_000);
  assert.equal(clock.pending, 0);
  assert.deepEqual(blind.keepAlive(), keepAlivePace(120_000));
  const seen = new FakeDuplex();
  seen.seen = { unanswered: 0, silent: 0 };
  assert.equal(PeerWatch.start(seen, undefined, new FakeClock(), () => {}), undefined);
  assert.equal(seen.keepAlive(), "off");
});
