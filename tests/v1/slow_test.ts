/**
 * One receiver that does not read beside one that does.
 *
 * @module
 */

import assert from "node:assert/strict";
import { MAX_LEAVING_CHANNELS } from "../../relay/limits.ts";
import { CLOSE, CONNECT, connectPayload, DATA } from "../rig/naive_v1/link.ts";
import { NaiveDevice } from "../rig/naive_v1/device.ts";
import { digest, noise } from "../rig/bytes.ts";
import { FakeClock } from "../rig/clock.ts";
import { startV1Device, startV1Server } from "../rig/v1/relay.ts";
import { playServer } from "../rig/v1/scripted.ts";
import { echoService, Service } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";
import { portOf } from "../rig/ports.ts";

const MIB = 1024 * 1024;

/** Short, so that the tests are; long against what a reader needs that reads. */
const STALL = { stallTimeout: 1000 };

for (const player of ["our", "naive"] as const) {
  test(`slow: a client that never reads is ended as stalled, and one beside it gets all its data (${player} device)`, async () => {
    const wanted = noise(8 * MIB, 41);
    await using endless = new Service(async (stream) => {
      for (;;) await stream.write(new Uint8Array(64 * 1024));
    });
    await using finite = new Service((stream) => stream.write(wanted));
    await using server = await startV1Server([`127.0.0.1:${endless.port}`, `127.0.0.1:${finite.port}`], STALL);
    await using _device = player === "our"
      ? startV1Device(server.port, ["127.0.0.1:*"])
      : await NaiveDevice.start(server.port);
    const endlessPort = portOf((await server.events.next("host-open")).hostAddress);
    const finitePort = portOf((await server.events.next("host-open")).hostAddress);

    using _deaf = await Stream.connect(endlessPort);
    using reader = await Stream.connect(finitePort);
    assert.equal(await digest(await reader.readToEnd()), await digest(wanted));
    reader.close();
    const ends = [await server.events.next("client-end"), await server.events.next("client-end")];
    const reasons = new Map(ends.map((end) => [portOf(end.localAddress), end.reason]));
    assert.equal(reasons.get(endless.port), "stalled");
    assert.equal(reasons.get(finite.port), "service-closed");
    assert.equal(server.events.types.includes("link-down"), false);
  });
}

test("slow: a service that never reads is ended as stalled, and a client of another gets all its data", async () => {
  const wanted = noise(8 * MIB, 42);
  await using deaf = new Service();
  await using echo = echoService();
  await using server = await startV1Server([`127.0.0.1:${deaf.port}`, `127.0.0.1:${echo.port}`]);
  await using device = startV1Device(server.port, ["127.0.0.1:*"], STALL);
  const deafPort = portOf((await server.events.next("host-open")).hostAddress);
  const echoPort = portOf((await server.events.next("host-open")).hostAddress);

  using pusher = await Stream.connect(deafPort);
  const pushing = (async () => {
    for (;;) await pusher.write(new Uint8Array(64 * 1024));
  })().catch(() => "ended");
  using client = await Stream.connect(echoPort);
  const writing = client.write(wanted);
  assert.equal(await digest(await client.read(wanted.length)), await digest(wanted));
  await writing;
  const end = await device.events.next("channel-end");
  assert.deepEqual([portOf(end.service), end.reason], [deaf.port, "stalled"]);
  assert.equal((await pusher.readToEnd()).length, 0);
  pusher.close();
  assert.equal(await pushing, "ended");
  assert.equal(device.events.types.includes("lost"), false);
});

test("slow: a service that reads on before the stall time is over gets everything", async () => {
  const wanted = noise(24 * MIB, 43);
  const clock = new FakeClock();
  await using service = new Service();
  await using relay = await playServer(["*:*"], { ...STALL, clock });
  await relay.link.send(CONNECT, 1, connectPayload("127.0.0.1", service.port));
  using reader = await service.accept();
  const sending = (async () => {
    for (let at = 0; at < wanted.length; at += 60_000) await relay.link.send(DATA, 1, wanted.subarray(at, at + 60_000));
  })();
  await clock.armed(STALL.stallTimeout); // the link waits for the service
  clock.tick(STALL.stallTimeout - 1);
  assert.equal(await digest(await reader.read(wanted.length)), await digest(wanted));
  await sending;
  clock.tick(STALL.stallTimeout);
  await relay.link.send(CLOSE, 1);
  await relay.link.expect(CLOSE, 1);
  assert.equal((await reader.readToEnd()).length, 0);
  reader.close();
  assert.equal((await relay.device.events.next("channel-end")).reason, "client-closed");
});

test("slow: any number of clients that do not close after their service did keep those of another out of nothing", async () => {
  await using brief = new Service((stream) => stream.closeWrite());
  await using echo = echoService();
  await using server = await startV1Server([`127.0.0.1:${brief.port}`, `127.0.0.1:${echo.port}`]);
  await using _device = startV1Device(server.port, ["127.0.0.1:*"]);
  const briefPort = portOf((await server.events.next("host-open")).hostAddress);
  const echoPort = portOf((await server.events.next("host-open")).hostAddress);
  await using held = new AsyncDisposableStack();
  for (let n = 0; n < MAX_LEAVING_CHANNELS + 10; n++) {
    const lingerer = held.adopt(await Stream.connect(briefPort), (stream) => stream.close());
    assert.equal((await lingerer.readToEnd()).length, 0);
  }
  using client = await Stream.connect(echoPort);
  await client.write(Uint8Array.of(1, 2, 3));
  assert.deepEqual(await client.read(3), Uint8Array.of(1, 2, 3));
});
