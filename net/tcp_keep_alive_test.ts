import assert from "node:assert/strict";
import fc from "fast-check";
import { noteSocket } from "./kernel/descriptors.ts";
import { MAX_DURATION_MS } from "../base/duration.ts";
import { libc } from "./kernel/libc.ts";
import { keepAliveOf, signsOf } from "./kernel/socket.ts";
import { isGone, keepAlive, keepAlivePace, PeerWatch } from "./tcp_keep_alive.ts";
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

test("those who are accepted have what their listener has", async () => {
  if (!libc()) return;
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  keepAlive(listener, 120_000);
  using client = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  noteSocket(client);
  using conn = await listener.accept();
  assert.deepEqual(keepAliveOf(conn), { idle: 60, interval: 10, probes: 6 });
});

test("a peer that takes nothing and still answers is not gone, however long it is silent between", async () => {
  if (!libc()) return;
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using _paused = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  const conn = await listener.accept();
  const clock = new FakeClock();
  let gone = false;
  const watch = PeerWatch.start(conn, 120_000, true, clock, () => gone = true)!;
  assert.equal(clock.pending, 0, "nothing is under way");
  const writing = (async () => {
    for (;;) await conn.write(new Uint8Array(1_000_000));
  })();
  const written = writing.catch(() => {});
  watch.sent();
  watch.sent();
  assert.equal(clock.pending, 1);
  for (let silences = 0, before = 0; silences < 2;) { // it has answered as often, with more time between
    await new Promise((resolve) => setTimeout(resolve, 20)); // nobody tells
    assert.equal(isGone(conn, 0), false);
    const { silent } = signsOf(conn)!;
    if (silent < before && before >= 200) silences++;
    before = silent;
  }
  await clock.advance(120_000);
  assert.deepEqual([gone, clock.pending], [false, 1]);
  watch.cancel();
  assert.equal(clock.pending, 0);
  _paused.close();
  await written;
  conn.close();
});

test("the system is told, and says so; never turns it off", async () => {
  if (!libc()) return;
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using client = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  using conn = await listener.accept();
  noteSocket(client);
  keepAlive(conn, 120_000);
  assert.deepEqual(keepAliveOf(conn), { idle: 60, interval: 10, probes: 6 });
  keepAlive(conn, 3_000);
  assert.deepEqual(keepAliveOf(conn), { idle: 2, interval: 1, probes: 1 });
  keepAlive(conn, -1);
  assert.equal(keepAliveOf(conn), undefined);
});
