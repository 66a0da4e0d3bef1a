/**
 * Listeners for devices behind a load balancer: who it really is, on either kind of listener, and nobody else believed.
 *
 * @module
 */

import assert from "node:assert/strict";
import { serve } from "../../mod.ts";
import { encodeProxyHeader } from "../../net/proxy/header.ts";
import { engineChoice } from "../rig/engine.ts";
import { ascii } from "../rig/bytes.ts";
import { Events } from "../rig/events.ts";
import { portOf } from "../rig/ports.ts";
import { echoService } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";
import { Balancer } from "../rig/v2/balancer.ts";
import { enlist, local, SECURITIES, startV2Device, startV2Relay, startV2Server } from "../rig/v2/relay.ts";
import { concat } from "../../protocol/bytes.ts";
import { within } from "../rig/wait.ts";

const LOCAL = ["127.0.0.0/8"];
const HEADER = (version: 1 | 2) =>
  encodeProxyHeader(version, { host: "203.0.113.7", port: 4711 }, { host: "192.0.2.1", port: 443 });

for (const security of SECURITIES) {
  for (const version of [1, 2] as const) {
    test(`v2 link proxy, ${security}: a device behind a balancer, version ${version}, has its own address`, async () => {
      await using echo = echoService();
      await using server = await startV2Server({ security, proxyFrom: LOCAL });
      await using balancer = new Balancer(server.port, HEADER(version));
      const identity = await enlist(server, "gw1", ["echo=127.0.0.1:0"]);
      await using _device = startV2Device({ ...server, port: balancer.port }, identity, [local("echo", echo)]);
      assert.equal((await server.events.next("link-up")).remote, "203.0.113.7:4711");
      using client = await Stream.connect(portOf((await server.events.next("host-open")).hostAddress));
      const bytes = new Uint8Array(3_000_000).map((_, at) => at * 7 % 251);
      const [, back] = await Promise.all([client.write(bytes), client.read(bytes.length)]);
      assert.deepEqual(back, bytes);
      client.close();
      await server.events.next("client-end");
    });
  }

  test(`v2 link proxy, ${security}: who comes from elsewhere is taken as it is`, async () => {
    await using echo = echoService();
    await using relay = await startV2Relay({ security, proxyFrom: ["10.0.0.0/8"], services: [local("echo", echo)] });
    assert.match((await relay.server.events.next("link-up")).remote, /^127\.0\.0\.1:/);
    using client = await relay.connect("echo");
    await client.write("hello");
    assert.equal(await client.readText(5), "hello");
  });

  test(`v2 link proxy, ${security}: a balancer's checks are no warnings, other bytes one line each`, async () => {
    await using server = await startV2Server({ security, proxyFrom: LOCAL });
    for (const bytes of [new Uint8Array(0), encodeProxyHeader(1), encodeProxyHeader(2)]) {
      using check = await Stream.connect(server.port);
      await check.write(bytes);
      await check.closeWrite();
      await check.readToEnd();
      assert.match((await server.events.next("refused")).why, /closed without a word/);
    }
    assert.deepEqual(server.log.matching(/^warn/), []);
    const expected: [Uint8Array, RegExp][] = [
      [ascii("GET / HTTP/1.1\r\n\r\n"), /127\.0\.0\.1:\d+ on .*: expected a PROXY header/],
      [ascii("PROXY TCP4 1.2"), /before its PROXY protocol header was whole/],
      [concat([HEADER(2), ascii("GET / HTTP/1.1\r\n\r\n")]), /refused 203\.0\.113\.7:4711 on/],
    ];
    for (const [at, [bytes, why]] of expected.entries()) {
      using stranger = await Stream.connect(server.port);
      await stranger.write(bytes);
      await stranger.closeWrite();
      await stranger.readToEnd();
      await server.events.next("refused");
      const lines = server.log.matching(/^warn/);
      assert.equal(lines.length, at + 1);
      assert.match(lines.at(-1)!, why);
    }
  });

  test(`v2 link proxy, ${security}: who is still in its header when the server ends is closed`, async () => {
    await using server = await startV2Server({ security, proxyFrom: LOCAL });
    using half = await Stream.connect(server.port);
    await half.write("PROXY TCP4 ");
    using other = await Stream.connect(server.port); // accepted after the first
    await other.closeWrite();
    await server.events.next("refused");
    server.handle.close();
    assert.equal((await half.readToEnd()).length, 0);
    assert.deepEqual(server.log.matching(/^warn/), []);
  });

  test(`v2 link proxy, ${security}: a header where none is taken is told with the option`, async () => {
    await using server = await startV2Server({ security });
    for (const [at, version] of ([1, 2] as const).entries()) {
      using stranger = await Stream.connect(server.port);
      await stranger.write(HEADER(version));
      await stranger.closeWrite();
      await stranger.readToEnd();
      assert.match((await server.events.next("refused")).why, /--proxy-from/);
      assert.equal(server.log.matching(/^warn/).length, at + 1);
    }
  });
}

test("v1 link proxy: a device behind a balancer has its own address, and a header is told where none is taken", async () => {
  for (const proxyFrom of [LOCAL, []]) {
    const forwards = [{ hostAddress: { host: "127.0.0.1", port: 0 }, localAddress: { host: "127.0.0.1", port: 1 } }];
    const handle = serve({
      engine: engineChoice,
      listen: [{ profile: "v1", address: { host: "127.0.0.1", port: 0 }, forwards, proxyFrom }],
    });
    const events = new Events(handle);
    await handle.ready;
    using device = await Stream.connect(portOf(handle.addresses[0]!));
    await device.write(concat([HEADER(1), Uint8Array.of(0, 0, 4, 0)]));
    if (proxyFrom.length > 0) assert.equal((await events.next("link-up")).remote, "203.0.113.7:4711");
    else assert.match((await events.next("refused")).why, /a PROXY protocol header; .*--proxy-from/);
    handle.close();
    await within(handle.closed, "the end of the server");
  }
});
