/**
 * Keep-alive of v1 links by TCP itself, set and read back while they run.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type KeepAliveSettings, V1_KEEP_ALIVE } from "../../mod.ts";
import { isNative } from "../rig/engine.ts";
import { playDevice } from "../rig/v1/scripted.ts";
import { startV1Device, startV1Server, type TestDevice, type V1Server } from "../rig/v1/relay.ts";
import { test } from "../rig/test.ts";

const WANTED: KeepAliveSettings = { idleTimeout: 7_000, probeInterval: 2_000, probeCount: 4 };
const OFF: KeepAliveSettings = { idleTimeout: -1, probeInterval: -1, probeCount: 0 };
const TARGET = "10.0.0.1:23";

/** What a server sees of its one link. */
function seen(server: V1Server) {
  const [link, ...others] = server.handle.v1Links();
  assert.equal(others.length, 0);
  return link;
}

async function linked(server: V1Server, device: TestDevice): Promise<void> {
  await device.handle.ready;
  await server.events.next("link-up");
}

test("v1 settings: each side sets its own, also of the link that is up, and the system is asked what holds", async () => {
  await using server = await startV1Server([TARGET]);
  const listen = server.handle.addresses[0]!;
  await using device = startV1Device(server.port, [TARGET]);
  await linked(server, device);
  assert.deepEqual(seen(server)?.keepAlive, isNative ? V1_KEEP_ALIVE : undefined);
  assert.deepEqual(device.handle.status.keepAlive, V1_KEEP_ALIVE);
  assert.equal(server.handle.setKeepAliveSettings(listen, WANTED, "server"), true);
  assert.deepEqual(seen(server)?.keepAlive, isNative ? WANTED : undefined);
  assert.deepEqual(device.handle.status.keepAlive, V1_KEEP_ALIVE, "that is the other side's");
  device.handle.setKeepAliveSettings({ ...WANTED, probeCount: 2 }, "device");
  assert.deepEqual(device.handle.status.keepAlive, { ...WANTED, probeCount: 2 });
  for (const off of [OFF, { ...WANTED, probeCount: 0 }, { ...WANTED, idleTimeout: -5 }]) {
    server.handle.setKeepAliveSettings(listen, off, "server");
    assert.deepEqual(seen(server)?.keepAlive, isNative ? OFF : undefined);
  }
});

test("v1 settings: what is between is rounded, and what is beyond is clamped", async () => {
  await using server = await startV1Server([TARGET]);
  const listen = server.handle.addresses[0]!;
  await using device = startV1Device(server.port, [TARGET]);
  await linked(server, device);
  const given = { idleTimeout: 1_600, probeInterval: 99_000_000, probeCount: 1_000 };
  const inForce = { idleTimeout: 2_000, probeInterval: 32_767_000, probeCount: 127 };
  server.handle.setKeepAliveSettings(listen, given, "server");
  device.handle.setKeepAliveSettings(given, "device");
  assert.deepEqual(seen(server)?.keepAlive, isNative ? inForce : undefined);
  assert.deepEqual(device.handle.status.keepAlive, inForce);
});

test("v1 settings: what was set before a link holds for the next one, and for those after it", async () => {
  await using server = await startV1Server([TARGET]);
  const listen = server.handle.addresses[0]!;
  assert.equal(server.handle.setKeepAliveSettings(listen, WANTED, "server"), false, "nobody is linked");
  for (let n = 0; n < 2; n++) {
    await using device = startV1Device(server.port, [TARGET], { keepAlive: { ...WANTED, probeCount: 5 } });
    if (n === 1) device.handle.setKeepAliveSettings({ ...WANTED, probeCount: 6 }, "device");
    await linked(server, device);
    assert.deepEqual(seen(server)?.keepAlive, isNative ? WANTED : undefined);
    assert.deepEqual(device.handle.status.keepAlive, { ...WANTED, probeCount: 5 + n });
    await device.handle.shutdown();
    await server.events.next("link-down");
    assert.deepEqual(server.handle.v1Links(), []);
  }
});

test("v1 settings: the other side's cannot be set, as v1 has no word for it", async () => {
  await using server = await startV1Server([TARGET]);
  const listen = server.handle.addresses[0]!;
  await using device = startV1Device(server.port, [TARGET]);
  await linked(server, device);
  for (const endpoint of ["device", "both"] as const) {
    assert.throws(() => server.handle.setKeepAliveSettings(listen, WANTED, endpoint), /v1 has no word for it/);
  }
  for (const endpoint of ["server", "both"] as const) {
    assert.throws(() => device.handle.setKeepAliveSettings(WANTED, endpoint), /v1 has no word for it/);
  }
  assert.equal(server.handle.setKeepAliveSettings("nobody", WANTED, "server"), false);
  assert.deepEqual(device.handle.status.keepAlive, V1_KEEP_ALIVE);
});

test("v1 settings: both sides tell what the system says of the link's TCP, while there is a link", async () => {
  await using server = await startV1Server([TARGET]);
  assert.deepEqual(server.handle.v1Links(), []);
  const device = startV1Device(server.port, [TARGET], { reconnect: false });
  await linked(server, device);
  const link = seen(server)!;
  assert.equal(link.listen, server.handle.addresses[0]);
  assert.match(link.device, /^127\.0\.0\.1:\d+$/);
  assert.equal(link.clients, 0);
  assert.ok(Math.abs(link.since - Date.now()) < 60_000);
  for (const tcp of [link.tcp, device.handle.status.tcp]) {
    if (isNative) assert.ok(tcp!.roundTrip > 0 && tcp!.segment > 500 && tcp!.retransmits === 0);
    else assert.equal(tcp, undefined);
  }
  await device[Symbol.asyncDispose]();
  assert.equal(device.handle.status.tcp, undefined);
});

test("v1 settings: a listener has settings of its own, and nothing of them is on the wire", async () => {
  await using relay = await playDevice([TARGET]);
  const { server, link } = relay;
  server.handle.setKeepAliveSettings(server.handle.addresses[0]!, WANTED, "server");
  await link.settled(9); // what comes first is the answer
  assert.deepEqual(seen(server)?.keepAlive, isNative ? WANTED : undefined);
});
