/**
 * Ends that no peer meant are resets, at the client and at the service: nobody takes a part for the whole.
 *
 * @module
 */

import assert from "node:assert/strict";
import { CHANNEL_END_REASONS } from "../protocol/reasons.ts";
import { isOrderly } from "../relay/channel_end.ts";
import { noise } from "./rig/bytes.ts";
import { unmeantEnd } from "./rig/engine.ts";
import { startV1Device, startV1Server } from "./rig/v1/relay.ts";
import { Service } from "./rig/service.ts";
import { Stream } from "./rig/stream.ts";
import { test } from "./rig/test.ts";
import { ResettingClient, ResettingService } from "./rig/v2/resets.ts";
import { local, SECURITIES, startV2Relay } from "./rig/v2/relay.ts";
import { freePort } from "./rig/ports.ts";

test("resets: two ends are orderly, and every other one is a reset", async () => {
  assert.deepEqual(CHANNEL_END_REASONS.filter(isOrderly), ["client-closed", "service-closed"]);
  await Promise.resolve();
});

for (const security of SECURITIES) {
  test(`resets, v2 ${security}: a service that resets resets its client, who has what came before`, async () => {
    await using service = await ResettingService.start("welcome");
    await using relay = await startV2Relay({ security, services: [local("svc", service)] });
    using client = await relay.connect("svc");
    await client.write("hello");
    assert.equal(await client.readText(7), "welcome");
    await client.write("again");
    assert.equal((await client.readToItsEnd()).end, unmeantEnd);
  });

  test(`resets, v2 ${security}: an orderly end is none, with all that went before it`, async () => {
    await using service = new Service();
    await using relay = await startV2Relay({ security, services: [local("svc", service)] });
    using client = await relay.connect("svc");
    await client.write("x");
    using accepted = await service.accept();
    await accepted.read(1); // with bytes unread its close would be a reset
    await accepted.write(noise(500_000, 1));
    accepted.close();
    const { bytes, end } = await client.readToItsEnd();
    assert.deepEqual([bytes.length, end], [500_000, "orderly"]);
  });
}

test("resets, v2: what the system still has of an orderly end outlives the close", async () => {
  await using service = new Service();
  await using relay = await startV2Relay({ services: [local("svc", service)] });
  using client = await relay.connect("svc");
  await client.write("x");
  await client.closeWrite();
  using accepted = await service.accept();
  await accepted.readToEnd();
  await accepted.write(noise(1_000_000, 1)); // more than a client is sent that does not read yet
  accepted.close();
  assert.equal((await relay.server.events.next("client-end")).reason, "client-closed");
  const { bytes, end } = await client.readToItsEnd();
  assert.deepEqual([bytes.length, end], [1_000_000, "orderly"]);
});

test("resets, v2: a client that resets resets its service", async () => {
  await using service = new Service();
  await using relay = await startV2Relay({ services: [local("svc", service)] });
  using client = await ResettingClient.connect(await relay.hostPort("svc"));
  client.write("hello");
  using accepted = await service.accept();
  assert.equal(await accepted.readText(5), "hello");
  client.reset();
  assert.equal((await accepted.readToItsEnd()).end, unmeantEnd);
});

test("resets, v2: a client that ended its side and then resets is gone, though its service never says anything", async () => {
  await using service = new Service();
  await using relay = await startV2Relay({ services: [local("svc", service)] });
  using client = await ResettingClient.connect(await relay.hostPort("svc"));
  client.write("hello");
  using accepted = await service.accept();
  assert.equal(await accepted.readText(5), "hello");
  await client.closeWrite();
  await accepted.readToEnd(); // its end has been passed on, and nothing of the client is read any more
  client.reset();
  assert.equal((await relay.server.events.next("client-end")).reason, "client-reset");
  // It had read the end of its client: that the connection is over is shown to whoever writes.
  await assert.rejects(async () => {
    for (;;) await accepted.write("x".repeat(65_536));
  });
});

test("resets, v2: a service that ended its side and then resets is gone, though its client never says anything", async () => {
  await using service = await ResettingService.start("welcome", { endsFirst: true });
  await using relay = await startV2Relay({ services: [local("svc", service)] });
  using client = await relay.connect("svc");
  await client.write("hello");
  assert.equal((await client.readToEnd()).length, 7);
  service.reset();
  assert.equal((await relay.server.events.next("client-end")).reason, "service-reset");
});

test("resets, v2: a client whose service cannot be reached is reset", async () => {
  await using relay = await startV2Relay({ services: [local("svc", { port: freePort("127.0.0.1") })] });
  // The runtime, which plays the client, may see the reset before it has made anything of the connection.
  const end = await relay.connect("svc").then(async (connected) => {
    using client = connected;
    return (await client.readToItsEnd()).end;
  }, (error) => error instanceof Deno.errors.ConnectionReset ? "reset" : `${error}`);
  assert.equal(end, unmeantEnd);
});

test("resets, v2: at the end of a session that does not go on, both ends are reset", async () => {
  await using service = new Service();
  await using relay = await startV2Relay({ services: [local("svc", service)] });
  using client = await relay.connect("svc");
  await client.write("hello");
  using accepted = await service.accept();
  assert.equal(await accepted.readText(5), "hello");
  relay.device.handle.close();
  assert.equal((await client.readToItsEnd()).end, unmeantEnd);
  assert.equal((await accepted.readToItsEnd()).end, unmeantEnd);
});

test("resets, v2: at a shutdown what came is delivered, and then the client is reset", async () => {
  await using service = new Service();
  await using relay = await startV2Relay({ services: [local("svc", service)] });
  using client = await relay.connect("svc");
  await client.write("hello");
  using accepted = await service.accept();
  await accepted.write(noise(100_000, 3));
  assert.equal((await client.read(1)).length, 1); // it is under way, and the device ends before it is through
  relay.device.handle.shutdown();
  const { bytes, end } = await client.readToItsEnd();
  assert.equal(end, unmeantEnd);
  assert.ok(bytes.length < 100_000, "the first piece was taken above");
});

test("resets, v1: both ends of a link that is lost are reset, and those of an orderly end are not", async () => {
  await using service = new Service();
  await using server = await startV1Server([`127.0.0.1:${service.port}`]);
  await using device = startV1Device(server.port, [`127.0.0.1:${service.port}`]);
  const open = await server.events.next("host-open");
  const port = Number(open.hostAddress.split(":").at(-1));

  using whole = await Stream.connect(port);
  await whole.write("hello");
  using first = await service.accept();
  assert.equal(await first.readText(5), "hello");
  first.close();
  assert.equal((await whole.readToItsEnd()).end, "orderly");

  using client = await Stream.connect(port);
  await client.write("hello");
  using accepted = await service.accept();
  assert.equal(await accepted.readText(5), "hello");
  device.handle.close();
  assert.equal((await client.readToItsEnd()).end, unmeantEnd);
  assert.equal((await accepted.readToItsEnd()).end, unmeantEnd);
});
