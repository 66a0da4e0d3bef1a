/**
 * The client's own address: towards the service, and from a load balancer in front of a host port.
 *
 * @module
 */

import assert from "node:assert/strict";
import { concat } from "../../protocol/bytes.ts";
import { encodeProxyHeader, ProxyHeaderReader } from "../../net/proxy/header.ts";
import { parseGrant } from "../../server/devices/service_grant.ts";
import { ascii } from "../rig/bytes.ts";
import { echoService, Service } from "../rig/service.ts";
import type { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";
import { local, SECURITIES, startV2Relay } from "../rig/v2/relay.ts";
import { FakeClock } from "../rig/clock.ts";

/** Reads a header and `size` bytes behind it, as a service does. */
async function readHeader(stream: Stream, size: number): Promise<{ source: string; text: string }> {
  const reader = new ProxyHeaderReader();
  for (;;) {
    const header = reader.feed(await stream.read(reader.wanted));
    if (!header) continue;
    const { host = "", port = 0 } = header.source ?? {};
    return { source: `${host}:${port}`, text: await stream.readText(size) };
  }
}

function addressOf(client: Stream): string {
  const { hostname, port } = client.conn.localAddr as Deno.NetAddr;
  return `${hostname}:${port}`;
}

for (const version of [1, 2] as const) {
  for (const security of SECURITIES) {
    test(`v2 proxy, ${security}: a service that asks for version ${version} hears the client's address, then its bytes`, async () => {
      await using service = new Service();
      await using relay = await startV2Relay({ security, services: [local("web", service, `proxy=v${version}`)] });
      using client = await relay.connect("web");
      await client.write("hello");
      using accepted = await service.accept();
      assert.deepEqual(await readHeader(accepted, 5), { source: addressOf(client), text: "hello" });
      await accepted.write("answer");
      assert.equal(await client.readText(6), "answer");
    });
  }

  test(`v2 proxy: a load balancer's header, version ${version}, names the client in every line and to the service`, async () => {
    await using service = new Service();
    await using relay = await startV2Relay({
      services: [local("web", service, "proxy=v2")],
      grants: [{ ...parseGrant("web=127.0.0.1:0"), proxyFrom: ["127.0.0.0/8"] }],
    });
    using client = await relay.connect("web");
    const header = encodeProxyHeader(version, { host: "203.0.113.7", port: 4711 }, { host: "192.0.2.1", port: 80 });
    for (const byte of header) await client.write(Uint8Array.of(byte)); // however it is split
    await client.write("hello");
    using accepted = await service.accept();
    assert.deepEqual(await readHeader(accepted, 5), { source: "203.0.113.7:4711", text: "hello" });
    await accepted.write("answer");
    assert.equal(await client.readText(6), "answer");
    client.close();
    accepted.close();
    for (const ended of [await relay.server.events.next("client-end"), await relay.device.events.next("channel-end")]) {
      const { client, bytesUp, bytesDown } = ended;
      assert.deepEqual({ client, bytesUp, bytesDown }, { client: "203.0.113.7:4711", bytesUp: 5, bytesDown: 6 });
    }
    assert.equal(relay.server.log.matching(/client 203\.0\.113\.7:4711 of /).length, 1);
    assert.equal(relay.device.log.matching(/client 203\.0\.113\.7:4711 of /).length, 1);
  });
}

test("v2 proxy: bytes in the header's segment are not lost, and a header of the balancer itself keeps its address", async () => {
  await using echo = echoService();
  await using relay = await startV2Relay({
    services: [local("echo", echo)],
    grants: [{ ...parseGrant("echo=127.0.0.1:0"), proxyFrom: ["127.0.0.1"] }],
  });
  using client = await relay.connect("echo");
  await client.write(concat([encodeProxyHeader(2), ascii("in one piece")]));
  assert.equal(await client.readText(12), "in one piece");
  await client.closeWrite();
  assert.equal((await client.readToEnd()).length, 0);
  assert.equal((await relay.server.events.next("client-end")).client, addressOf(client));
});

test("v2 proxy: whoever is no load balancer is taken as it is, header or not", async () => {
  await using echo = echoService();
  await using relay = await startV2Relay({
    services: [local("echo", echo)],
    grants: [{ ...parseGrant("echo=127.0.0.1:0"), proxyFrom: ["10.0.0.0/8", "fd00::/8"] }],
  });
  using client = await relay.connect("echo");
  const header = encodeProxyHeader(1, { host: "203.0.113.7", port: 1 }, { host: "192.0.2.1", port: 2 });
  await client.write(header);
  assert.deepEqual(await client.read(header.length), Uint8Array.from(header));
  client.close();
  assert.equal((await relay.server.events.next("client-end")).client, addressOf(client));
});

test("v2 proxy: a load balancer that sends something else, nothing, or half a header is turned away with the reason", async () => {
  const clock = new FakeClock();
  await using echo = echoService();
  await using relay = await startV2Relay({
    services: [local("echo", echo)],
    grants: [{ ...parseGrant("echo=127.0.0.1:0"), proxyFrom: ["127.0.0.0/8"], maxClients: 1 }],
    serve: { clock, keepAlive: { idleTimeout: -1, probeInterval: 1_000, probeCount: 0 } },
  });
  {
    using liar = await relay.connect("echo");
    await liar.write("GET / HTTP/1.1\r\n");
    assert.equal((await liar.readToEnd()).length, 0);
    assert.match((await relay.server.events.next("client-end")).error!, /expected a PROXY header/);
  }
  {
    using half = await relay.connect("echo");
    await half.write("PROXY TCP4 1.2");
    await half.closeWrite();
    assert.equal((await half.readToEnd()).length, 0);
    assert.match((await relay.server.events.next("client-end")).error!, /before its PROXY protocol header was whole/);
  }
  {
    using mute = await relay.connect("echo");
    await clock.armed(5_000);
    clock.tick(5_000);
    assert.equal((await mute.readToEnd()).length, 0);
    assert.match((await relay.server.events.next("client-end")).error!, /no PROXY protocol header within 5 s/);
  }
  using honest = await relay.connect("echo"); // the only place is free again
  await honest.write(concat([encodeProxyHeader(2), ascii("x")]));
  assert.equal(await honest.readText(1), "x");
  assert.equal(echo.accepted, 1);
});

test("v2 proxy: who is still saying its header when the service is withdrawn is turned away", async () => {
  await using echo = echoService();
  await using relay = await startV2Relay({
    services: [local("echo", echo)],
    grants: [{ ...parseGrant("echo=127.0.0.1:0"), proxyFrom: ["127.0.0.0/8"] }],
  });
  using other = await relay.connect("echo");
  await other.write(concat([encodeProxyHeader(2), ascii("x")])); // the one before it is at the door then, too
  using half = await relay.connect("echo");
  await half.write("PROXY TCP4");
  assert.equal(await other.readText(1), "x");
  relay.device.handle.setMode("config");
  assert.equal((await half.readToEnd()).length, 0);
  assert.equal((await other.readToEnd()).length, 0);
  for (let n = 0; n < 2; n++) await relay.server.events.next("client-end");
});
