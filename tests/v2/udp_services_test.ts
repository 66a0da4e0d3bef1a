/**
 * Services over UDP, on both engines.
 *
 * @module
 */

import assert from "node:assert/strict";
import { engines } from "../../net/_engines_fixture_test.ts";
import { systemClock } from "../../base/clock.ts";
import { MAX_DATAGRAM } from "../../protocol/v2/limits.ts";
import { noise } from "../rig/bytes.ts";
import { socketsSettled } from "../rig/cable.ts";
import { JumpingClock } from "../rig/jumping_clock.ts";
import { test } from "../rig/test.ts";
import { udpEcho, UdpPeer } from "../rig/udp.ts";
import { startCabled } from "../rig/v2/cabled.ts";
import { startV2Relay, type V2RelayOptions } from "../rig/v2/relay.ts";

const GRANTS = { grants: ["echo=udp:127.0.0.1:0"] } as const;
const bytesOf = ({ bytesUp, bytesDown }: { bytesUp: number; bytesDown: number }) => [bytesUp, bytesDown];
const udp = ({ address: { port } }: UdpPeer) => `echo=udp:127.0.0.1:${port}`;

for (const { name: engine } of engines) {
  const on: Pick<V2RelayOptions, "serve" | "device"> = { serve: { engine }, device: { engine } };

  test(`${engine}: datagrams of all sizes come to a service and back as they were, the empty one too`, async () => {
    await using echo = await udpEcho();
    await using relay = await startV2Relay({ services: [udp(echo)], ...GRANTS, ...on });
    await using client = await UdpPeer.connect(await relay.hostPort("echo"));
    for (const size of [0, 1, 2, 5, 6, 7, 1_472, 8_186, 8_187, 65_506, MAX_DATAGRAM]) {
      const sent = noise(size, size) as Uint8Array<ArrayBuffer>;
      client.send(sent);
      assert.deepEqual((await client.next()).bytes, sent, `${size} bytes`);
    }
    const [service] = relay.device.handle.status.services;
    assert.match(service!.hostAddress!, /^udp:127\.0\.0\.1:\d+$/);
    assert.equal(service!.localAddress, `udp:127.0.0.1:${echo.address.port}`);
    assert.equal(service!.datagrams!.sent, 11);
    assert.equal(service!.datagrams!.received, 11);
  });

  test(`${engine}: the bytes of a client are those of its datagrams, at both sides, while it is there and at its end`, async () => {
    await using service = await UdpPeer.bind((bytes) => bytes.length === 0 ? noise(40_000, 1) : noise(8, 2));
    await using relay = await startV2Relay({ services: [udp(service)], ...GRANTS, ...on });
    const { server, device } = relay;
    await using client = await UdpPeer.connect(await relay.hostPort("echo"));
    client.send("hi\n");
    await client.next();
    const carried = () => [server, device].map(({ handle }) => handle.clients().map(bytesOf));
    assert.deepEqual(carried(), [[[3, 8]], [[3, 8]]]);
    client.send("");
    await client.next();
    assert.deepEqual(carried(), [[[3, 40_008]], [[3, 40_008]]]);
    device.handle.takeService("echo");
    const ends = [await server.events.next("client-end"), await device.events.next("channel-end")];
    assert.deepEqual(ends.map(bytesOf), [[3, 40_008], [3, 40_008]]);
    assert.match(server.log.said.join("\n"), / 3 B up, 40008 B down/);
    assert.match(device.log.said.join("\n"), / 3 B up, 40008 B down/);
  });

  test(`${engine}: each client has a channel of its own, and a socket at the device`, async () => {
    await using echo = await udpEcho();
    const clock = { ...systemClock, now: () => 0 }; // on a busy machine a hundred at once may take long: none is too old
    await using relay = await startV2Relay({
      services: [udp(echo)],
      ...GRANTS,
      serve: { engine, clock },
      device: { engine, clock },
    });
    const port = await relay.hostPort("echo");
    await using stack = new AsyncDisposableStack();
    const clients: UdpPeer[] = [];
    for (let n = 0; n < 100; n++) clients.push(stack.use(await UdpPeer.connect(port)));
    for (let round = 0; round < 3; round++) {
      clients.forEach((client, n) => client.send(`${n} ${round}`));
      for (const [n, client] of clients.entries()) assert.equal(await client.text(), `${n} ${round}`);
    }
    assert.equal(new Set(echo.heard.map(({ from }) => from.address.port)).size, 100);
    const listed = relay.server.handle.clients().map(({ address }) => address).toSorted();
    assert.deepEqual(listed, clients.map(({ address }) => `127.0.0.1:${address.port}`).toSorted());
  });

  test(`${engine}: nothing that is older than a fifth of a second comes out of a cut, and what was lost is counted`, async () => {
    await using echo = await udpEcho();
    const clock = new JumpingClock();
    await using relay = await startCabled({
      services: [udp(echo)],
      ...GRANTS,
      serve: { engine, expiration: 15_000, clock },
      device: { engine, clock, random: () => 0 },
    });
    const { cable, device, hostPort, server } = relay;
    await using client = await UdpPeer.connect(await hostPort("echo"));
    await using late = await UdpPeer.connect(await hostPort("echo"));
    client.send("before");
    assert.equal(await client.text(), "before");
    cable.cut();
    for (let n = 0; n < 50; n++) client.send(`old ${n + 10}`); // six bytes each
    late.send("old, of another client");
    await socketsSettled();
    clock.jump(1_000);
    cable.drop();
    client.send("in between"); // it may wait for less than that
    await device.events.next("resumed");
    client.send("after");
    let said = await client.text();
    if (said === "in between") said = await client.text();
    assert.equal(said, "after");
    const heard = echo.heard.map(({ bytes }) => new TextDecoder().decode(bytes));
    assert.deepEqual(heard.filter((text) => text !== "in between"), ["before", "after"]);
    const [atDevice] = device.handle.status.services;
    const [atServer] = server.handle.devices()[0]!.services;
    const lost = atDevice!.datagrams!.late + atServer!.datagrams!.aged;
    assert.equal(lost, 53 - (heard.length - 1));
    assert.equal(atServer!.datagrams!.overflowed, 0);
    const of = ({ address }: { address?: string | undefined }) => address === `127.0.0.1:${client.address.port}`;
    const [there, here] = [device.handle.clients().find(of)!, server.handle.clients().find(of)!];
    // What was dropped behind the link counts, and what never came to it does not.
    const up = heard.reduce((sum, text) => sum + text.length, 0) + 6 * there.datagrams!.late;
    assert.deepEqual([here, there].map(bytesOf), [[up, here.bytesDown], [up, here.bytesDown]]);
  });
}
