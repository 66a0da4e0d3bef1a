/**
 * Connections and their loss, as seed 002 tells programs of them; calls that need a peer; and a handle that stays valid.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type AuthorizedDevice, ConnectionLostError, createIdentity, IncompatibleError } from "../../mod.ts";
import { goodbye } from "../../protocol/v2/wire/goodbye.ts";
import { echoService } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";
import { startCabled } from "../rig/v2/cabled.ts";
import { hello } from "../rig/v2/hello.ts";
import { authorized, enlist, local, startV2Device, startV2Relay, startV2Server } from "../rig/v2/relay.ts";
import { poll } from "../rig/wait.ts";
import { PlayedServer } from "../rig/v2/server_peer.ts";

const SLOW = { idleTimeout: 9_000, probeInterval: 3_000, probeCount: 4 };

test("connections: a loss is told at once and once, while the session waits, and each new connection, also one that goes on", async () => {
  await using echo = echoService();
  await using relay = await startCabled({
    services: [local("echo", echo)],
    serve: { expiration: 15_000 },
    device: { random: () => 0 },
  });
  const { server, device, cable } = relay;
  const heard: string[] = [];
  const ends = [
    server.handle.subscribeConnection(({ type }) => heard.push(`server ${type}`)),
    server.handle.subscribeConnectionLost(({ type }) => heard.push(`server ${type}`)),
    device.handle.subscribeConnection(({ type }) => heard.push(`device ${type}`)),
    device.handle.subscribeConnectionLost(({ type }) => heard.push(`device ${type}`)),
  ];
  const told = () => heard.splice(0).sort();
  using client = await relay.connect("echo");
  cable.drop();
  await Promise.all([server.events.next("link-interrupted"), device.events.next("interrupted")]);
  await Promise.all([server.events.next("link-resumed"), device.events.next("resumed")]);
  assert.deepEqual(told(), ["device interrupted", "device resumed", "server link-interrupted", "server link-resumed"]);
  await client.write("x");
  assert.equal(await client.readText(1), "x");
  await device.handle.shutdown();
  await server.events.next("link-down");
  assert.deepEqual(told(), ["device lost", "server link-down"], "without a session that waits, its end is the loss");
  await using again = startV2Device(server, device.identity, []);
  await Promise.all([again.events.next("online"), server.events.next("link-up"), server.events.next("link-up")]);
  assert.deepEqual(told(), ["server link-up"]);
  for (const end of ends) end();
  again.handle.close();
  await server.events.next("link-down");
  assert.deepEqual(told(), []);
});

test("connections: when the session that waited is over, too, its loss is not told again", async () => {
  await using relay = await startCabled({ services: [], serve: { expiration: 200 }, device: { reconnect: false } });
  const { server, cable } = relay;
  await server.events.next("link-up");
  const heard: string[] = [];
  server.handle.subscribeConnectionLost(({ type }) => heard.push(type));
  cable.drop();
  const down = await server.events.next("link-down");
  assert.deepEqual([heard, down.reason, down.interrupted], [["link-interrupted"], "expired", true]);
});

test("connections: of one device alone, under each name that it has, and not of its neighbour", async () => {
  await using server = await startV2Server();
  const heard: string[] = [];
  const handle = server.handle.device("gw1");
  handle.subscribeConnection(({ device, type }) => heard.push(`${device} ${type}`));
  const end = handle.subscribeConnectionLost(({ device, type }) => heard.push(`${device} ${type}`));
  server.handle.subscribeConnection(({ device }) => heard.push(`by name: ${device}`), "gw1");
  const identity = await enlist(server, "gw1", []);
  const neighbour = await enlist(server, "gw2", []);
  const meet = async (who: typeof identity) => {
    const device = startV2Device(server, who, []);
    await server.events.next("link-up");
    await device[Symbol.asyncDispose]();
    await server.events.next("link-down");
    return heard.splice(0);
  };
  assert.deepEqual(await meet(identity), ["gw1 link-up", "by name: gw1", "gw1 link-down"]);
  assert.deepEqual(await meet(neighbour), []);
  server.directory.put(authorized("roof", identity, []));
  assert.deepEqual(await meet(identity), ["roof link-up", "by name: roof", "roof link-down"]);
  assert.equal(handle.name, "roof");
  end();
  assert.deepEqual(await meet(identity), ["roof link-up", "by name: roof"]);
});

test("connections: a handle has its device's facts and acts on it, over reconnects and a rename", async () => {
  await using echo = echoService();
  await using relay = await startV2Relay({
    services: [local("echo", echo)],
    serve: { expiration: 15_000 },
    device: { random: () => 0 },
  });
  const { server, device } = relay;
  const handle = server.handle.device("gw1");
  using client = await relay.connect("echo");
  await client.write("x");
  assert.equal(await client.readText(1), "x");
  assert.deepEqual(handle.clients.map(({ service, bytesUp }) => [service, bytesUp]), [["echo", 1]]);
  assert.deepEqual([handle.status?.online, handle.status?.versions], [true, [2, 2]]);
  await handle.dropLink();
  await server.events.next("link-resumed");
  const grants: AuthorizedDevice["services"] = authorized("x", device.identity, ["echo=127.0.0.1:0"]).services;
  server.directory.put(authorized("roof", device.identity, grants));
  assert.equal(handle.name, "roof");
  await handle.setKeepAliveSettings(SLOW, "both");
  await poll(() => device.handle.status.keepAlive.idleTimeout === 9_000, () => "the device has not heard of it");
  await poll(() => handle.status?.deviceKeepAlive?.idleTimeout === 9_000, () => "it has not said so");
  assert.deepEqual([handle.status?.keepAlive, device.handle.status.serverKeepAlive], [SLOW, SLOW]);
  await handle.setMode("config");
  while ((await server.events.next("mode")).mode !== "config");
  assert.deepEqual([handle.status?.mode, handle.status?.name], ["config", "roof"]);
});

test("connections: calls that need the device reject while it is not there, and all else works", async () => {
  await using server = await startV2Server();
  const handle = server.handle.device("gw1");
  for (const call of [() => handle.setMode("run"), () => handle.dropLink()]) {
    await assert.rejects(call(), ConnectionLostError);
    call(); // whoever does not wait is left in peace
  }
  assert.deepEqual([handle.status, handle.clients], [undefined, []]);
  const identity = await enlist(server, "gw1", []);
  const device = startV2Device(server, identity, []);
  await server.events.next("link-up");
  await handle.setMode("config");
  await device[Symbol.asyncDispose]();
  await server.events.next("link-down");
  await assert.rejects(handle.setMode("run"), ConnectionLostError);
  for (const endpoint of ["device", "both"] as const) {
    await assert.rejects(handle.setKeepAliveSettings(SLOW, endpoint), ConnectionLostError);
  }
  await handle.setKeepAliveSettings(SLOW, "server");
  assert.deepEqual(handle.status?.keepAlive, SLOW);
  assert.throws(() => handle.setMode("stop" as "run"), TypeError);
});

test("connections: a device that is not linked waits in the same way for its session, and says so", async () => {
  await using relay = await startCabled({ services: [], serve: { expiration: 15_000 }, device: { random: () => 0 } });
  const { server, device, cable } = relay;
  await device.events.next("online");
  await server.events.next("mode");
  const handle = server.handle.device("gw1");
  const rejected = new Promise<void>((resolve, reject) => {
    handle.subscribeConnectionLost(() =>
      assert.rejects(handle.setMode("config"), ConnectionLostError).then(resolve, reject)
    );
  });
  cable.drop();
  await rejected;
  await Promise.all([server.events.next("link-resumed"), device.events.next("resumed")]);
  assert.equal(handle.status?.mode, "run");
  await device.handle.setKeepAliveSettings(SLOW, "server");
});

test("connections: a device with other versions is seen, with them, and calls say that it does not fit", async () => {
  await using server = await startV2Server();
  const identity = await enlist(server, "gw1", []);
  const handle = server.handle.device("gw1");
  const heard: unknown[] = [];
  handle.subscribeConnection((event) => heard.push(event.type));
  using peer = await Stream.connect(server.port);
  await peer.write(hello([3, 9], identity.publicKey));
  const came = await server.events.next("incompatible");
  assert.deepEqual([came.device, came.versions, came.software], ["gw1", [3, 9], "a stranger"]);
  assert.deepEqual(heard, ["incompatible"]);
  const [seen] = server.handle.devices();
  assert.deepEqual([seen!.name, seen!.online, seen!.incompatible!.versions], ["gw1", false, [3, 9]]);
  assert.deepEqual(handle.status?.incompatible?.versions, [3, 9]);
  const setMode = handle.setMode("config");
  await assert.rejects(setMode, (error) => error instanceof IncompatibleError && error.versions?.[1] === 9);
  await using device = startV2Device(server, identity, []);
  await server.events.next("link-up");
  assert.deepEqual([handle.status?.online, handle.status?.incompatible], [true, undefined]);
  using other = await Stream.connect(server.port);
  await other.write(hello([3, 9], identity.publicKey));
  await server.events.next("refused");
  await server.events.next("refused");
  assert.equal(handle.status?.incompatible, undefined, "who proved the key counts");
  assert.equal(device.handle.state, "online");
});

test("connections: nobody is listed for a key that no device has", async () => {
  await using server = await startV2Server();
  using peer = await Stream.connect(server.port);
  await peer.write(hello([3, 9], (await createIdentity()).publicKey));
  await server.events.next("refused");
  assert.deepEqual(server.handle.devices(), []);
  assert.equal(server.events.types.includes("incompatible"), false);
});

test("connections: on the device what takes the server rejects without it, and what does not works", async () => {
  await using server = await PlayedServer.start();
  await using device = startV2Device(server, await createIdentity(), []);
  const { handle } = device;
  const heard: string[] = [];
  handle.subscribeConnection((event) => heard.push(event.type === "dial-failed" ? `${event.goodbye}` : event.type));
  await assert.rejects(handle.setKeepAliveSettings(SLOW, "server"), ConnectionLostError);
  handle.setKeepAliveSettings(SLOW, "both"); // whoever does not wait is left in peace
  await handle.setKeepAliveSettings(SLOW, "device");
  assert.deepEqual(handle.status.keepAlive, SLOW);
  await server.refuse(goodbye("incompatible", "this server speaks 7 to 9", [7, 9]));
  await device.events.next("dial-failed");
  assert.deepEqual(heard, ["incompatible"]);
  await assert.rejects(
    handle.setKeepAliveSettings(SLOW, "both"),
    (error) => error instanceof IncompatibleError && error.versions?.[0] === 7,
  );
  handle.setMode("config");
  assert.equal(handle.status.mode, "config");
});
