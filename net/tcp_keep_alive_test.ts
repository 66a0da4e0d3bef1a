import assert from "node:assert/strict";
import fc from "fast-check";
import { noteSocket } from "./kernel/descriptors.ts";
import { MAX_DURATION_MS } from "../base/duration.ts";
import { libc } from "./kernel/libc.ts";
import { keepAliveOf } from "./kernel/socket.ts";
import { keepAlivePace, watchPeer } from "./tcp_keep_alive.ts";
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

test("the system is told, and says so; never turns it off", async () => {
  if (!libc()) return;
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using client = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  using conn = await listener.accept();
  noteSocket(client);
  watchPeer(conn, 120_000);
  assert.deepEqual(keepAliveOf(conn), { idle: 60, interval: 10, probes: 6 });
  watchPeer(conn, 3_000);
  assert.deepEqual(keepAliveOf(conn), { idle: 2, interval: 1, probes: 1 });
  watchPeer(conn, -1);
  assert.equal(keepAliveOf(conn), undefined);
});
