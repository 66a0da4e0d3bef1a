/**
 * Peers that fall silent: when they are taken for lost, from either side, and who waits how long.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { KeepAliveSettings } from "../../mod.ts";
import { FakeClock } from "../rig/clock.ts";
import { echoService } from "../rig/service.ts";
import { test } from "../rig/test.ts";
import { flood } from "../rig/stream.ts";
import { socketsSettled } from "../rig/cable.ts";
import { startCabled } from "../rig/v2/cabled.ts";
import { local, SECURITIES } from "../rig/v2/relay.ts";

const OFF: KeepAliveSettings = { idleTimeout: 1000, probeInterval: 1000, probeCount: 0 };

for (const security of SECURITIES) {
  test(`v2 keep-alive, ${security}: with the defaults both sides see a silent path 3 s after the last byte`, async () => {
    await using echo = echoService();
    await using relay = await startCabled({
      security,
      services: [local("echo", echo)],
      device: { reconnect: false },
    });
    const { cable } = relay;
    using client = await relay.connect("echo");
    await client.write("x");
    await client.read(1);
    const seen = { device: 0, server: 0 };
    relay.device.handle.subscribeConnectionLost(() => seen.device = performance.now());
    relay.server.handle.subscribeConnectionLost(() => seen.server = performance.now());
    await socketsSettled();
    cable.cut();
    const lost = await relay.device.events.next("lost");
    const down = await relay.server.events.next("link-down");
    assert.deepEqual([lost.reason, down.reason], ["keep-alive-timeout", "keep-alive-timeout"]);
    const took = [seen.device - cable.lastOut.dialler, seen.server - cable.lastOut.server];
    for (const ms of took) assert.ok(ms > 2_900 && ms < 3_500, `it took ${took} ms, and 3,000 were due`);
    assert.equal((await client.readToEnd()).length, 0);
    assert.equal((await relay.server.events.next("client-end")).reason, "link-lost");
    assert.equal((await relay.device.events.next("channel-end")).reason, "link-lost");
  });

  if (security === "plain") continue; // the next one takes its time
  test(`v2 keep-alive, ${security}: a path that goes silent under full load both ways is seen just as soon`, async () => {
    await using echo = echoService();
    await using relay = await startCabled({ security, services: [local("echo", echo)], device: { reconnect: false } });
    const { cable } = relay;
    const clients = await Promise.all(Array.from({ length: 4 }, () => relay.connect("echo")));
    const { flowing, over } = flood(clients, 64 * 1024, 30_000_000);
    await flowing;
    cable.cut();
    const lost = relay.device.events.next("lost").then(() => performance.now() - cable.lastOut.dialler);
    const down = relay.server.events.next("link-down").then(() => performance.now() - cable.lastOut.server);
    const took = [await lost, await down];
    for (const ms of took) assert.ok(ms > 2_900 && ms < 3_500, `it took ${took} ms, and 3,000 were due`);
    for (const client of clients) client.close();
    await over;
  });
}

/** Both clocks stand, so nothing happens that the test does not make happen. */
async function startStanding(
  server: KeepAliveSettings,
  device: KeepAliveSettings,
): Promise<Awaited<ReturnType<typeof startCabled>> & { readonly clock: FakeClock }> {
  const clock = new FakeClock();
  const echo = echoService();
  const relay = await startCabled({
    services: [local("echo", echo)],
    serve: { clock, keepAlive: server },
    device: { clock, keepAlive: device, reconnect: false },
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
  for (let left = ms; left > 0; left -= 1000) {
    clock.tick(Math.min(1000, left));
    await socketsSettled();
  }
}

test("v2 keep-alive: a path that carries probes stays up for hours", async () => {
  await using relay = await startStanding(
    { idleTimeout: 60_000, probeInterval: 1000, probeCount: 1 },
    { idleTimeout: 90_000, probeInterval: 1000, probeCount: 1 },
  );
  for (let n = 0; n < 240; n++) {
    relay.clock.tick(60_000);
    await socketsSettled();
  }
  assert.deepEqual([relay.server.events.types.includes("link-down"), relay.device.handle.state], [false, "online"]);
});

for (const watcher of ["device", "server"] as const) {
  const settings: KeepAliveSettings = { idleTimeout: 5_000, probeInterval: 2_000, probeCount: 3 };

  test(`v2 keep-alive: the ${watcher} waits idleTimeout + probeInterval × probeCount, to the millisecond`, async () => {
    await using relay = await startStanding(
      watcher === "server" ? settings : OFF,
      watcher === "device" ? settings : OFF,
    );
    relay.cable.cut();
    await socketsSettled();
    await pass(relay.clock, 10_999);
    assert.deepEqual([relay.server.events.types.includes("link-down"), relay.device.handle.state], [false, "online"]);
    relay.clock.tick(1);
    const event = watcher === "device"
      ? await relay.device.events.next("lost")
      : await relay.server.events.next("link-down");
    assert.equal(event.reason, "keep-alive-timeout");
    await socketsSettled();
    const other = watcher === "device" ? relay.server.events.types : relay.device.events.types;
    assert.equal(other.includes(watcher === "device" ? "link-down" : "lost"), false, "the other side does not watch");
  });
}

test("v2 keep-alive: turned off on both sides, a silent path is accepted", async () => {
  await using relay = await startStanding(OFF, { idleTimeout: -1, probeInterval: 1000, probeCount: 2 });
  relay.cable.cut();
  for (let n = 0; n < 100; n++) relay.clock.tick(3_600_000);
  await socketsSettled();
  assert.deepEqual([relay.server.events.types.includes("link-down"), relay.device.handle.state], [false, "online"]);
});

test("v2 keep-alive: one byte in time is proof of life, whatever it is for", async () => {
  const echo = echoService();
  await using relay = await startStanding(OFF, { idleTimeout: 10_000, probeInterval: 1_000, probeCount: 1 });
  using client = await relay.connect("echo");
  for (let n = 0; n < 5; n++) {
    relay.clock.tick(9_000);
    await client.write("x"); // goes to the device, and a byte comes back from it: life on both sides
    await client.read(1);
    await socketsSettled();
  }
  relay.cable.cut();
  await socketsSettled();
  await pass(relay.clock, 10_999);
  assert.equal(relay.device.handle.state, "online");
  relay.clock.tick(1);
  assert.equal((await relay.device.events.next("lost")).reason, "keep-alive-timeout");
  await echo[Symbol.asyncDispose]();
});

test("v2 keep-alive: a lost link is told once to whoever subscribed, on each side, and not after unsubscribing", async () => {
  await using relay = await startStanding(
    { idleTimeout: 1_000, probeInterval: 1_000, probeCount: 1 },
    { idleTimeout: 1_000, probeInterval: 1_000, probeCount: 1 },
  );
  const heard: string[] = [];
  relay.device.handle.subscribeConnectionLost(({ reason }) => heard.push(`device: ${reason}`));
  relay.server.handle.subscribeConnectionLost(({ device, reason }) => heard.push(`server: ${device} ${reason}`));
  relay.device.handle.subscribeConnectionLost(() => heard.push("nobody"))();
  relay.server.handle.subscribeConnectionLost(() => heard.push("nobody"))();
  relay.cable.cut();
  await socketsSettled();
  await pass(relay.clock, 2_000);
  assert.deepEqual(heard.sort(), ["device: keep-alive-timeout", "server: gw1 keep-alive-timeout"]);
  assert.equal(relay.server.log.matching(/warn: link down: device gw1 .*keep-alive-timeout/).length, 1);
  assert.equal(relay.device.log.matching(/link down: .*keep-alive-timeout/).length, 1);
});
