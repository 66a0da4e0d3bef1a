/**
 * Services that cannot be reached: the client is ended at once, and everybody hears why.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { ChannelReceiver } from "../../protocol/channel.ts";
import type { ChannelEndReason } from "../../protocol/reasons.ts";
import { createIdentity } from "../../net/tls/identity.ts";
import { noise } from "../rig/bytes.ts";
import { FakeClock } from "../rig/clock.ts";
import { echoService, Service } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";
import { freePort, refusesClients } from "../rig/ports.ts";
import { local, SECURITIES, startV2Device, startV2Relay, type V2Relay } from "../rig/v2/relay.ts";
import { FullPort } from "../rig/v2/resets.ts";
import { PlayedServer } from "../rig/v2/server_peer.ts";
import { within } from "../rig/wait.ts";

/** Both sides' events and logs have the reason. */
async function assertRefused(relay: V2Relay, reason: ChannelEndReason, error: RegExp): Promise<void> {
  const onServer = await relay.server.events.next("client-end");
  assert.equal(onServer.reason, reason);
  assert.match(onServer.error ?? "", error);
  assert.equal(onServer.bytesDown, 0);
  assert.equal(relay.server.log.matching(new RegExp(`client ${onServer.client} of .*${reason} \\(.+\\)`)).length, 1);
  const onDevice = await relay.device.events.next("channel-end");
  assert.equal(onDevice.reason, reason);
  assert.match(onDevice.error ?? "", error);
  assert.equal(relay.device.log.matching(new RegExp(`warn: client ${onServer.client} .*${reason}`)).length, 1);
}

for (const security of SECURITIES) {
  test(`v2 refusal, ${security}: the client of a service that refuses is ended at once, whatever it has sent`, async () => {
    const gone = { hostname: "127.0.0.74", port: freePort("127.0.0.74") };
    await using relay = await startV2Relay({ security, services: [local("gone", gone)] });
    for (const bytes of [0, 10, 200_000]) {
      using client = await relay.connect("gone");
      await client.write(noise(bytes, 1)).catch(() => {}); // it may have been ended meanwhile
      assert.equal((await client.readToEnd()).length, 0);
      await assertRefused(relay, "service-refused", /refused/i);
    }
    assert.equal(relay.server.events.types.includes("link-down"), false);
  });
}

test("v2 refusal: a service that no route leads to is unreachable", async () => {
  await using relay = await startV2Relay({ services: ["far=127.255.255.255:9"] }); // a broadcast address
  using client = await relay.connect("far");
  assert.equal((await client.readToEnd()).length, 0);
  await assertRefused(relay, "service-unreachable", /unreachable/);
});

test("v2 refusal: a service whose name means nothing is unreachable", async () => {
  await using relay = await startV2Relay({ services: ["far=nothing.invalid:9"] });
  using client = await relay.connect("far");
  assert.equal((await client.readToEnd()).length, 0);
  await assertRefused(relay, "service-unreachable", /nothing\.invalid|lookup|not known/);
});

test("v2 refusal: a service that does not answer within its connect time ends the client, and no sooner", async () => {
  const clock = new FakeClock();
  await using full = await FullPort.open();
  await using relay = await startV2Relay({
    services: [local("slow", full, "connect-timeout=3000")],
    device: { clock, keepAlive: { idleTimeout: -1, probeInterval: 1000, probeCount: 0 } },
  });
  using client = await relay.connect("slow");
  await clock.armed(3000);
  clock.tick(2999);
  assert.equal(relay.device.events.types.includes("channel-end"), false);
  clock.tick(1);
  assert.equal((await client.readToEnd()).length, 0);
  await assertRefused(relay, "connect-timeout", /no answer within 3 s/);
});

test("v2 refusal: beyond the device's own limit for a service clients are ended, until one leaves", async () => {
  await using echo = echoService();
  await using relay = await startV2Relay({ services: [local("echo", echo, "max-clients=2")] });
  const [first, second] = [await relay.connect("echo"), await relay.connect("echo")];
  for (const client of [first, second]) {
    await client.write("x");
    await client.read(1);
  }
  using third = await relay.connect("echo");
  assert.equal((await third.readToEnd()).length, 0);
  await assertRefused(relay, "too-many-channels", /2 clients are the most for echo/);
  first.close();
  assert.equal((await relay.device.events.next("channel-end")).reason, "client-closed");
  using fourth = await relay.connect("echo");
  await fourth.write("y");
  assert.equal(await fourth.readText(1), "y");
  second.close();
});

test("v2 refusal: the port of a service that is to be closed while it is down refuses clients in the kernel", async () => {
  const clock = new FakeClock();
  const address = { hostname: "127.0.0.75", port: freePort("127.0.0.75") };
  await using relay = await startV2Relay({
    services: [local("web", address, "down=refuse")],
    device: { clock, keepAlive: { idleTimeout: -1, probeInterval: 1000, probeCount: 0 } },
  });
  await relay.device.events.next("online");
  assert.deepEqual(relay.device.handle.status.services.map(({ offered, up }) => [offered, up]), [[false, false]]);
  assert.equal(relay.server.events.types.includes("host-open"), false);
  const told = () => relay.device.log.matching(/service web is down/).length;
  assert.equal(told(), 1);

  let hostPort = 0;
  {
    await using _web = echoService(address);
    await clock.armed(2000); // the next look
    clock.tick(2000);
    hostPort = await relay.hostPort("web");
    using client = await relay.connect("web");
    await client.write("up");
    assert.equal(await client.readText(2), "up");
  }
  using last = await Stream.connect(hostPort); // the first that finds it down is how the device learns of it
  assert.equal((await last.readToEnd()).length, 0);
  await refusesClients(hostPort);
  assert.equal(relay.device.handle.status.services[0]?.up, false);
  assert.equal(told(), 2);
});

test("v2 refusal: a watched service stays up when clients give up while it is being dialled", async () => {
  const clock = new FakeClock();
  await using service = new Service();
  await using server = await PlayedServer.start();
  await using device = startV2Device(server, await createIdentity(), [local("svc", service, "down=refuse")], {
    clock,
    keepAlive: { idleTimeout: -1, probeInterval: 1000, probeCount: 0 },
  });
  const link = await server.link();
  await link.offers();
  for (let round = 0; round < 20; round++) {
    const channel = link.link.open(0, "192.0.2.1:5000", "192.0.2.2:22")!;
    channel.receiver = new Receiver();
    channel.close("client-reset"); // in the same segment as its CONNECT
    await device.events.next("channel-end");
  }
  assert.deepEqual(device.handle.status.services.map(({ offered, up }) => [offered, up]), [[true, true]]);
  assert.deepEqual(device.log.matching(/is down/), []);
});

test("v2 refusal: a CONNECT for a service that the device does not have is not allowed", async () => {
  await using echo = echoService();
  await using server = await PlayedServer.start();
  await using device = startV2Device(server, await createIdentity(), [local("echo", echo)]);
  const link = await server.link();
  await link.offers();
  const channel = link.link.open(77, "192.0.2.1:5000", "192.0.2.2:22")!;
  const receiver = new Receiver();
  channel.receiver = receiver;
  assert.match(await link.unreachable(), /there is no service 77/);
  assert.equal(await receiver.ended, "not-allowed");
  const end = await device.events.next("channel-end");
  assert.deepEqual([end.reason, end.service, end.client], ["not-allowed", "", "192.0.2.1:5000"]);
  assert.equal(echo.accepted, 0);
});

/** Hears how a channel ends. */
class Receiver implements ChannelReceiver {
  readonly #ended = Promise.withResolvers<ChannelEndReason>();
  readonly onEnd = this.#ended.resolve;
  onData(): void {}

  get ended(): Promise<ChannelEndReason> {
    return within(this.#ended.promise, "the end of a channel");
  }
}
