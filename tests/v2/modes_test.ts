/**
 * Modes of a device: what is served in which, and who may change it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { FakeClock } from "../rig/clock.ts";
import { echoService } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";
import { freePort, portOf, refusesClients } from "../rig/ports.ts";
import { startCabled } from "../rig/v2/cabled.ts";
import { enlist, local, startV2Device, startV2Relay, startV2Server } from "../rig/v2/relay.ts";

for (const side of ["device", "server"] as const) {
  test(`v2 modes: when the ${side} asks for config, clients are ended and ports closed; run brings the same back`, async () => {
    const port = freePort("127.0.0.71");
    await using echo = echoService();
    await using relay = await startV2Relay({ services: [local("echo", echo)], grants: [`echo=127.0.0.71:${port}`] });
    const { server, device } = relay;
    const setMode = (mode: "config" | "run") => {
      if (side === "device") device.handle.setMode(mode);
      else assert.ok(server.handle.setMode("gw1", mode));
    };
    await relay.hostPort("echo");
    assert.equal((await server.events.next("mode")).mode, "run");
    assert.equal((await device.events.next("mode")).mode, "run");
    await device.events.next("service");
    using client = await Stream.connect(port, "127.0.0.71");
    await client.write("x");
    await client.read(1);

    setMode("config");
    assert.equal((await client.readToEnd()).length, 0);
    assert.equal((await device.events.next("mode")).mode, "config");
    assert.equal((await server.events.next("mode")).mode, "config");
    assert.equal((await device.events.next("channel-end")).reason, "service-withdrawn");
    assert.equal((await server.events.next("client-end")).reason, "service-withdrawn");
    await refusesClients(port, "127.0.0.71");
    assert.deepEqual([device.handle.status.mode, server.handle.devices()[0]?.mode], ["config", "config"]);
    assert.deepEqual(server.handle.devices()[0]?.services, []);
    assert.equal(device.handle.state, "online", "the link stays");

    setMode("run");
    const { hostAddress } = await device.events.next("service");
    assert.equal(hostAddress, `127.0.0.71:${port}`);
    using again = await Stream.connect(port, "127.0.0.71");
    await again.write("y");
    assert.equal(await again.readText(1), "y");
    assert.equal(server.events.types.includes("link-down"), false);
  });
}

test("v2 modes: the server sees a device on its way to run, and on its way to config while clients may finish", async () => {
  await using echo = echoService();
  await using relay = await startV2Relay({
    services: [local("echo", echo)],
    grants: ["echo=127.0.0.1:0"],
    device: { mode: "config" },
  });
  const { server, device } = relay;
  const change = () => server.handle.devices()[0]!.modeChange;
  assert.equal((await server.events.next("mode")).mode, "config");
  assert.equal(change(), undefined);
  assert.ok(server.handle.setMode("gw1", "run"));
  assert.equal(change(), "configToRun", "it has not answered yet");
  await device.events.next("service");
  assert.equal(change(), undefined);

  using client = await relay.connect("echo");
  await client.write("x");
  await client.read(1);
  server.handle.setMode("gw1", "config", 60_000);
  assert.equal(change(), "runToConfig", "its client may finish");
  client.close();
  assert.equal((await server.events.next("mode")).mode, "run");
  assert.equal((await server.events.next("mode")).mode, "config");
  assert.equal(change(), undefined);
});

test("v2 modes: out of run and back in one breath does not find its own port in use", async () => {
  const port = freePort("127.0.0.72");
  await using echo = echoService();
  await using relay = await startV2Relay({ services: [local("echo", echo)], grants: [`echo=127.0.0.72:${port}`] });
  await relay.device.events.next("service");
  for (let round = 0; round < 10; round++) {
    relay.device.handle.setMode("config");
    relay.device.handle.setMode("run");
    const { hostAddress, error } = await relay.device.events.next("service");
    assert.deepEqual([hostAddress, error], [`127.0.0.72:${port}`, undefined]);
  }
  assert.equal(relay.server.events.types.includes("host-failed"), false);
});

test("v2 modes: a device that starts in config is online and offers nothing until it is told to run", async () => {
  await using echo = echoService();
  await using server = await startV2Server();
  const identity = await enlist(server, "gw1", ["echo=127.0.0.1:0"]);
  await using device = startV2Device(server, identity, [local("echo", echo)], { mode: "config" });
  assert.equal((await server.events.next("mode")).mode, "config");
  assert.deepEqual(device.handle.status.services.map(({ offered }) => offered), [false]);
  assert.equal(server.events.types.includes("host-open"), false);
  assert.ok(server.handle.setMode("gw1", "run"));
  assert.equal((await server.events.next("mode")).mode, "run");
  using client = await Stream.connect(portOf((await server.events.next("host-open")).hostAddress));
  await client.write("x");
  assert.equal(await client.readText(1), "x");
});

test("v2 modes: the server says that a host port was closed while its device stays, and since when that is there", async () => {
  await using echo = echoService();
  const port = freePort("127.0.0.74");
  const before = Date.now();
  await using relay = await startV2Relay({ services: [local("echo", echo)], grants: [`echo=127.0.0.74:${port}`] });
  const { handle, events } = relay.server;
  await relay.device.events.next("service");
  const [up] = handle.devices();
  assert.deepEqual(up!.services, [{ name: "echo", hostAddress: `127.0.0.74:${port}`, open: true, error: undefined }]);
  assert.ok(up!.since! >= before && up!.since! <= Date.now());
  relay.device.handle.setMode("config");
  const closed = await events.next("host-closed");
  assert.deepEqual([closed.device, closed.localAddress, closed.hostAddress], ["gw1", "echo", `127.0.0.74:${port}`]);
  assert.deepEqual(handle.devices().map(({ online, services }) => [online, services]), [[true, []]]);
  relay.device.handle.close();
  await events.next("link-down");
  const [down] = handle.devices();
  assert.equal(down!.online, false);
  assert.ok(down!.since! >= up!.since!);
  assert.equal(events.types.filter((type) => type === "host-closed").length, 1, "the end of a link says that itself");
});

test("v2 modes: config holds from link to link", async () => {
  await using echo = echoService();
  await using relay = await startCabled({ services: [local("echo", echo)], device: { random: () => 0 } });
  const { server, device, cable } = relay;
  await server.events.next("host-open");
  device.handle.setMode("config");
  while ((await server.events.next("mode")).mode !== "config");
  cable.drop();
  await server.events.next("link-down");
  await server.events.next("link-up");
  await server.events.next("link-up");
  assert.equal((await server.events.next("mode")).mode, "config");
  assert.equal(device.handle.status.mode, "config");
  assert.equal(server.events.types.filter((type) => type === "host-open").length, 1);
});

test("v2 modes: a device is in init while it finds out about its services, and its link is up all the same", async () => {
  const clock = new FakeClock();
  const nobody = { hostname: "127.0.0.73", port: freePort("127.0.0.73") };
  await using echo = echoService();
  await using server = await startV2Server();
  const identity = await enlist(server, "gw1", ["web=127.0.0.1:0", "echo=127.0.0.1:0"]);
  await using device = startV2Device(server, identity, [local("web", nobody, "down=refuse"), local("echo", echo)], {
    clock,
    keepAlive: { idleTimeout: -1, probeInterval: 1_000, probeCount: 0 },
  });
  assert.equal(device.handle.status.mode, "init");
  assert.equal((await device.events.next("mode")).mode, "run");
  const heard: (string | undefined)[][] = [];
  for (let n = 0; n < 2; n++) {
    const { service, error } = await device.events.next("service");
    heard.push([service, error]);
  }
  assert.deepEqual(heard, [["web", "service-down"], ["echo", undefined]]);
  assert.deepEqual(device.handle.status.services.map(({ name, offered, up }) => [name, offered, up]), [
    ["web", false, false],
    ["echo", true, undefined],
  ]);
});
