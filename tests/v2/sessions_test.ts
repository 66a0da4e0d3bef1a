/**
 * Clients, devices and services over real v2 links: what goes in comes out.
 *
 * @module
 */

import assert from "node:assert/strict";
import { digest, noise } from "../rig/bytes.ts";
import { portOf } from "../rig/ports.ts";
import { echoService, Service } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";
import { enlist, local, SECURITIES, startV2Device, startV2Relay, startV2Server } from "../rig/v2/relay.ts";
import { concat } from "../../protocol/bytes.ts";

const MIB = 1024 * 1024;

for (const security of SECURITIES) {
  test(`v2 sessions, ${security}: 40 clients send and get 500 KB each at once, and every byte is right`, async () => {
    await using echo = echoService();
    await using relay = await startV2Relay({ security, services: [local("echo", echo)] });
    await Promise.all(Array.from({ length: 40 }, async (_, seed) => {
      using client = await relay.connect("echo");
      const wanted = noise(500_000, seed + 1);
      const [got] = await Promise.all([
        client.read(wanted.length),
        client.write(wanted).then(() => client.closeWrite()),
      ]);
      assert.equal(await digest(got), await digest(wanted));
      assert.equal((await client.readToEnd()).length, 0);
    }));
    for (let n = 0; n < 40; n++) {
      const end = await relay.server.events.next("client-end");
      assert.deepEqual([end.reason, end.bytesUp, end.bytesDown], ["client-closed", 500_000, 500_000]);
      assert.deepEqual([end.device, end.localAddress, end.error], ["gw1", "echo", undefined]);
    }
    assert.equal(relay.server.events.types.includes("link-down"), false);
  });

  test(`v2 sessions, ${security}: 24 MB each way through one client`, async () => {
    await using echo = echoService();
    await using relay = await startV2Relay({ security, services: [local("echo", echo)] });
    using client = await relay.connect("echo");
    const wanted = noise(24 * MIB, 7);
    const [got] = await Promise.all([client.read(wanted.length), client.write(wanted)]);
    assert.equal(await digest(got), await digest(wanted));
  });

  test(`v2 sessions, ${security}: the link says what it runs over, on both sides`, async () => {
    await using echo = echoService();
    await using relay = await startV2Relay({ security, services: [local("echo", echo)] });
    const hostPort = await relay.hostPort("echo");
    const [status] = relay.server.handle.devices();
    assert.equal(status?.security, security);
    assert.deepEqual([status.name, status.online, status.mode], ["gw1", true, "run"]);
    assert.deepEqual(status.services.map(({ name, hostAddress, open }) => [name, hostAddress, open]), [
      ["echo", `127.0.0.1:${hostPort}`, true],
    ]);
    const listening = await relay.server.events.next("listening");
    assert.deepEqual([listening.profile, listening.security], ["v2", security === "tls" ? "pinned" : "plain"]);
    const { state, name, isCompatible, goodbye } = relay.device.handle.status;
    assert.deepEqual([state, name, isCompatible, goodbye], ["online", "gw1", true, undefined]);
  });
}

test("v2 sessions: a client that speaks first is heard by a service that is slow to be reached, in one piece", async () => {
  await using service = new Service();
  await using relay = await startV2Relay({ services: [local("svc", service)] });
  const wanted = noise(300_000, 9);
  using client = await relay.connect("svc");
  const writing = client.write(wanted); // far more than what may be sent before the result of CONNECT
  using accepted = await service.accept();
  assert.equal(await digest(await accepted.read(wanted.length)), await digest(wanted));
  await writing;
});

test("v2 sessions: bytes of a client that has gone before its service was reached are delivered all the same", async () => {
  await using service = new Service();
  await using relay = await startV2Relay({ services: [local("svc", service)] });
  const client = await relay.connect("svc");
  await client.write("fire and forget");
  client.close();
  using accepted = await service.accept();
  assert.equal(new TextDecoder().decode(await accepted.readToEnd()), "fire and forget");
});

test("v2 sessions: 1,000 clients at once, each with its own words", async () => {
  await using echo = echoService();
  await using relay = await startV2Relay({ security: "tls", services: [local("echo", echo)] });
  await relay.hostPort("echo");
  const clients: Stream[] = [];
  for (let n = 0; n < 1000; n += 100) {
    clients.push(...await Promise.all(Array.from({ length: 100 }, () => relay.connect("echo"))));
  }
  await Promise.all(clients.map((client, n) => client.write(`client ${String(n).padStart(4)}`)));
  const said = await Promise.all(clients.map((client) => client.readText(11)));
  assert.deepEqual(said, clients.map((_, n) => `client ${String(n).padStart(4)}`));
  assert.equal(relay.server.handle.devices()[0]?.clients, 1000);
  for (const client of clients) client.close();
  for (let n = 0; n < 1000; n++) await relay.server.events.next("client-end");
  assert.equal(relay.server.handle.devices()[0]?.clients, 0);
});

test("v2 sessions: six devices on one listener, each with two services, never mixed up", async () => {
  await using server = await startV2Server({ security: "tls" });
  const services: Service[] = [];
  const devices: AsyncDisposable[] = [];
  const seen = new Set<string>();
  const ports = new Map<string, number>();
  for (let n = 0; n < 6; n++) {
    const identity = await enlist(server, `gw${n}`, ["a=127.0.0.1:0", "b=127.0.0.1:0"]);
    const [a, b] = ["a", "b"].map((name) => new Service((stream) => stream.write(`${name} of gw${n}`)));
    services.push(a!, b!);
    devices.push(startV2Device(server, identity, [local("b", b!), local("a", a!)]));
  }
  while (ports.size < 12) {
    const { device, localAddress, hostAddress } = await server.events.next("host-open");
    ports.set(`${localAddress} of ${device}`, portOf(hostAddress));
  }
  for (const [name, port] of ports) {
    using client = await Stream.connect(port);
    const text = new TextDecoder().decode(await client.readToEnd());
    assert.equal(text, name);
    seen.add(text);
  }
  assert.equal(seen.size, 12);
  assert.equal(server.handle.devices().filter(({ online }) => online).length, 6);
  for (const each of [...devices, ...services]) await each[Symbol.asyncDispose]();
});

test("v2 sessions: the device hears the client's address and tells what became of it", async () => {
  await using echo = echoService();
  await using relay = await startV2Relay({ services: [local("echo", echo)] });
  using client = await relay.connect("echo");
  const { hostname, port } = client.conn.localAddr as Deno.NetAddr;
  await client.write("hello");
  assert.equal(await client.readText(5), "hello");
  client.close();
  const end = await relay.device.events.next("channel-end");
  assert.deepEqual([end.client, end.service, end.bytesUp, end.bytesDown], [`${hostname}:${port}`, "echo", 5, 5]);
  const [line] = relay.device.log.matching(new RegExp(`client ${hostname}:${port}`));
  assert.match(line!, /of echo ended: client-closed, 5 B up, 5 B down/);
});

test("v2 sessions: a device tries the servers that it was given in turn", async () => {
  await using echo = echoService();
  await using server = await startV2Server();
  const identity = await enlist(server, "gw1", ["echo=127.0.0.1:0"]);
  const dead = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = dead.addr;
  dead.close();
  await using device = startV2Device(server, identity, [local("echo", echo)], {
    server: [{ host: "127.0.0.1", port }, { host: "127.0.0.1", port: server.port }],
    random: () => 0,
  });
  assert.equal((await device.events.next("dial-failed")).server, `127.0.0.1:${port}`);
  assert.equal((await device.events.next("online")).server, `127.0.0.1:${server.port}`);
});

test("v2 sessions: small pieces of many clients arrive whole, in order, interleaved with a bulk transfer", async () => {
  await using echo = echoService();
  await using relay = await startV2Relay({ security: "tls", services: [local("echo", echo)] });
  using bulk = await relay.connect("echo");
  const wanted = noise(8 * MIB, 3);
  const bulkDone = Promise.all([bulk.read(wanted.length), bulk.write(wanted)]);
  await Promise.all(Array.from({ length: 8 }, async (_, seed) => {
    using client = await relay.connect("echo");
    const pieces: Uint8Array[] = [];
    for (let n = 0; n < 50; n++) {
      const piece = noise(1 + n * 7, seed * 100 + n);
      await client.write(piece);
      pieces.push(await client.read(piece.length));
    }
    assert.equal(
      await digest(concat(pieces)),
      await digest(concat(pieces.map((piece, n) => noise(piece.length, seed * 100 + n)))),
    );
  }));
  const [got] = await bulkDone;
  assert.equal(await digest(got), await digest(wanted));
});
