/**
 * Keep-alive settings while the link is up, from either side and for either, and how the clocks differ.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type KeepAliveSettings, V2_KEEP_ALIVE } from "../../mod.ts";
import { createIdentity } from "../../net/tls/identity.ts";
import { isNative } from "../rig/engine.ts";
import { FakeClock } from "../rig/clock.ts";
import { echoService } from "../rig/service.ts";
import { test } from "../rig/test.ts";
import { socketsSettled } from "../rig/cable.ts";
import { startCabled } from "../rig/v2/cabled.ts";
import {
  enlist,
  local,
  SECURITIES,
  startV2Device,
  startV2Relay,
  startV2Server,
  type V2Relay,
} from "../rig/v2/relay.ts";
import { PlayedServer } from "../rig/v2/server_peer.ts";
import { within } from "../rig/wait.ts";

const DEFAULTS = V2_KEEP_ALIVE;
/** What does not change while a test looks at it. */
const FAST = { serve: { keepAlive: "fast" }, device: { keepAlive: "fast" } } as const;
const WANTED: KeepAliveSettings = { idleTimeout: 7_000, probeInterval: 3_000, probeCount: 4 };

/** What is in force, as each side says it: [server of device, device of server] on the server, then on the device. */
function inForce({ server, device }: V2Relay): (KeepAliveSettings | undefined)[] {
  const seenByServer = server.handle.devices()[0]!;
  const seenByDevice = device.handle.status;
  return [
    seenByServer.keepAlive,
    seenByServer.deviceKeepAlive,
    seenByDevice.serverKeepAlive,
    seenByDevice.keepAlive,
  ];
}

/** Resolves when `done` holds; what it looks at changes with messages, which come in milliseconds. */
async function until(done: () => boolean, what: string): Promise<void> {
  const look = async () => {
    while (!done()) await socketsSettled();
  };
  await within(look(), what);
}

async function inForceBecomes(relay: V2Relay, wanted: readonly KeepAliveSettings[]): Promise<void> {
  const same = () => JSON.stringify(inForce(relay)) === JSON.stringify(wanted);
  await until(same, `settings; in force: ${JSON.stringify(inForce(relay))}`);
}

for (const from of ["server", "device"] as const) {
  for (const endpoint of ["server", "device", "both"] as const) {
    test(`v2 settings: the ${from} sets ${endpoint} while the link is up, and both read back what is in force`, async () => {
      await using echo = echoService();
      await using relay = await startV2Relay({ services: [local("echo", echo)], ...FAST });
      await relay.hostPort("echo");
      await inForceBecomes(relay, [DEFAULTS, DEFAULTS, DEFAULTS, DEFAULTS]);
      if (from === "server") assert.ok(relay.server.handle.setKeepAliveSettings("gw1", WANTED, endpoint));
      else relay.device.handle.setKeepAliveSettings(WANTED, endpoint);
      const ofServer = endpoint === "device" ? DEFAULTS : WANTED;
      const ofDevice = endpoint === "server" ? DEFAULTS : WANTED;
      await inForceBecomes(relay, [ofServer, ofDevice, ofServer, ofDevice]);
    });
  }

  test(`v2 settings: values that the ${from} sets are rounded, clamped, or never`, async () => {
    await using echo = echoService();
    await using relay = await startV2Relay({ services: [local("echo", echo)], ...FAST });
    await relay.hostPort("echo");
    const cases: [given: KeepAliveSettings, then: KeepAliveSettings][] = [
      [{ idleTimeout: 1_499, probeInterval: 1_500, probeCount: 3.4 }, {
        idleTimeout: 1_000,
        probeInterval: 2_000,
        probeCount: 3,
      }],
      [{ idleTimeout: 0, probeInterval: 99_999_999, probeCount: 1_000 }, {
        idleTimeout: 1_000,
        probeInterval: 32_767_000,
        probeCount: 127,
      }],
      [{ idleTimeout: -5, probeInterval: 1, probeCount: -3 }, {
        idleTimeout: -1,
        probeInterval: 1_000,
        probeCount: 0,
      }],
    ];
    for (const [given, then] of cases) {
      if (from === "server") relay.server.handle.setKeepAliveSettings("gw1", given, "both");
      else relay.device.handle.setKeepAliveSettings(given, "both");
      await inForceBecomes(relay, [then, then, then, then]);
    }
  });
}

test("v2 settings: those at the start hold, rounded, and are read back on both sides", async () => {
  await using echo = echoService();
  await using relay = await startV2Relay({
    services: [local("echo", echo)],
    serve: { keepAlive: { idleTimeout: 20_400, probeInterval: 2_000, probeCount: 5 } },
    device: { keepAlive: { idleTimeout: 30_000, probeInterval: 0, probeCount: 6 } },
  });
  await relay.hostPort("echo");
  const ofServer = { idleTimeout: 20_000, probeInterval: 2_000, probeCount: 5 };
  const ofDevice = { idleTimeout: 30_000, probeInterval: 1_000, probeCount: 6 };
  await inForceBecomes(relay, [ofServer, ofDevice, ofServer, ofDevice]);
});

test("v2 settings: they outlive the link, on both sides", async () => {
  await using echo = echoService();
  await using relay = await startCabled({
    services: [local("echo", echo)],
    ...FAST,
    device: { ...FAST.device, random: () => 0 },
  });
  const { device, cable } = relay;
  await device.events.next("service");
  device.handle.setKeepAliveSettings(WANTED, "both");
  await inForceBecomes(relay, [WANTED, WANTED, WANTED, WANTED]);
  cable.drop();
  await device.events.next("lost");
  assert.deepEqual(device.handle.status.keepAlive, WANTED);
  await device.events.next("service");
  await inForceBecomes(relay, [WANTED, WANTED, WANTED, WANTED]);
});

test("v2 settings: what was set at run time is what holds", async () => {
  const clock = new FakeClock();
  await using echo = echoService();
  await using relay = await startCabled({
    services: [local("echo", echo)],
    serve: { ...FAST.serve, clock },
    device: { ...FAST.device, clock, reconnect: false },
  });
  const { server, device, cable } = relay;
  await inForceBecomes(relay, [DEFAULTS, DEFAULTS, DEFAULTS, DEFAULTS]);
  device.handle.setKeepAliveSettings({ idleTimeout: 10_000, probeInterval: 5_000, probeCount: 2 }, "server");
  server.handle.setKeepAliveSettings("gw1", { idleTimeout: 40_000, probeInterval: 5_000, probeCount: 2 }, "device");
  await until(() => inForce(relay).every((settings) => settings!.idleTimeout !== 1_000), "settings");
  await socketsSettled();
  cable.cut();
  await socketsSettled();
  for (let n = 0; n < 19; n++) {
    clock.tick(1_000);
    await socketsSettled();
  }
  assert.equal(server.events.types.includes("link-down"), false);
  clock.tick(1_000);
  assert.equal((await server.events.next("link-down")).reason, "keep-alive-timeout");
  for (let n = 0; n < 29; n++) clock.tick(1_000);
  await socketsSettled();
  assert.equal(device.handle.state, "online");
  clock.tick(1_000);
  assert.equal((await device.events.next("lost")).reason, "keep-alive-timeout");
});

test("v2 settings: a device that nobody knows, or that has no link, cannot be asked, and the caller hears it", async () => {
  await using server = await startV2Server();
  assert.equal(server.handle.setKeepAliveSettings("gw1", WANTED, "both"), false);
  assert.equal(server.handle.setMode("gw1", "config"), false);
  const identity = await enlist(server, "gw1", []);
  const device = startV2Device(server, identity, []);
  await server.events.next("link-up");
  assert.equal(server.handle.setMode("gw1", "config"), true);
  await device[Symbol.asyncDispose]();
  await server.events.next("link-down");
  assert.equal(server.handle.setMode("gw1", "config"), false);
  assert.equal(server.handle.setKeepAliveSettings("gw1", WANTED, "both"), false);
  assert.deepEqual(server.handle.devices().map(({ name, online, keepAlive }) => [name, online, keepAlive]), [
    ["gw1", false, WANTED], // for its next link
  ]);
});

test("v2 settings: what a played server wants of the device, out of all bounds, is clamped by the device", async () => {
  await using server = await PlayedServer.start();
  await using device = startV2Device(server, await createIdentity(), []);
  const link = await server.link();
  assert.deepEqual((await link.settings()).keepAlive, V2_KEEP_ALIVE, "with a peer of before it is the old way");
  link.link.sendSettings({ wantedKeepAlive: { idleTimeout: 0, probeInterval: 0, probeCount: 255 } });
  const wanted = { idleTimeout: 1_000, probeInterval: 1_000, probeCount: 127 };
  assert.deepEqual((await link.settings()).keepAlive, wanted);
  assert.deepEqual(device.handle.status.keepAlive, wanted);
});

test("v2 settings: each side knows how far the other's clock is from its own, and the round trip", async () => {
  const ahead = 3_600_000;
  const { now } = Date;
  await using server = await PlayedServer.start();
  await using device = startV2Device(server, await createIdentity(), []);
  const link = await server.link(() => now() + ahead);
  await link.settings();
  link.link.ping();
  await until(() => device.handle.status.clockOffset !== undefined, "the device's PONG");
  await until(() => link.link.clockOffset !== undefined, "the server's PONG");
  const { clockOffset, roundTrip } = device.handle.status;
  assert.ok(Math.abs(clockOffset! - ahead) < 1_000, `${clockOffset}`);
  assert.ok(Math.abs(link.link.clockOffset! + ahead) < 1_000, `${link.link.clockOffset}`);
  assert.ok(roundTrip! >= 0 && roundTrip! < 1_000, `${roundTrip}`);
});

test("v2 settings: our server shows the offset and the round trip of its device", async () => {
  await using echo = echoService();
  await using relay = await startV2Relay({ services: [local("echo", echo)], ...FAST });
  await until(() => relay.server.handle.devices()[0]?.clockOffset !== undefined, "a PONG");
  const { clockOffset, roundTrip, software } = relay.server.handle.devices()[0]!;
  assert.ok(Math.abs(clockOffset!) < 1_000);
  assert.ok(roundTrip! >= 0 && roundTrip! < 1_000);
  assert.match(software!, /sallyport/i);
});

test("v2 settings: both sides tell what the system says of the link's TCP, while there is a link", async () => {
  for (const security of SECURITIES) {
    await using relay = await startV2Relay({ services: [], security });
    const [server, device] = [relay.server.handle, relay.device.handle];
    await device.ready;
    await relay.server.events.next("link-up");
    for (const tcp of [server.devices()[0]!.tcp, device.status.tcp]) {
      if (isNative) assert.ok(tcp!.roundTrip > 0 && tcp!.segment > 500 && tcp!.pathMtu > tcp!.segment);
      else assert.equal(tcp, undefined);
    }
    await device.shutdown();
    await relay.server.events.next("link-down");
    assert.deepEqual([server.devices()[0]!.tcp, device.status.tcp], [undefined, undefined]);
  }
});

test("v2 settings: what a device wants of the server holds for its session, and not for the next device with its key", async () => {
  await using server = await startV2Server({ serve: FAST.serve });
  const identity = await enlist(server, "gw1", []);
  const seen = () => server.handle.devices()[0]!.keepAlive;
  {
    await using device = startV2Device(server, identity, [], FAST.device);
    await server.events.next("link-up");
    device.handle.setKeepAliveSettings({ ...WANTED, idleTimeout: -1 }, "server");
    await until(() => seen()?.idleTimeout === -1, "the device's wish");
    await device.handle.shutdown();
    await server.events.next("link-down");
  }
  assert.deepEqual(seen(), DEFAULTS);
  await using device = startV2Device(server, identity, []);
  await server.events.next("link-up");
  await until(() => device.handle.status.serverKeepAlive !== undefined, "the server's settings");
  assert.deepEqual([seen(), device.handle.status.serverKeepAlive], [DEFAULTS, DEFAULTS]);
  assert.ok(server.handle.setKeepAliveSettings("gw1", WANTED, "server"));
  await device.handle.shutdown();
  await server.events.next("link-down");
  assert.deepEqual(seen(), WANTED, "what the server's owner set stays");
});

test("v2 settings: a device that wishes something before its first link says so on every new session", async () => {
  await using relay = await startCabled({ services: [], ...FAST, device: { ...FAST.device, random: () => 0 } });
  const { server, device, cable } = relay;
  device.handle.setKeepAliveSettings(WANTED, "server");
  for (let session = 0; session < 2; session++) {
    await device.events.next("online");
    await until(
      () => device.handle.status.serverKeepAlive?.idleTimeout === WANTED.idleTimeout,
      "the wish to be in force",
    );
    assert.deepEqual(device.handle.status.keepAlive, DEFAULTS);
    cable.drop();
    await device.events.next("lost");
    await server.events.next("link-down");
  }
});
