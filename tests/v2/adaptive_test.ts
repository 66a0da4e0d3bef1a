/**
 * Keep-alive that is fast while somebody waits and slow while nobody does, between a device and a server: who wakes whom, and
 * whose word counts.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  ADAPTIVE_KEEP_ALIVE,
  type KeepAliveChoice,
  type KeepAliveSettings,
  METERED_KEEP_ALIVE,
  V2_KEEP_ALIVE,
} from "../../mod.ts";
import { createIdentity } from "../../net/tls/identity.ts";
import { FakeClock } from "../rig/clock.ts";
import { echoService } from "../rig/service.ts";
import { socketsSettled } from "../rig/cable.ts";
import { test } from "../rig/test.ts";
import { startCabled } from "../rig/v2/cabled.ts";
import { authorized, enlist, local, startV2Device, startV2Server, type V2Relay } from "../rig/v2/relay.ts";
import { PlayedDevice } from "../rig/v2/device_peer.ts";
import { PlayedServer } from "../rig/v2/server_peer.ts";

const CUSTOM: KeepAliveSettings = { idleTimeout: 40_000, probeInterval: 7_000, probeCount: 3 };

/** What is in force with the server, as both see it, and with the device. */
function inForce({ server, device }: Pick<V2Relay, "server" | "device">): unknown[] {
  const served = server.handle.devices()[0]!;
  const { keepAlive, serverKeepAlive } = device.handle.status;
  return [served.keepAlive, serverKeepAlive, keepAlive, served.deviceKeepAlive];
}

/** A relay whose clocks stand. */
type Standing = Pick<V2Relay, "server" | "device"> & { readonly clock: FakeClock };

/** What is set is in force with whoever heard it, and what is slow once the last fast probes are through. */
async function becomes(relay: Standing, ...wanted: unknown[]): Promise<void> {
  const same = () => JSON.stringify(inForce(relay)) === JSON.stringify(wanted);
  for (let n = 0; n < 20 && !same(); n++) await pass(relay.clock, 500);
  assert.deepEqual(inForce(relay), wanted);
}

function all(settings: KeepAliveSettings): KeepAliveSettings[] {
  return [settings, settings, settings, settings];
}

/** Both clocks stand, so nothing happens that the test does not make happen. */
async function startStanding(
  { server, device }: { readonly server?: KeepAliveChoice; readonly device?: KeepAliveChoice } = {},
): Promise<Awaited<ReturnType<typeof startCabled>> & { readonly clock: FakeClock }> {
  const clock = new FakeClock();
  const echo = echoService();
  const relay = await startCabled({
    services: [local("echo", echo)],
    serve: { clock, expiration: 15_000, ...(server && { keepAlive: server }) },
    device: { clock, ...(device && { keepAlive: device }), random: () => 0 },
  });
  await socketsSettled();
  return {
    ...relay,
    clock,
    async [Symbol.asyncDispose]() {
      await relay[Symbol.asyncDispose]();
      await echo[Symbol.asyncDispose]();
    },
  };
}

/** Lets `ms` milliseconds go by, in steps of a second, and what is on the way arrive after each. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1_000) {
    clock.tick(Math.min(1_000, left));
    await socketsSettled();
  }
}

test("v2 adaptive: a client has both ends probe fast at once, and slowly again when it has gone", async () => {
  await using relay = await startStanding();
  await becomes(relay, ...all(ADAPTIVE_KEEP_ALIVE));
  const client = await relay.connect("echo");
  await client.write("x");
  await client.read(1);
  await becomes(relay, ...all(V2_KEEP_ALIVE));
  client.close();
  await relay.server.events.next("client-end");
  await becomes(relay, ...all(ADAPTIVE_KEEP_ALIVE));
});

test("v2 adaptive: a client that comes to a path that died unseen waits 3 s for that, then for the device", async () => {
  await using relay = await startStanding();
  await becomes(relay, ...all(ADAPTIVE_KEEP_ALIVE));
  relay.cable.cut();
  await pass(relay.clock, 10_000);
  assert.equal(relay.device.handle.state, "online", "nobody has noticed");
  using _client = await relay.connect("echo");
  await socketsSettled();
  await pass(relay.clock, 2_000);
  assert.equal(relay.server.events.types.includes("link-interrupted"), false);
  await pass(relay.clock, 1_000);
  const { reason, clients } = await relay.server.events.next("link-interrupted");
  assert.deepEqual([reason, clients], ["keep-alive-timeout", 1]);
});

test("v2 adaptive: somebody who looks has both ends probe fast, for as long as was said", async () => {
  await using relay = await startStanding();
  await becomes(relay, ...all(ADAPTIVE_KEEP_ALIVE));
  assert.equal(relay.server.handle.attend("gw2", 5_000), false);
  assert.equal(relay.server.handle.attend("gw1", 5_000), true);
  await becomes(relay, ...all(V2_KEEP_ALIVE));
  await pass(relay.clock, 5_000);
  await becomes(relay, ...all(ADAPTIVE_KEEP_ALIVE));
});

test("v2 adaptive: a device that is metered has its server probe as seldom, until it is told otherwise", async () => {
  await using relay = await startStanding({ device: "metered" });
  await becomes(relay, ...all(METERED_KEEP_ALIVE));
  relay.device.handle.setKeepAliveSettings("adaptive", "both");
  await becomes(relay, ...all(ADAPTIVE_KEEP_ALIVE));
});

test("v2 adaptive: a server that is metered has its devices probe as seldom", async () => {
  await using relay = await startStanding({ server: "metered" });
  await becomes(relay, ...all(METERED_KEEP_ALIVE));
});

test("v2 adaptive: each end may have its own way, and the server sets either while the link is up", async () => {
  await using relay = await startStanding({ server: CUSTOM, device: "fast" });
  await becomes(relay, CUSTOM, CUSTOM, V2_KEEP_ALIVE, V2_KEEP_ALIVE);
  relay.server.handle.setKeepAliveSettings("gw1", "metered", "device");
  await becomes(relay, CUSTOM, CUSTOM, METERED_KEEP_ALIVE, METERED_KEEP_ALIVE);
  relay.server.handle.setKeepAliveSettings("gw1", "adaptive", "both");
  await becomes(relay, ...all(ADAPTIVE_KEEP_ALIVE));
  assert.throws(() => relay.server.handle.setKeepAliveSettings("gw1", "slow" as "fast", "both"), TypeError);
});

test("v2 adaptive: what the list of devices says goes before the server's way, and the device's", async () => {
  const clock = new FakeClock();
  await using server = await startV2Server({ serve: { clock, keepAlive: "fast" } });
  const identity = await createIdentity();
  const entry = authorized("gw1", identity, []);
  server.directory.put({ ...entry, keepAlive: CUSTOM });
  await using device = startV2Device(server, identity, [], { clock, keepAlive: "metered" });
  const relay = { server, device, clock };
  await server.events.next("link-up");
  await becomes(relay, ...all(CUSTOM));
  server.directory.put({ ...entry, keepAlive: "adaptive" });
  await becomes(relay, ...all(ADAPTIVE_KEEP_ALIVE));
  server.directory.put(entry);
  await becomes(relay, ...all(V2_KEEP_ALIVE));
});

test("v2 adaptive: a server of before has a metered device probe the old way, and hears nothing strange", async () => {
  await using server = await PlayedServer.start();
  await using device = startV2Device(server, await createIdentity(), [], { keepAlive: "metered" });
  const link = await server.link();
  const { keepAlive, wantedKeepAlive } = await link.settings();
  assert.deepEqual([keepAlive, wantedKeepAlive], [V2_KEEP_ALIVE, undefined]);
  assert.deepEqual(device.handle.status.keepAlive, V2_KEEP_ALIVE);
});

test("v2 adaptive: a device of before has the server probe it the old way", async () => {
  await using server = await startV2Server({ serve: { keepAlive: "metered" } });
  const identity = await enlist(server, "gw1", []);
  using _device = await PlayedDevice.link(server, identity);
  await server.events.next("link-up");
  assert.deepEqual(server.handle.devices()[0]!.keepAlive, V2_KEEP_ALIVE);
});

test("v2 adaptive: what a device's links cost a day is seen on both sides, over all links, and warned of once", async () => {
  await using echo = echoService();
  await using relay = await startCabled({
    services: [local("echo", echo)],
    serve: { warnBytesADay: 250_000 },
    device: { random: () => 0 },
  });
  const { server, device, cable } = relay;
  const seen = () => server.handle.devices()[0]!.bytesToday;
  assert.ok(seen().idle > 0 && seen().carried === 0);
  using client = await relay.connect("echo");
  await client.write("x".repeat(100_000));
  await client.read(100_000);
  const carried = seen().carried;
  assert.ok(carried > 200_000 && carried < 240_000, `${carried}`);
  assert.ok(Math.abs(device.handle.status.bytesToday!.carried - carried) < 20_000);
  cable.drop();
  await server.events.next("link-down");
  await device.events.next("lost");
  await device.events.next("service");
  assert.ok(seen().carried >= carried, "another session goes on counting");
  const { idle } = seen();
  using again = await relay.connect("echo");
  await again.write("x".repeat(20_000));
  await again.read(20_000);
  assert.ok(seen().carried > carried + 40_000 && seen().idle >= idle);
  const warnings = server.log.matching(/warn: device gw1 has used more than 250000 bytes on/);
  assert.equal(warnings.length, 1);
});
