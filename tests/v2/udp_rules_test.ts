/**
 * Services over UDP: who may come, who agrees that they are ones, and how their clients end.
 *
 * @module
 */

import assert from "node:assert/strict";
import { CAN_DATAGRAMS } from "../../protocol/v2/wire/capabilities.ts";
import { v2Frame } from "../../protocol/v2/wire/codec.ts";
import { V2Command } from "../../protocol/v2/wire/commands.ts";
import { listenFrame, readGrants, type ServiceGrantResult } from "../../protocol/v2/wire/messages.ts";
import { noDatagrams } from "../../net/udp/counts.ts";
import { parseGrant } from "../../server/devices/service_grant.ts";
import { portOf } from "../rig/ports.ts";
import { test } from "../rig/test.ts";
import { udpEcho, UdpPeer } from "../rig/udp.ts";
import { PlayedDevice } from "../rig/v2/device_peer.ts";
import { enlist, startV2Device, startV2Relay, startV2Server } from "../rig/v2/relay.ts";
import { PlayedServer } from "../rig/v2/server_peer.ts";
import { createIdentity } from "../../net/tls/identity.ts";

const udp = ({ address: { port } }: UdpPeer) => `echo=udp:127.0.0.1:${port}`;

test("a client of UDP ends when nothing went either way for its idle time, and comes anew", async () => {
  await using echo = await udpEcho();
  const grant = { ...parseGrant("echo=udp:127.0.0.1:0"), idleTimeout: 80 };
  await using relay = await startV2Relay({ services: [udp(echo)], grants: [grant] });
  await using client = await UdpPeer.connect(await relay.hostPort("echo"));
  for (const text of ["one", "two"]) {
    client.send(text);
    assert.equal(await client.text(), text);
    const ended = await relay.server.events.next("client-end");
    assert.equal(ended.reason, "idle-timeout");
    assert.equal(ended.client, `127.0.0.1:${client.address.port}`);
    assert.match(ended.hostAddress, /^udp:/);
    assert.equal((await relay.device.events.next("channel-end")).reason, "idle-timeout");
  }
});

test("each client of UDP has its counts at both sides, and all of them stay when it and its service have gone", async () => {
  await using echo = await udpEcho();
  await using relay = await startV2Relay({ services: [udp(echo)], grants: ["echo=udp:127.0.0.1:0"] });
  const port = await relay.hostPort("echo");
  await using one = await UdpPeer.connect(port);
  await using two = await UdpPeer.connect(port);
  for (const [client, texts] of [[one, ["a"]], [two, ["b", "c"]]] as const) {
    for (const text of texts) {
      client.send(text);
      assert.equal(await client.text(), text);
    }
  }
  const { server, device } = relay;
  for (const handle of [server.handle, device.handle]) {
    const counts = handle.clients().map(({ datagrams }) => datagrams);
    assert.deepEqual(counts, [1, 2].map((n) => ({ ...noDatagrams(), received: n, sent: n })));
  }
  assert.deepEqual(device.handle.status.datagrams, { ...noDatagrams(), received: 3, sent: 3 });
  const ends = [device.events.next("channel-end"), device.events.next("channel-end")];
  device.handle.takeService("echo");
  await Promise.all(ends);
  assert.deepEqual(device.handle.clients(), []);
  assert.deepEqual(device.handle.status.datagrams, { ...noDatagrams(), received: 3, sent: 3 });
});

test("of a client of UDP whose service is not reached, the bytes are those of its datagrams, too", async () => {
  await using relay = await startV2Relay({
    services: ["echo=udp:nothing.invalid:9"],
    grants: ["echo=udp:127.0.0.1:0"],
  });
  await using client = await UdpPeer.connect(await relay.hostPort("echo"));
  client.send("hi\n");
  for (const ended of [await relay.server.events.next("client-end"), await relay.device.events.next("channel-end")]) {
    const { reason, bytesUp, bytesDown } = ended;
    assert.deepEqual({ reason, bytesUp, bytesDown }, { reason: "service-unreachable", bytesUp: 3, bytesDown: 0 });
  }
});

test("the rules of a service hold for clients of UDP, who hear nothing", async () => {
  await using echo = await udpEcho();
  const grants = ["udp:127.0.0.1:0", "udp:127.0.0.1:0"].map((listen, n) =>
    parseGrant(`${n ? "far" : "few"}=${listen}`)
  );
  await using relay = await startV2Relay({
    services: [udp(echo).replace("echo", "few"), udp(echo).replace("echo", "far")],
    grants: [{ ...grants[0]!, maxClients: 1 }, { ...grants[1]!, allowFrom: ["192.0.2.0/24"] }],
  });
  await using first = await UdpPeer.connect(await relay.hostPort("few"));
  first.send("first");
  assert.equal(await first.text(), "first");
  await using second = await UdpPeer.connect(await relay.hostPort("few"));
  second.send("second");
  assert.equal((await relay.server.events.next("client-end")).reason, "too-many-clients");
  await using other = await UdpPeer.connect(await relay.hostPort("far"));
  other.send("other");
  other.send("other");
  assert.equal((await relay.server.events.next("client-end")).reason, "not-allowed");
  first.send("again");
  assert.equal(await first.text(), "again");
  assert.deepEqual([second.heard.length, other.heard.length, echo.heard.length], [0, 0, 2]);
});

test("what is UDP on one side alone is not open, and both sides say why in one line", async () => {
  await using echo = await udpEcho();
  const { port } = echo.address;
  await using relay = await startV2Relay({
    services: [`a=udp:127.0.0.1:${port}`, `b=127.0.0.1:${port}`],
    grants: ["a=127.0.0.1:0", "b=udp:127.0.0.1:0"],
  });
  const said: string[] = [];
  while (said.length < 2) said.push((await relay.device.events.next("service")).error ?? "");
  const errors = relay.device.handle.status.services.map(({ error }) => error);
  assert.match(errors[0]!, /a is udp: at the device: give it a host address of UDP, as in udp:0\.0\.0\.0:1161/);
  assert.match(errors[1]!, /b is granted by UDP, and is not udp: at the device: write b=udp:HOST:PORT there/);
  assert.match(relay.server.log.said.join("\n"), /device gw1: a is udp: at the device/);
  const { services } = relay.server.handle.device("gw1").status!;
  assert.deepEqual(
    services.map(({ name, open, error }) => [name, open, `not-granted: ${error}`]),
    [["a", false, errors[0]], ["b", false, errors[1]]],
    "and the server's status has it, too",
  );
});

test("a server that does not know UDP is offered no such service", async () => {
  await using server = await PlayedServer.start();
  await using device = startV2Device(server, await createIdentity(), ["a=udp:127.0.0.1:53", "b=127.0.0.1:53"]);
  const { offers } = await server.link();
  assert.deepEqual(await offers(), [{ number: 0, offered: false, name: "a" }, { number: 1, offered: true, name: "b" }]);
  assert.equal(device.handle.status.services[0]!.error, "the server does not know UDP; update it");
  assert.match(device.log.said.join("\n"), /service a is not offered: the server does not know UDP; update it/);
});

test("a device that does not know UDP gets no host port of UDP", async () => {
  await using server = await startV2Server();
  const identity = await enlist(server, "gw1", ["a=udp:127.0.0.1:0", "b=127.0.0.1:0"]);
  using device = await PlayedDevice.link(server, identity);
  await device.send(listenFrame([{ number: 1, offered: true, name: "a" }, { number: 2, offered: true, name: "b" }]));
  const grants: ServiceGrantResult[] = []; // a refusal may come ahead of a grant, whose port has to be opened
  while (grants.length < 2) grants.push(...readGrants((await device.next(V2Command.LISTEN)).payload));
  assert.deepEqual(
    new Map(grants.map(({ number, code }) => [number, code])),
    new Map([[1, "not-granted"], [2, "granted"]]),
  );
});

test("what is no record ends its own channel, and no other", async () => {
  await using server = await startV2Server();
  const identity = await enlist(server, "gw1", ["a=udp:127.0.0.1:0"]);
  using device = await PlayedDevice.link(server, identity, { capabilities: CAN_DATAGRAMS });
  await device.send(listenFrame([{ number: 1, offered: true, name: "a", datagrams: true }]));
  const [grant] = readGrants((await device.next(V2Command.LISTEN)).payload);
  assert.match(grant!.text, /^udp:127\.0\.0\.1:\d+$/);
  await using one = await UdpPeer.connect(portOf(grant!.text));
  await using two = await UdpPeer.connect(portOf(grant!.text));
  one.send("1");
  const first = await device.accept();
  two.send("2");
  const second = await device.accept();
  await device.send(v2Frame(V2Command.DATA, first, new Uint8Array(6).fill(0xff)));
  assert.equal((await device.next(V2Command.CLOSE)).channel, first);
  const record = Uint8Array.of(0, 2, 0, 0, 0, 0, 0x68, 0x69);
  await device.send(v2Frame(V2Command.DATA, second, record));
  assert.equal(await two.text(), "hi");
  assert.equal((await server.events.next("client-end")).reason, "client-reset");
});
