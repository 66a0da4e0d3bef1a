/**
 * A device that comes back before its old link is known to be dead, and two machines that use one key.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Identity } from "../../net/tls/identity.ts";
import type { KeepAliveSettings } from "../../mod.ts";
import { CAN_RESUME } from "../../protocol/v2/wire/handshake.ts";
import { FakeClock } from "../rig/clock.ts";
import { echoService, Service } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";
import { socketsSettled } from "../rig/cable.ts";
import { freePort, portOf, refusesClients } from "../rig/ports.ts";
import { startCabled } from "../rig/v2/cabled.ts";
import { greet } from "../rig/v2/device_peer.ts";
import { enlist, local, SECURITIES, startV2Device, startV2Server, type V2Server } from "../rig/v2/relay.ts";
import { within } from "../rig/wait.ts";

/** The server does not notice a dead link by itself while these tests run. */
const PATIENT: KeepAliveSettings = { idleTimeout: 600_000, probeInterval: 1_000, probeCount: 2 };

/** Longest time that one handshake on loopback may take on a busy machine, in milliseconds. */
const ONE_HANDSHAKE_MS = 1_000;

for (const security of SECURITIES) {
  test(`v2 take-over, ${security}: a silently cut device is served again within one handshake, its port open throughout`, async () => {
    const clock = new FakeClock();
    const port = freePort("127.0.0.81");
    await using echo = echoService();
    await using relay = await startCabled({
      security,
      services: [local("echo", echo)],
      grants: [`echo=127.0.0.81:${port}`],
      serve: { keepAlive: PATIENT },
      device: { clock, random: () => 0 },
    });
    const { server, device, cable } = relay;
    await device.events.next("service");
    using old = await Stream.connect(port, "127.0.0.81");
    await old.write("x");
    await old.read(1);
    await socketsSettled();

    cable.cut();
    for (let n = 0; n < 3; n++) {
      clock.tick(1_000); // the device's own keep-alive
      await socketsSettled();
    }
    assert.equal((await device.events.next("lost")).reason, "keep-alive-timeout");
    using between = await Stream.connect(port, "127.0.0.81"); // on a link that is dead already
    assert.equal(server.events.types.includes("link-down"), false, "the server does not know yet");
    await clock.armed(500);
    clock.tick(500);
    const since = performance.now();
    const down = await server.events.next("link-down");
    assert.equal(down.reason, "replaced");
    assert.match(down.detail!, /its device is back, from 127\.0\.0\.1:/);
    const { hostAddress } = await device.events.next("service");
    assert.ok(performance.now() - since < ONE_HANDSHAKE_MS, `it took ${performance.now() - since} ms`);
    assert.equal(hostAddress, `127.0.0.81:${port}`);
    for (const client of [old, between]) assert.equal((await client.readToEnd()).length, 0);
    for (let n = 0; n < 2; n++) assert.equal((await server.events.next("client-end")).reason, "link-lost");

    using client = await Stream.connect(port, "127.0.0.81");
    await client.write("y");
    assert.equal(await client.readText(1), "y");
    assert.deepEqual(server.events.types.filter((type) => /^host-/.test(type)), ["host-open"], "it never closed");
    assert.deepEqual(server.handle.devices().map(({ name, online }) => [name, online]), [["gw1", true]]);
  });
}

test("v2 take-over: an old link that was replaced has lived as long as it did", async () => {
  const clock = new FakeClock();
  await using server = await startV2Server({ serve: { clock, keepAlive: PATIENT } });
  const identity = await enlist(server, "gw1", []);
  await using _first = startV2Device(server, identity, [], { reconnect: false });
  await server.events.next("link-up");
  clock.tick(42_000);
  await using _second = startV2Device(server, identity, [], { reconnect: false });
  const down = await server.events.next("link-down");
  assert.deepEqual([down.reason, down.duration], ["replaced", 42_000]);
});

test("v2 take-over: the old link is told replaced, and comes back at its own pace", async () => {
  await using server = await startV2Server();
  const identity = await enlist(server, "gw1", []);
  await using first = startV2Device(server, identity, []);
  await server.events.next("link-up");
  await using second = startV2Device(server, identity, [], { reconnect: false });
  await second.events.next("online");
  const lost = await first.events.next("lost");
  assert.deepEqual([lost.reason, lost.detail?.split(":")[0]], ["goodbye", "replaced"]);
  assert.equal(first.handle.status.goodbye?.code, "replaced");
  assert.ok(lost.retryIn! <= 1_000, `${lost.retryIn}`);
});

test("v2 take-over: clients that come before the new link has offered its services wait, and get the right one", async () => {
  await using server = await startV2Server({ serve: { keepAlive: PATIENT } });
  await using a = new Service((stream) => stream.write("service a"));
  await using b = new Service((stream) => stream.write("service b"));
  const identity = await enlist(server, "gw1", ["a=127.0.0.1:0", "b=127.0.0.1:0"]);
  await using _old = startV2Device(server, identity, [local("a", a), local("b", b)], { reconnect: false });
  const ports = new Map<string, number>();
  for (let n = 0; n < 2; n++) {
    const { localAddress, hostAddress } = await server.events.next("host-open");
    ports.set(localAddress, portOf(hostAddress));
  }
  await server.events.next("link-up");
  // The same device, configured anew: the other way round, and finding out first whether b is up.
  await using _new = startV2Device(server, identity, [local("b", b, "down=refuse"), local("a", a)], {
    reconnect: false,
  });
  const clients: Promise<string>[] = [];
  await server.events.next("link-up"); // and not a turn later: its offers are on their way
  for (let n = 0; n < 10; n++) {
    clients.push(hear(ports.get("a")!), hear(ports.get("b")!));
  }
  const heard = await Promise.all(clients);
  assert.deepEqual([...new Set(heard.filter((_, n) => n % 2 === 0))], ["service a"]);
  assert.deepEqual([...new Set(heard.filter((_, n) => n % 2 === 1))], ["service b"]);
});

async function hear(port: number): Promise<string> {
  using client = await Stream.connect(port);
  return new TextDecoder().decode(await client.readToEnd());
}

test("v2 take-over: what the device that came back no longer offers is closed", async () => {
  await using server = await startV2Server({ serve: { keepAlive: PATIENT } });
  await using echo = echoService();
  const identity = await enlist(server, "gw1", ["a=127.0.0.1:0", "b=127.0.0.1:0"]);
  await using _old = startV2Device(server, identity, [local("a", echo), local("b", echo)], { reconnect: false });
  const { hostAddress } = await server.events.next("host-open");
  await server.events.next("host-open");
  await using fresh = startV2Device(server, identity, [local("b", echo)], { reconnect: false });
  assert.equal((await fresh.events.next("service")).service, "b");
  await refusesClients(portOf(hostAddress));
  assert.deepEqual(server.handle.devices()[0]?.services.map(({ name }) => name), ["b"]);
});

test("v2 take-over: a device that comes back in mode config has no port open", async () => {
  await using server = await startV2Server({ serve: { keepAlive: PATIENT } });
  await using echo = echoService();
  const identity = await enlist(server, "gw1", ["a=127.0.0.1:0"]);
  await using _old = startV2Device(server, identity, [local("a", echo)], { reconnect: false });
  const { hostAddress } = await server.events.next("host-open");
  assert.equal((await server.events.next("mode")).mode, "run");
  await using _fresh = startV2Device(server, identity, [local("a", echo)], { reconnect: false, mode: "config" });
  assert.equal((await server.events.next("mode")).mode, "config");
  await refusesClients(portOf(hostAddress));
});

/** A machine with this key that dials once; resolves with what became of it. */
async function newcomer(server: V2Server, identity: Identity): Promise<{ outcome: string } & AsyncDisposable> {
  const device = startV2Device(server, identity, [], { reconnect: false });
  const { promise, resolve } = Promise.withResolvers<string>();
  device.handle.subscribe((event) => {
    if (event.type === "online") resolve("online");
    if (event.type === "dial-failed") resolve(`${event.goodbye} ${event.error}`);
  });
  const outcome = await within(promise, "the outcome of a dial");
  return { outcome, [Symbol.asyncDispose]: () => device[Symbol.asyncDispose]() };
}

test("v2 take-over: of two machines with one key the newcomer is refused after three take-overs in a minute", async () => {
  const clock = new FakeClock();
  await using server = await startV2Server({ serve: { clock, keepAlive: PATIENT } });
  const identity = await enlist(server, "gw1", []);
  const machines: AsyncDisposable[] = [];
  for (let n = 0; n < 4; n++) { // the first, and three that take over from the one before
    const machine = await newcomer(server, identity);
    machines.push(machine);
    assert.equal(machine.outcome, "online");
    clock.tick(5_000);
  }
  const { remote } = server.handle.devices()[0]!;
  const refused = await newcomer(server, identity);
  assert.match(refused.outcome, /^duplicate duplicate: two machines use the key of gw1/);
  assert.ok(refused.outcome.includes(remote!), "it hears who has the key");
  const { why, remote: from } = await server.events.next("refused");
  for (const address of [remote!, from]) {
    assert.ok(why.includes(address), `${why} names ${address}`);
    assert.ok(server.handle.devices()[0]?.conflict?.includes(address), "so does the status");
  }
  assert.equal(server.log.matching(/^warn: refused .* two machines use the key of gw1/).length, 1);
  assert.equal(server.handle.devices()[0]?.online, true, "whoever has it keeps it");

  clock.tick(60_000);
  assert.equal(server.handle.devices()[0]?.conflict, undefined);
  const later = await newcomer(server, identity);
  assert.equal(later.outcome, "online");
  for (const machine of [...machines, refused, later]) await machine[Symbol.asyncDispose]();
});

test("v2 take-over: a device that crashes and starts again is let in as often as it has to, as its old link had ended", async () => {
  await using server = await startV2Server({ serve: { expiration: 600_000, keepAlive: PATIENT } });
  const identity = await enlist(server, "gw1", []);
  for (let start = 0; start < 8; start++) {
    const { conn } = await greet(server, identity, { capabilities: CAN_RESUME }); // as another process
    await server.events.next("link-up");
    conn.close();
    await server.events.next("link-interrupted");
  }
  assert.equal(server.events.types.includes("refused"), false);
});

test("v2 take-over: one machine may come back as often as it has to", async () => {
  const clock = new FakeClock();
  await using relay = await startCabled({
    services: [],
    serve: { keepAlive: PATIENT },
    device: { clock, random: () => 0 },
  });
  const { server, device, cable } = relay;
  await server.events.next("link-up");
  await device.events.next("online");
  for (let round = 0; round < 6; round++) {
    await socketsSettled();
    cable.cut();
    for (let n = 0; n < 3; n++) {
      clock.tick(1_000);
      await socketsSettled();
    }
    assert.equal((await device.events.next("lost")).reason, "keep-alive-timeout");
    await clock.armed(500);
    clock.tick(500);
    await device.events.next("online");
    assert.equal((await server.events.next("link-down")).reason, "replaced");
  }
  assert.equal(server.events.types.includes("refused"), false);
});
