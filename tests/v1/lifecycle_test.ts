/**
 * How handles begin and end, what they tell, and what is left of them: nothing, as the sanitizers see.
 *
 * @module
 */

import assert from "node:assert/strict";
import { ListenError, parseAddress, serve, tcpRemoteConnect } from "../../mod.ts";
import { engineChoice } from "../rig/engine.ts";
import { CLOSE, CONNECT, DATA } from "../rig/naive_v1/link.ts";
import { digest, noise } from "../rig/bytes.ts";
import { Events } from "../rig/events.ts";
import { startV1Device, startV1Server } from "../rig/v1/relay.ts";
import { playDevice, playServer } from "../rig/v1/scripted.ts";
import { echoService, Service } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";
import { within } from "../rig/wait.ts";
import { freePort, portOf } from "../rig/ports.ts";

const TARGET = "10.0.0.1:23";

test("events: both handles tell a whole session, in order, with bytes and addresses", async () => {
  await using service = echoService();
  const local = `127.0.0.1:${service.port}`;
  await using server = await startV1Server([local], { halfCloseTimeout: 50 });
  await using device = startV1Device(server.port, [local]);
  await device.handle.ready;
  assert.equal(device.handle.state, "online");
  const { hostAddress } = await server.events.next("host-open");
  using client = await Stream.connect(portOf(hostAddress));
  await client.write("12345");
  assert.equal(await client.readText(5), "12345");
  client.close(); // on the wire a half-close, whose rest never comes
  const channelEnd = await device.events.next("channel-end");
  await device.handle.shutdown();
  await server.events.next("link-down");
  await server.handle.shutdown();

  assert.deepEqual(server.events.types, ["listening", "link-up", "host-open", "client-end", "link-down"]);
  assert.deepEqual(device.events.types, ["connecting", "online", "channel-end", "lost"]);
  assert.equal(device.handle.state, "closed");
  const [listening, up, , clientEnd, down] = server.events.seen;
  const online = device.events.seen[1];
  assert.ok(listening?.type === "listening" && up?.type === "link-up" && online?.type === "online");
  assert.ok(clientEnd?.type === "client-end" && down?.type === "link-down");
  assert.equal(listening.address, `127.0.0.1:${server.port}`);
  assert.deepEqual([up.listen, up.device], [listening.address, online.local]);
  assert.deepEqual([clientEnd.hostAddress, clientEnd.localAddress], [hostAddress, local]);
  assert.deepEqual([clientEnd.bytesUp, clientEnd.bytesDown], [5, 5]);
  assert.deepEqual([channelEnd.service, channelEnd.bytesUp, channelEnd.bytesDown], [local, 5, 5]);
  assert.deepEqual([down.device, down.reason], [online.local, "peer-closed"]);
  const lost = device.events.seen.at(-1);
  assert.ok(lost?.type === "lost");
  assert.deepEqual([lost.reason, lost.retryIn], ["shutting-down", undefined]);
});

test("shutdown of the server: a client gets what came for it, then its end, and nobody new gets in", async () => {
  const reply = noise(3_000_000, 51);
  await using service = new Service(async (stream) => {
    await stream.write(reply);
    await stream.readToEnd();
  });
  await using server = await startV1Server([`127.0.0.1:${service.port}`]);
  await using device = startV1Device(server.port, ["127.0.0.1:*"], { reconnect: false });
  const port = portOf((await server.events.next("host-open")).hostAddress);
  using client = await Stream.connect(port);
  const got = await client.read(reply.length);
  const shutdown = server.handle.shutdown();
  assert.equal((await client.readToEnd()).length, 0);
  client.close();
  await within(shutdown, "the shutdown");
  await server.handle.closed;
  assert.equal(await digest(got), await digest(reply));
  assert.equal((await server.events.next("client-end")).reason, "shutting-down");
  await assert.rejects(Stream.connect(port), Deno.errors.ConnectionRefused);
  await assert.rejects(Stream.connect(server.port), Deno.errors.ConnectionRefused);
  assert.equal((await device.events.next("lost")).reason, "peer-closed");
  await device.handle.closed;
});

test("shutdown of the server: a client that has not read yet still gets all that had come for it", async () => {
  const sent = noise(600_000, 52);
  await using relay = await playDevice([TARGET]);
  using client = await Stream.connect(relay.hostPorts[0]!);
  await relay.link.expect(CONNECT, 1);
  for (let at = 0; at < sent.length; at += 60_000) await relay.link.send(DATA, 1, sent.subarray(at, at + 60_000));
  await relay.link.settled(200);
  const shutdown = relay.server.handle.shutdown();
  await relay.link.expect(CLOSE, 1);
  assert.equal(await digest(await client.readToEnd()), await digest(sent));
  client.close();
  await relay.link.expectEnd();
  relay.link.close();
  await within(shutdown, "the shutdown");
});

test("shutdown of the server: CLOSE goes out for each client, then the link ends", async () => {
  await using relay = await playDevice([TARGET]);
  using first = await Stream.connect(relay.hostPorts[0]!);
  await relay.link.expect(CONNECT, 1);
  using second = await Stream.connect(relay.hostPorts[0]!);
  await relay.link.expect(CONNECT, 2);
  const shutdown = relay.server.handle.shutdown();
  await relay.link.expect(CLOSE, 1);
  await relay.link.expect(CLOSE, 2);
  for (const client of [first, second]) {
    assert.equal((await client.readToEnd()).length, 0);
    client.close();
  }
  await relay.link.expectEnd();
  relay.link.close();
  await within(shutdown, "the shutdown");
});

test("shutdown of the device: its services get what came for them, CLOSE goes out, then the link ends", async () => {
  await using service = new Service();
  await using server = await startV1Server([`127.0.0.1:${service.port}`]);
  await using device = startV1Device(server.port, ["127.0.0.1:*"]);
  const port = portOf((await server.events.next("host-open")).hostAddress);
  using client = await Stream.connect(port);
  using accepted = await service.accept();
  await client.write("hello");
  assert.equal(await accepted.readText(5), "hello");
  const shutdown = device.handle.shutdown();
  assert.equal((await accepted.readToEnd()).length, 0);
  accepted.close();
  assert.equal((await client.readToEnd()).length, 0);
  client.close();
  await within(shutdown, "the shutdown");
  assert.equal((await device.events.next("channel-end")).reason, "shutting-down");
  assert.equal((await server.events.next("client-end")).reason, "service-closed");
  assert.equal((await server.events.next("link-down")).reason, "peer-closed");
});

test("shutdown: two of them, close() after them, and close() twice are all the same end", async () => {
  await using server = await startV1Server([TARGET]);
  await using device = startV1Device(server.port, ["*:*"]);
  await server.events.next("host-open");
  await within(Promise.all([device.handle.shutdown(), device.handle.shutdown()]), "both shutdowns of the device");
  device.handle.close();
  await within(Promise.all([server.handle.shutdown(), server.handle.shutdown()]), "both shutdowns of the server");
  server.handle.close();
  server.handle.close();
  await within(Promise.all([device.handle.closed, server.handle.closed]), "the end of both");
});

test("close: both sides end at once in the middle of traffic, and nothing of them is left", async () => {
  for (const first of ["server", "device"] as const) {
    await using service = new Service(async (stream) => {
      for (;;) await stream.write(new Uint8Array(64 * 1024));
    });
    await using server = await startV1Server([`127.0.0.1:${service.port}`]);
    await using device = startV1Device(server.port, ["127.0.0.1:*"], { reconnect: false });
    const port = portOf((await server.events.next("host-open")).hostAddress);
    const clients = await Promise.all(Array.from({ length: 5 }, () => Stream.connect(port)));
    const inTraffic = clients.map((client) => client.read(500_000));
    const ended = clients.map(async (client, at) => { // at once: one that does not read holds the link
      await inTraffic[at];
      await client.readToEnd();
    });
    await Promise.all(inTraffic);
    const handles = { server: server.handle, device: device.handle };
    handles[first].close();
    await within(handles[first].closed, `the end of the ${first}`);
    await Promise.all(ended);
    for (const client of clients) client.close();
    const other = first === "server" ? device.events.next("lost") : server.events.next("link-down");
    assert.equal((await other).reason === "shutting-down", false, "the other side sees a link that ended");
  }
});

test("close: a device that is still dialling, or waits for its next try, ends at once and never becomes ready", async () => {
  const port = freePort("127.0.0.1");
  await using dialling = startV1Device(port, ["*:*"]);
  dialling.handle.close();
  await within(dialling.handle.closed, "the end of a device that dials");
  await assert.rejects(dialling.handle.ready);

  await using waiting = startV1Device(port, ["*:*"]);
  await waiting.events.next("dial-failed");
  waiting.handle.close();
  await within(waiting.handle.closed, "the end of a device that waits");
  await assert.rejects(waiting.handle.ready);
  assert.deepEqual([waiting.handle.state, waiting.events.types.length], ["closed", 2]);
});

test("serve: an address in use is refused with its code, and what was bound before it is free again", async () => {
  const blocker = Deno.listen({ hostname: "127.0.0.51", port: 0 });
  const free = freePort("127.0.0.52");
  const listen = [`127.0.0.52:${free}`, `127.0.0.51:${blocker.addr.port}`].map((address) => ({
    profile: "v1" as const,
    address: parseAddress(address),
    forwards: [],
  }));
  const server = serve({ engine: engineChoice, listen });
  await assert.rejects(server.ready, (error) => error instanceof ListenError && error.code === "EADDRINUSE");
  await within(server.closed, "the end of the server");
  Deno.listen({ hostname: "127.0.0.52", port: free }).close();
  blocker.close();
});

test("service: while it is down its clients are ended, and when it is up again they are served", async () => {
  const hostname = "127.0.0.53";
  const port = freePort(hostname);
  await using server = await startV1Server([`${hostname}:${port}`]);
  await using device = startV1Device(server.port, ["*:*"]);
  const hostPort = portOf((await server.events.next("host-open")).hostAddress);
  for (let round = 0; round < 3; round++) {
    using early = await Stream.connect(hostPort);
    assert.equal((await early.readToEnd()).length, 0);
    assert.equal((await device.events.next("channel-end")).reason, "service-unreachable");
    const service = new Service(undefined, { hostname, port });
    using client = await Stream.connect(hostPort);
    using accepted = await service.accept();
    await accepted.write("up");
    assert.equal(await client.readText(2), "up");
    await service[Symbol.asyncDispose]();
    assert.equal((await client.readToEnd()).length, 0);
    assert.equal((await device.events.next("channel-end")).reason, "service-closed");
  }
  assert.equal(server.events.types.includes("link-down"), false);
});

test("server: after a restart on the same port the device is back, with no one telling it", async () => {
  await using service = echoService();
  const hostname = "127.0.0.54";
  const address = { host: hostname, port: freePort(hostname) };
  const start = () => {
    const forwards = [{
      hostAddress: parseAddress("127.0.0.1:0"),
      localAddress: { host: "127.0.0.1", port: service.port },
    }];
    const handle = serve({ engine: engineChoice, listen: [{ profile: "v1", address, forwards }] });
    return { handle, events: new Events(handle) };
  };
  const first = start();
  await first.handle.ready;
  await using device = startV1Device(address.port, ["127.0.0.1:*"], { server: address, random: () => 0 });
  await first.events.next("host-open");
  first.handle.close();
  await within(first.handle.closed, "the end of the first server");
  assert.equal((await device.events.next("lost")).reason, "peer-closed");
  const second = start();
  const port = portOf((await second.events.next("host-open")).hostAddress);
  using client = await Stream.connect(port);
  await client.write("again");
  assert.equal(await client.readText(5), "again");
  second.handle.close();
  await within(second.handle.closed, "the end of the second server");
});

test("tcpRemoteConnect: serves its one service for the life of one link, as the seed's command does", async () => {
  await using service = echoService();
  await using server = await startV1Server([`127.0.0.1:${service.port}`, "127.0.0.1:9"]);
  const remote = tcpRemoteConnect({
    serverAddress: "127.0.0.1",
    serverPort: server.port,
    localAddress: "127.0.0.1",
    localPort: service.port,
    engine: engineChoice,
  });
  const events = new Events(remote);
  await remote.ready;
  const port = portOf((await server.events.next("host-open")).hostAddress);
  const otherPort = portOf((await server.events.next("host-open")).hostAddress);
  using client = await Stream.connect(port);
  await client.write("telnet");
  assert.equal(await client.readText(6), "telnet");
  using other = await Stream.connect(otherPort);
  assert.equal((await other.readToEnd()).length, 0);
  assert.equal((await events.next("channel-end")).reason, "not-allowed");
  server.handle.close();
  await within(remote.closed, "the end of the handle with its link");
  const lost = await events.next("lost");
  assert.deepEqual([lost.reason, lost.retryIn], ["peer-closed", undefined]);
});

test("tcpRemoteConnect: a server that is not there ends the handle, which never becomes ready", async () => {
  const remote = tcpRemoteConnect({
    serverAddress: "127.0.0.55",
    serverPort: freePort("127.0.0.55"),
    localAddress: "127.0.0.1",
    localPort: 23,
  });
  const events = new Events(remote);
  await assert.rejects(remote.ready);
  await within(remote.closed, "the end of the handle");
  assert.deepEqual(events.types, ["connecting", "dial-failed"]);
  assert.throws(() => tcpRemoteConnect({ serverAddress: "x", localAddress: "not a host", localPort: 1 }), SyntaxError);
});

test("events: a subscriber that throws harms nobody, and one that has left hears nothing", async () => {
  await using relay = await playServer(["*:*"]);
  const heard: string[] = [];
  relay.device.handle.subscribe(() => {
    throw new Error("a subscriber's own fault");
  });
  const leave = relay.device.handle.subscribe((event) => heard.push(event.type));
  await relay.link.send(CONNECT, 1);
  await relay.link.expect(CLOSE, 1);
  leave();
  await relay.link.send(CONNECT, 2);
  await relay.link.expect(CLOSE, 2);
  assert.deepEqual(heard, ["channel-end"]);
});
