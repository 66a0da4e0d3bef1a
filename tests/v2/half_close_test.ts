/**
 * One direction that ends before the other, and ends that are not orderly, on v2.
 *
 * @module
 */

import assert from "node:assert/strict";
import { digest, noise } from "../rig/bytes.ts";
import { Service } from "../rig/service.ts";
import { test } from "../rig/test.ts";
import { local, SECURITIES, startV2Relay } from "../rig/v2/relay.ts";
import { ResettingClient, ResettingService } from "../rig/v2/resets.ts";

const MIB = 1024 * 1024;

for (const security of SECURITIES) {
  test(`v2 half-close, ${security}: a client that ends first gets its whole reply, however long it takes`, async () => {
    const reply = noise(6 * MIB, 21);
    await using service = new Service(async (stream) => {
      assert.equal((await stream.readToEnd()).length, 7, "the service sees the end before it replies");
      await stream.write(reply);
    });
    await using relay = await startV2Relay({ security, services: [local("svc", service)] });
    using client = await relay.connect("svc");
    await client.write("request");
    await client.closeWrite();
    assert.equal(await digest(await client.readToEnd()), await digest(reply));
    client.close();
    assert.equal((await relay.server.events.next("client-end")).reason, "client-closed");
    assert.equal((await relay.device.events.next("channel-end")).reason, "client-closed");
  });

  test(`v2 half-close, ${security}: when the service ends first, the client may go on sending`, async () => {
    const last = noise(300_000, 22);
    const more = noise(3 * MIB, 23);
    await using service = new Service();
    await using relay = await startV2Relay({ security, services: [local("svc", service)] });
    using client = await relay.connect("svc");
    using accepted = await service.accept();
    await accepted.write(last);
    await accepted.closeWrite();
    assert.equal(await digest(await client.readToEnd()), await digest(last));
    const [got] = await Promise.all([
      accepted.readToEnd(),
      client.write(more).then(() => client.closeWrite()),
    ]);
    assert.equal(await digest(got), await digest(more));
    assert.equal((await relay.server.events.next("client-end")).reason, "service-closed");
    assert.equal((await relay.device.events.next("channel-end")).reason, "service-closed");
    assert.equal(relay.server.handle.devices()[0]?.clients, 0);
  });

  test(`v2 half-close, ${security}: a reply that its client reads slowly is whole although the service has gone`, async () => {
    const reply = noise(4 * MIB, 24);
    await using service = new Service((stream) => stream.write(reply));
    await using relay = await startV2Relay({ security, services: [local("svc", service)] });
    using client = await relay.connect("svc");
    const head = await client.read(1000); // and then nothing until the service has written all and closed
    assert.deepEqual(head, reply.subarray(0, 1000));
    assert.equal(await digest(await client.readToEnd()), await digest(reply.slice(1000)));
  });
}

test("v2 half-close: a client that ends before its service is reached has its bytes and its end delivered", async () => {
  const reply = noise(200_000, 25);
  await using service = new Service(async (stream) => {
    const request = await stream.readToEnd();
    await stream.write(request);
    await stream.write(reply);
  });
  await using relay = await startV2Relay({ services: [local("svc", service)] });
  for (let round = 0; round < 20; round++) {
    using client = await relay.connect("svc");
    await client.write("early");
    await client.closeWrite();
    const got = await client.readToEnd();
    assert.equal(new TextDecoder().decode(got.subarray(0, 5)), "early");
    assert.equal(await digest(got.slice(5)), await digest(reply));
  }
});

test("v2 half-close: while one direction has ended, the other stays open for as long as both sides want", async () => {
  await using service = new Service();
  await using relay = await startV2Relay({ services: [local("svc", service)] });
  using client = await relay.connect("svc");
  using accepted = await service.accept();
  await client.closeWrite();
  assert.equal((await accepted.readToEnd()).length, 0);
  for (let n = 0; n < 5; n++) {
    await accepted.write(`piece ${n}`);
    assert.equal(await client.readText(7), `piece ${n}`);
  }
  assert.equal(relay.server.events.types.includes("client-end"), false);
  assert.equal(relay.server.handle.devices()[0]?.clients, 1);
  await accepted.closeWrite();
  assert.equal((await client.readToEnd()).length, 0);
  assert.equal((await relay.server.events.next("client-end")).reason, "client-closed");
});

test("v2 abort: a client that resets ends its service's connection, and both sides say so", async () => {
  await using service = new Service();
  await using relay = await startV2Relay({ services: [local("svc", service)] });
  using client = await ResettingClient.connect(await relay.hostPort("svc"));
  client.write("hello");
  using accepted = await service.accept();
  assert.equal(await accepted.readText(5), "hello");
  client.reset();
  assert.equal((await accepted.readToEnd()).length, 0);
  assert.equal((await relay.server.events.next("client-end")).reason, "client-reset");
  assert.equal((await relay.device.events.next("channel-end")).reason, "client-reset");
});

test("v2 abort: a client that resets frees a service that was still sending to it", async () => {
  const done = Promise.withResolvers<string>();
  await using service = new Service(async (stream) => {
    try {
      for (;;) await stream.write(new Uint8Array(64 * 1024));
    } catch {
      done.resolve("freed");
    }
  });
  await using relay = await startV2Relay({ services: [local("svc", service)] });
  using client = await ResettingClient.connect(await relay.hostPort("svc"));
  await client.readSome();
  client.reset();
  assert.equal((await relay.server.events.next("client-end")).reason, "client-reset");
  assert.equal((await relay.device.events.next("channel-end")).reason, "client-reset");
  assert.equal(await done.promise, "freed");
});

test("v2 abort: a service that resets ends its client at once, with the reason on both sides", async () => {
  await using service = await ResettingService.start("welcome");
  await using relay = await startV2Relay({ services: [local("svc", service)] });
  using client = await relay.connect("svc");
  await client.write("one");
  assert.equal(await client.readText(7), "welcome");
  await client.write("two");
  assert.equal((await client.readToEnd()).length, 0);
  assert.equal((await relay.device.events.next("channel-end")).reason, "service-reset");
  assert.equal((await relay.server.events.next("client-end")).reason, "service-reset");
});
