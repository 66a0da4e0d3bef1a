/**
 * Sessions that survive their link: it is cut, and the clients do not notice more than a pause.
 *
 * @module
 */

import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { formatPublicKey } from "../../net/tls/identity.ts";
import { CAN_RESUME } from "../../protocol/v2/wire/handshake.ts";
import { portOf } from "../rig/ports.ts";
import { digest, noise } from "../rig/bytes.ts";
import { echoService, Service } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";
import { Cable, socketsSettled } from "../rig/cable.ts";
import { type CabledRelay, startCabled } from "../rig/v2/cabled.ts";
import { greet } from "../rig/v2/device_peer.ts";
import { enlist, local, SECURITIES, startV2Device, startV2Server, type V2RelayOptions } from "../rig/v2/relay.ts";
import { within } from "../rig/wait.ts";

/** A relay through a cable that can be cut, whose sessions survive. */
function startLasting(options: V2RelayOptions): Promise<CabledRelay> {
  return startCabled({
    ...options,
    serve: { expiration: 15_000, ...options.serve },
    device: { random: () => 0, ...options.device },
  });
}

for (const security of SECURITIES) {
  test(`v2 resume, ${security}: a client types on after the link was dropped, and both sides tell what happened`, async () => {
    await using echo = echoService();
    await using relay = await startLasting({ security, services: [local("echo", echo)] });
    const { server, device, connect, cable } = relay;
    using client = await connect("echo");
    for (let n = 0; n < 5; n++) {
      await client.write(`before ${n}`);
      assert.equal(await client.readText(8), `before ${n}`);
      cable.drop();
      await client.write(`during ${n}`);
      const interrupted = await device.events.next("interrupted");
      assert.match(interrupted.reason, /peer-closed|connection-lost/);
      assert.equal(await client.readText(8), `during ${n}`);
      const resumed = await device.events.next("resumed");
      assert.ok(resumed.interrupted < 5_000 && resumed.replayed >= 0);
      const told = await server.events.next("link-resumed");
      assert.equal(told.device, "gw1");
    }
    assert.equal(echo.accepted, 1, "the service saw one connection");
    assert.equal(server.events.types.includes("link-down"), false);
    assert.deepEqual(server.events.types.filter((type) => /^host-/.test(type)), ["host-open"]);
  });

  test(`v2 resume, ${security}: megabytes both ways through 20 cuts arrive as they were sent`, async () => {
    const size = 40 * 1024 * 1024;
    const [up, down] = [noise(size, 1), noise(size, 2)] as Uint8Array<ArrayBuffer>[];
    await using service = new Service();
    await using relay = await startLasting({ security, services: [local("bulk", service)] });
    const { device, connect, cable } = relay;
    using client = await connect("bulk");
    using server = await service.accept();
    const work = Promise.all([
      client.write(up!).then(() => client.closeWrite()),
      server.write(down!).then(() => server.closeWrite()),
      client.readToEnd(),
      server.readToEnd(),
    ]);
    let cuts = 0;
    let over = false;
    const cutting = (async () => {
      for (; cuts < 20 && !over; cuts++) {
        const before = cable.carried;
        while (!over && cable.carried < before + size / 25) await new Promise((resolve) => setImmediate(resolve));
        if (over) break;
        cable.drop();
        await device.events.next("resumed");
      }
    })();
    const [, , atClient, atServer] = await within(work, "the transfers", 60_000);
    over = true;
    await cutting;
    assert.equal(await digest(atServer as Uint8Array<ArrayBuffer>), await digest(up!));
    assert.equal(await digest(atClient as Uint8Array<ArrayBuffer>), await digest(down!));
    assert.ok(cuts >= 10, `${cuts} cuts`);
  });
}

test("v2 resume: whoever comes while the link is down waits, and is served when it is up again", async () => {
  await using echo = echoService();
  await using relay = await startLasting({
    services: [local("echo", echo)],
    device: { random: () => 0.99 },
  });
  const { device, hostPort, cable } = relay;
  const port = await hostPort("echo");
  cable.drop();
  await device.events.next("interrupted");
  using client = await Stream.connect(port);
  await client.write("early");
  assert.equal(await client.readText(5), "early");
});

test("v2 resume: when the expiration time is up, clients are ended, ports are closed, and subscribers hear of it", async () => {
  await using echo = echoService();
  await using relay = await startLasting({
    services: [local("echo", echo)],
    serve: { expiration: 300 },
    device: { reconnect: false },
  });
  const { server, device, connect, cable } = relay;
  using client = await connect("echo");
  await client.write("x");
  await client.read(1);
  cable.drop();
  const interrupted = await server.events.next("link-interrupted");
  assert.equal(interrupted.expiration, 300);
  assert.equal(server.log.matching(/^warn: link interrupted: device gw1 .*; 1 client is kept for 300 ms$/).length, 1);
  const down = await server.events.next("link-down");
  assert.equal(down.reason, "expired");
  assert.equal((await client.readToEnd()).length, 0);
  assert.equal((await server.events.next("client-end")).reason, "link-lost");
  await within(device.handle.closed, "the end of the device");
});

test("v2 resume: a device that restarted gets a session of its own, and the clients of the old one are ended", async () => {
  await using echo = echoService();
  await using relay = await startLasting({ services: [local("echo", echo)] });
  const { server, device, connect, cable } = relay;
  using client = await connect("echo");
  await client.write("x");
  await client.read(1);
  cable.cut(); // nothing gets through, not even its goodbye
  device.handle.close();
  await using second = startV2Device(server, device.identity, [local("echo", echo)]);
  await second.events.next("online");
  assert.equal((await server.events.next("link-down")).reason, "replaced");
  assert.equal((await client.readToEnd()).length, 0);
});

test("v2 resume: when the network changes, the session moves while the old link still works, and nobody waits", async () => {
  await using echo = echoService();
  let address = "127.0.0.1";
  const readNetwork = () => ({ addresses: [{ name: "eth0", address }], routes: "" });
  await using relay = await startLasting({ services: [local("echo", echo)], device: { readNetwork } });
  const { server, device, connect } = relay;
  using client = await connect("echo");
  await client.write("a");
  assert.equal(await client.readText(1), "a");
  address = "192.0.2.9";
  const { interrupted, moved } = await device.events.next("resumed");
  assert.ok(interrupted < 1_000, `${interrupted} ms without a link`);
  assert.equal(moved, true);
  const told = await server.events.next("link-resumed");
  assert.equal(told.device, "gw1");
  assert.equal(told.moved, true);
  await client.write("b");
  assert.equal(await client.readText(1), "b");
  for (const { events, log, word } of [{ ...device, word: "interrupted" }, { ...server, word: "link-interrupted" }]) {
    assert.equal((events.types as string[]).includes(word), false, "it was interrupted");
    assert.equal(log.matching(/link interrupted/).length, 0);
    assert.equal(log.matching(/link resumed: .* moved/).length, 1);
  }
});

test("v2 resume: an address beside the link's own is no reason to move", async () => {
  await using echo = echoService();
  let beside: string[] = [];
  let looks = 0;
  const readNetwork = () => {
    looks++;
    const addresses = ["127.0.0.1", ...beside].map((address) => ({ name: "eth0", address }));
    return { addresses, routes: "lo" };
  };
  await using relay = await startLasting({ services: [local("echo", echo)], device: { readNetwork } });
  const { device, connect } = relay;
  using client = await connect("echo");
  for (beside of [["192.0.2.9"], ["192.0.2.9", "fd99::11"], []]) {
    const before = looks;
    while (looks === before) await socketsSettled();
  }
  await client.write("a");
  assert.equal(await client.readText(1), "a");
  assert.equal(device.log.matching(/the network has changed/).length, 0);
});

test("v2 resume: a move that fails, as nothing is reached yet, is tried again at the next change", async () => {
  await using echo = echoService();
  let address = "127.0.0.1";
  const readNetwork = () => ({ addresses: [{ name: "eth0", address }], routes: "" });
  await using relay = await startLasting({ services: [local("echo", echo)], device: { readNetwork } });
  const { device, connect, cable } = relay;
  using client = await connect("echo");
  cable.refusing = true;
  address = "192.0.2.9"; // gone
  while (device.log.matching(/cannot move to another link/).length === 0) await socketsSettled();
  cable.refusing = false;
  address = "192.0.2.10"; // another
  await device.events.next("resumed");
  await client.write("b");
  assert.equal(await client.readText(1), "b");
  assert.equal(device.events.types.includes("interrupted"), false, "it was interrupted");
});

test("v2 resume: with two addresses of the server, the other takes over at once when one leads nowhere", async () => {
  await using echo = echoService();
  await using server = await startV2Server({ serve: { expiration: 15_000 } });
  const first = new Cable(server.port);
  await using second = new Cable(server.port);
  const identity = await enlist(server, "gw1", ["echo=127.0.0.1:0"]);
  await using device = startV2Device(server, identity, [local("echo", echo)], {
    server: [first, second].map(({ port }) => ({ host: "127.0.0.1", port })),
    random: () => 0,
  });
  const { hostAddress } = await device.events.next("service");
  using client = await Stream.connect(portOf(hostAddress!));
  await client.write("a");
  assert.equal(await client.readText(1), "a");
  await first[Symbol.asyncDispose](); // and nobody listens there any more
  const { interrupted } = await device.events.next("resumed");
  assert.ok(interrupted < 1_000, `${interrupted} ms without a link`);
  await client.write("b");
  assert.equal(await client.readText(1), "b");
  assert.ok(second.carried > 0);
});

test("v2 resume: a device that is revoked while its link is down loses its session and its clients at once", async () => {
  await using echo = echoService();
  await using relay = await startLasting({ services: [local("echo", echo)], device: { random: () => 0.99 } });
  const { server, device, connect, cable } = relay;
  using client = await connect("echo");
  await client.write("x");
  await client.read(1);
  cable.drop();
  await server.events.next("link-interrupted");
  assert.deepEqual(server.handle.devices().map(({ online, interrupted }) => [online, interrupted]), [[false, true]]);
  server.directory.remove({ key: formatPublicKey(device.identity.publicKey) });
  assert.equal((await client.readToEnd()).length, 0);
  assert.equal((await server.events.next("link-down")).reason, "revoked");
  const lost = await device.events.next("lost");
  assert.equal(lost.reason, "goodbye");
});

test("v2 resume: whoever has another session's name, or says that it received what was never sent, begins anew", async () => {
  await using server = await startV2Server({ serve: { expiration: 15_000 } });
  const identity = await enlist(server, "gw1", []);
  await using device = startV2Device(server, identity, ["echo=127.0.0.1:9"]);
  await device.events.next("online");
  const offers = [
    { session: new Uint8Array(16), received: 0 },
    { session: new Uint8Array(16), received: Number.MAX_SAFE_INTEGER },
  ];
  for (const offer of offers) {
    const { conn, welcome } = await greet(server, identity, { capabilities: CAN_RESUME, resume: () => offer });
    assert.equal(welcome.resumed, "unknown-session");
    conn.close();
  }
});

test("v2 resume: a device that is shut down while its session waits tells that it is lost, and what was closed", async () => {
  await using echo = echoService();
  await using relay = await startLasting({ services: [local("echo", echo)], device: { random: () => 0.99 } });
  const { device, connect, cable } = relay;
  using client = await connect("echo");
  await client.write("x");
  await client.read(1);
  cable.drop();
  await device.events.next("interrupted");
  await device.handle.shutdown();
  const lost = await device.events.next("lost");
  assert.deepEqual([lost.reason, lost.retryIn], ["shutting-down", undefined]);
});

test("v2 resume: a device has its own expiration time where its owner gave it one, also none at all", async () => {
  await using server = await startV2Server({ serve: { expiration: 15_000 } });
  for (const expiration of [0, 500]) {
    const identity = await enlist(server, `gw${expiration}`, [], { expiration });
    await using cable = new Cable(server.port);
    await using device = startV2Device({ ...server, port: cable.port }, identity, ["echo=127.0.0.1:9"], {
      reconnect: false,
    });
    await device.events.next("online");
    cable.drop();
    if (expiration > 0) assert.equal((await server.events.next("link-interrupted")).expiration, expiration);
    const { reason } = await server.events.next("link-down");
    if (expiration > 0) assert.equal(reason, "expired");
    else assert.match(reason, /peer-closed|connection-lost/);
  }
});
