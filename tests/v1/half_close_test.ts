/**
 * One direction that ends before the other, which v1 cannot carry.
 *
 * @module
 */

import assert from "node:assert/strict";
import { HALF_CLOSE_LOOK_MS } from "../../relay/limits.ts";
import { HELD_IN_FULL } from "../../server/limits.ts";
import { isNative, unmeantEnd } from "../rig/engine.ts";
import { CLOSE, CONNECT, DATA } from "../rig/naive_v1/link.ts";
import { ascii, digest, noise } from "../rig/bytes.ts";
import { FakeClock } from "../rig/clock.ts";
import { type Player, startV1Relay } from "../rig/v1/relay.ts";
import { playDevice } from "../rig/v1/scripted.ts";
import { Service } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";

const TARGET = ["10.0.0.1:23"];

for (const device of ["our", "naive"] as Player[]) {
  const who = `our server, ${device} device`;

  test(`half-close, ${who}: a client that shut down its writing side still gets its whole reply`, async () => {
    const reply = noise(2 * 1024 * 1024, 21);
    await using service = new Service(async (stream) => {
      await stream.read(7);
      await stream.write(reply);
    });
    await using relay = await startV1Relay({ server: "our", device, servicePort: service.port });
    using client = await relay.connect();
    await client.write("request");
    await client.closeWrite();
    assert.equal(await digest(await client.readToEnd()), await digest(reply));
    assert.deepEqual(relay.violations(), []);
  });

  test(`half-close, ${who}: a service that shuts down its writing side has its last bytes delivered`, async () => {
    const last = noise(300_000, 22);
    await using service = new Service();
    await using relay = await startV1Relay({ server: "our", device, servicePort: service.port });
    using client = await relay.connect();
    using accepted = await service.accept();
    await Promise.all([
      accepted.write(last).then(() => accepted.closeWrite()),
      client.readToEnd().then(async (got) => {
        assert.equal(await digest(got), await digest(last));
      }),
    ]);
    client.close();
    assert.equal((await accepted.readToEnd()).length, 0, "the channel ends as a whole, as on v1 it must");
    assert.deepEqual(relay.violations(), []);
  });
}

test("half-close: no CLOSE goes out while the reply may come, and the device's own CLOSE ends the client", async () => {
  const clock = new FakeClock();
  await using relay = await playDevice(TARGET, { clock });
  const { link } = relay;
  using client = await Stream.connect(relay.hostPorts[0]!);
  await link.expect(CONNECT, 1);
  await client.write("request");
  await client.closeWrite();
  assert.deepEqual((await link.expect(DATA, 1)).payload, ascii("request"));
  await clock.armed(5000);
  await link.settled(200); // nothing but this answer
  await link.send(DATA, 1, ascii("reply"));
  await link.send(CLOSE, 1);
  await link.expect(CLOSE, 1);
  assert.deepEqual(await client.readToEnd(), ascii("reply"));
  assert.equal((await relay.server.events.next("client-end")).reason, "client-closed");
});

test("half-close: five seconds without a byte reset the client, and each byte starts them anew", async () => {
  const clock = new FakeClock();
  await using relay = await playDevice(TARGET, { clock });
  const { link } = relay;
  using client = await Stream.connect(relay.hostPorts[0]!);
  await link.expect(CONNECT, 1);
  await client.closeWrite();
  await clock.armed(5000);
  clock.tick(4000);
  await link.send(DATA, 1, ascii("still here"));
  assert.equal(await client.readText(10), "still here");
  clock.tick(4000);
  await link.settled(200);
  await clock.armed(4000);
  clock.tick(1000);
  await link.expect(CLOSE, 1);
  assert.deepEqual(await client.readToItsEnd(), { bytes: new Uint8Array(0), end: unmeantEnd });
  assert.equal((await relay.server.events.next("client-end")).reason, "client-finished");
});

test("half-close: a client that has closed as a whole is ended soon after the first bytes for it", async () => {
  const clock = new FakeClock();
  await using relay = await playDevice(TARGET, { clock });
  const { link } = relay;
  const client = await Stream.connect(relay.hostPorts[0]!);
  await link.expect(CONNECT, 1);
  client.close();
  // The native engine is told by the system; with the portable one it is looked at.
  await clock.armed(isNative ? 5000 : HALF_CLOSE_LOOK_MS);
  if (!isNative) clock.tick(HALF_CLOSE_LOOK_MS);
  await link.settled(200); // it may still want them
  await link.send(DATA, 1, ascii("x"));
  if (!isNative) await link.settled(200);
  if (!isNative) clock.tick(HALF_CLOSE_LOOK_MS);
  await link.expect(CLOSE, 1);
  assert.equal((await relay.server.events.next("client-end")).reason, "client-closed");
});

test("half-close: of many clients that have closed only some are held for the whole time", async () => {
  const clock = new FakeClock();
  await using relay = await playDevice(TARGET, { clock });
  const { link } = relay;
  const ids: number[] = [];
  for (let n = 0; n < HELD_IN_FULL * 2; n++) {
    const client = await Stream.connect(relay.hostPorts[0]!);
    ids.push(await link.expectConnect());
    client.close();
  }
  await clock.armed(5000, ids.length);
  clock.tick(3000);
  const stay = Math.floor(HELD_IN_FULL * 5000 / 3000); // each has its 3 of 5 seconds, then
  const closed = new Set<number>();
  while (closed.size < ids.length - stay) {
    const { command, id } = await link.next();
    assert.equal(command, CLOSE);
    closed.add(id);
    await link.send(CLOSE, id);
  }
  await link.settled(200); // the others are still there
  assert.deepEqual([...closed].sort((a, b) => a - b), ids.slice(0, closed.size));
});

test("half-close: with a time of 0 a client that shuts down its writing side is ended at once, as by the originals", async () => {
  await using relay = await playDevice(TARGET, { halfCloseTimeout: 0 });
  using client = await Stream.connect(relay.hostPorts[0]!);
  await relay.link.expect(CONNECT, 1);
  await client.closeWrite();
  await relay.link.expect(CLOSE, 1);
  assert.equal((await client.readToEnd()).length, 0);
  assert.equal((await relay.server.events.next("client-end")).reason, "client-closed");
});

test("half-close: clients that only wait for a reply make room when the ids run out", async () => {
  await using relay = await playDevice(TARGET);
  const { link } = relay;
  using finished = await Stream.connect(relay.hostPorts[0]!);
  const oldest = await link.expectConnect();
  await finished.write("x");
  await finished.closeWrite();
  await link.expect(DATA, oldest);
  const others: Stream[] = [];
  for (let n = 0; n < 224; n++) {
    others.push(await Stream.connect(relay.hostPorts[0]!));
    await link.expectConnect();
  }
  await link.expect(CLOSE, oldest);
  assert.equal((await finished.readToEnd()).length, 0);
  for (const other of others) other.close();
});
