/**
 * A second device at a listener that has one, and host ports through it all.
 *
 * @module
 */

import assert from "node:assert/strict";
import { TAKE_OVER_PROBE_MS } from "../../server/limits.ts";
import { CLOSE, CONNECT, DATA, LISTEN } from "../rig/naive_v1/link.ts";
import { NaiveDevice } from "../rig/naive_v1/device.ts";
import { ascii } from "../rig/bytes.ts";
import { FakeClock } from "../rig/clock.ts";
import { startV1Device, startV1Server } from "../rig/v1/relay.ts";
import { dialAsDevice, ScriptedLink } from "../rig/v1/scripted.ts";
import { echoService } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";
import { freePort } from "../rig/ports.ts";

const TARGET = "10.0.0.1:23";

/** Writes without end; `full` resolves when nothing has been taken for a while, as the way to the device is full. */
function upload(client: Stream): { readonly full: Promise<void>; readonly ended: Promise<void> } {
  const { promise: full, resolve } = Promise.withResolvers<void>();
  const ended = (async () => {
    const bytes = new Uint8Array(1 << 20);
    try {
      for (;;) {
        const timer = setTimeout(resolve, 500);
        await client.write(bytes).finally(() => clearTimeout(timer));
      }
    } catch {
      resolve(); // closed
    }
  })();
  return { full, ended };
}

test("take-over: while the first device answers, a second one is refused, and the first one's clients go on", async () => {
  await using service = echoService();
  await using server = await startV1Server([`127.0.0.1:${service.port}@127.0.0.41:${freePort("127.0.0.41")}`]);
  await using _first = await NaiveDevice.start(server.port);
  const { hostAddress } = await server.events.next("host-open");
  using client = await Stream.connect(Number(hostAddress.split(":")[1]), "127.0.0.41");
  await client.write("before");
  assert.equal(await client.readText(6), "before");
  using second = await dialAsDevice(server.port);
  await second.expectEnd();
  assert.match((await server.events.next("refused")).why, /is linked and answers/);
  await client.write("after");
  assert.equal(await client.readText(5), "after");
  assert.equal(server.events.types.includes("link-down"), false);
});

test("take-over: our own device answers too, and the one that is refused says why it may be", async () => {
  await using server = await startV1Server([TARGET]);
  await using _first = startV1Device(server.port, ["*:*"]);
  await server.events.next("link-up");
  await using second = startV1Device(server.port, ["*:*"], { reconnect: false });
  assert.match((await server.events.next("refused")).why, /is linked and answers/);
  const lost = await second.events.next("lost");
  assert.equal(lost.reason, "peer-closed");
  await second.handle.closed;
  assert.equal(server.events.types.includes("link-down"), false);
});

test("take-over: when the first device is dead, the second one gets its place and the very same host port", async () => {
  const clock = new FakeClock();
  const port = freePort("127.0.0.42");
  await using server = await startV1Server([`${TARGET}@127.0.0.42:${port}`], { clock });
  using dead = await dialAsDevice(server.port); // it will not answer any more
  await server.events.next("host-open");
  using old = await Stream.connect(port, "127.0.0.42");
  await dead.expect(CONNECT, 1);

  using second = await dialAsDevice(server.port);
  await clock.armed(TAKE_OVER_PROBE_MS);
  using third = await dialAsDevice(server.port); // while the first is being asked
  await third.expectEnd();
  assert.match((await server.events.next("refused")).why, /^another device came just before/);
  clock.tick(TAKE_OVER_PROBE_MS);

  assert.equal((await server.events.next("link-down")).reason, "replaced");
  assert.equal((await old.readToEnd()).length, 0);
  old.close();
  assert.equal((await server.events.next("client-end")).reason, "link-lost");
  const { hostAddress } = await server.events.next("host-open");
  assert.equal(hostAddress, `127.0.0.42:${port}`);
  assert.equal(server.events.types.includes("host-failed"), false);
  using client = await Stream.connect(port, "127.0.0.42");
  await second.expect(CONNECT, 1);
  await client.write("for the second");
  assert.deepEqual((await second.expect(DATA, 1)).payload, ascii("for the second"));
});

test("take-over: bytes that wait for a dead device do not keep the one that comes back out", async () => {
  const clock = new FakeClock();
  const port = freePort("127.0.0.45");
  await using server = await startV1Server([`${TARGET}@127.0.0.45:${port}`], { clock });
  using dead = await dialAsDevice(server.port); // it reads nothing from here on
  await server.events.next("host-open");
  using client = await Stream.connect(port, "127.0.0.45");
  await dead.expect(CONNECT, 1);
  const { full, ended } = upload(client);
  await full;

  using _second = await dialAsDevice(server.port);
  await clock.armed(TAKE_OVER_PROBE_MS);
  clock.tick(TAKE_OVER_PROBE_MS);
  assert.equal((await server.events.next("link-down")).reason, "replaced");
  await server.events.next("host-open");
  assert.equal(server.events.types.includes("refused"), false);
  client.close();
  await ended;
});

test("take-over: a device that says nothing but takes what waits for it stays, and the newcomer hears just that", async () => {
  const clock = new FakeClock();
  const port = freePort("127.0.0.46");
  await using server = await startV1Server([`${TARGET}@127.0.0.46:${port}`], { clock });
  using slow = await dialAsDevice(server.port);
  await server.events.next("host-open");
  using client = await Stream.connect(port, "127.0.0.46");
  await slow.expect(CONNECT, 1);
  const { full, ended } = upload(client);
  await full;

  using second = await dialAsDevice(server.port);
  await clock.armed(TAKE_OVER_PROBE_MS);
  for (let taken = 0; taken < 16 << 20;) taken += (await slow.readSegment())!.length;
  clock.tick(TAKE_OVER_PROBE_MS);
  await second.expectEnd();
  assert.match(
    (await server.events.next("refused")).why,
    /^device \S+ is linked and takes what is sent to it; v1 has one/,
  );
  assert.equal(server.events.types.includes("link-down"), false);
  client.close();
  await ended;
});

test("take-over: with all client ids in use nobody claims that the device answers", async () => {
  const clock = new FakeClock();
  const port = freePort("127.0.0.48");
  await using server = await startV1Server([`${TARGET}@127.0.0.48:${port}`], { clock });
  using device = await dialAsDevice(server.port);
  await server.events.next("host-open");
  const clients = await Promise.all(Array.from({ length: 256 }, () => Stream.connect(port, "127.0.0.48")));
  for (let n = 0; n < 256; n++) await device.expectConnect();

  using second = await dialAsDevice(server.port);
  await clock.armed(TAKE_OVER_PROBE_MS);
  clock.tick(TAKE_OVER_PROBE_MS);
  await second.expectEnd();
  assert.match(
    (await server.events.next("refused")).why,
    /cannot be asked whether it lives while all client ids are in use/,
  );
  for (const client of clients) client.close();
});

test("take-over: a device that hung up makes room at once, again and again, on the same host port", async () => {
  const port = freePort("127.0.0.43");
  await using server = await startV1Server([`${TARGET}@127.0.0.43:${port}`]);
  for (let round = 0; round < 10; round++) {
    using device = await dialAsDevice(server.port);
    await server.events.next("host-open");
    using _client = await Stream.connect(port, "127.0.0.43");
    await device.expect(CONNECT, 1);
    device.close();
    await server.events.next("client-end");
  }
  assert.equal(server.events.types.includes("host-failed"), false);
  assert.equal(server.events.types.includes("refused"), false);
});

test("host port: one that is in use is told, does not take the others down, and is opened when it is free", async () => {
  const clock = new FakeClock();
  const blocker = Deno.listen({ hostname: "127.0.0.44", port: 0 });
  const address = `127.0.0.44:${blocker.addr.port}`;
  await using server = await startV1Server([`${TARGET}@${address}`, TARGET], { clock });
  using device = await dialAsDevice(server.port);
  const failed = await server.events.next("host-failed");
  assert.deepEqual([failed.hostAddress, failed.localAddress], [address, TARGET]);
  const other = await server.events.next("host-open");
  using first = await Stream.connect(Number(other.hostAddress.split(":")[1]));
  const id = await device.expectConnect();

  clock.tick(1000); // tried again, and nothing new
  blocker.close();
  clock.tick(2000);
  assert.equal((await server.events.next("host-open")).hostAddress, address);
  using _second = await Stream.connect(blocker.addr.port, "127.0.0.44");
  await device.expectConnect();
  await device.send(CLOSE, id);
  await device.expect(CLOSE, id);
  assert.equal((await first.readToEnd()).length, 0);
});

test("take-over: of two devices that come in the same moment, one is linked and the other is refused", async () => {
  for (let round = 0; round < 20; round++) {
    await using server = await startV1Server([TARGET]);
    const dial = () => Deno.connect({ hostname: "127.0.0.1", port: server.port });
    const links = (await Promise.all([dial(), dial()])).map((conn) => new ScriptedLink(conn));
    await Promise.all(links.map((link) => link.send(LISTEN, 0))); // both are there before the server's next turn
    const answering = links.map(async (link) => {
      for (let frame = await link.readFrame(); frame; frame = await link.readFrame()) await link.send(CLOSE, frame.id);
    });
    await server.events.next("refused");
    assert.equal(server.events.types.filter((type) => type === "link-up").length, 1);
    for (const link of links) link.close();
    await Promise.allSettled(answering);
  }
});
