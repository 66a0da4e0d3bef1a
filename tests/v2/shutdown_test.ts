/**
 * Orderly ends: of a server, of a device, and of a server that comes back.
 *
 * @module
 */

import assert from "node:assert/strict";
import { serve } from "../../mod.ts";
import { createIdentity } from "../../net/tls/identity.ts";
import { digest, noise } from "../rig/bytes.ts";
import { FakeClock } from "../rig/clock.ts";
import { echoService, Service } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";
import { portOf, refusesClients } from "../rig/ports.ts";
import { authorized, local, SECURITIES, startV2Device, startV2Relay, startV2Server } from "../rig/v2/relay.ts";
import { within } from "../rig/wait.ts";
import { Directory } from "../rig/v2/directory.ts";

for (const security of SECURITIES) {
  test(`v2 shutdown, ${security}: a server says goodbye, and leaves nothing open`, async () => {
    await using echo = echoService();
    await using relay = await startV2Relay({ security, services: [local("echo", echo)] });
    const port = await relay.hostPort("echo");
    using client = await Stream.connect(port);
    await client.write("x");
    await client.read(1);
    const { server, device } = relay;
    const shutdown = within(server.handle.shutdown(), "the server's shutdown");
    assert.equal((await client.readToEnd()).length, 0);
    client.close();
    await shutdown;
    const lost = await device.events.next("lost");
    assert.deepEqual([lost.reason, lost.detail], ["goodbye", "shutting-down: the server is shutting down"]);
    assert.equal((await device.events.next("channel-end")).reason, "shutting-down");
    assert.equal((await server.events.next("client-end")).reason, "shutting-down");
    assert.equal((await server.events.next("link-down")).reason, "shutting-down");
    await refusesClients(port);
    await refusesClients(server.port);
    assert.equal(server.directory.subscribers, 0, "nobody listens to the list any more");
  });

  test(`v2 shutdown, ${security}: a device says goodbye, and its clients get what was on the way`, async () => {
    const reply = noise(1_000_000, 5);
    await using service = new Service();
    await using relay = await startV2Relay({ security, services: [local("svc", service)] });
    using client = await relay.connect("svc");
    using accepted = await service.accept();
    const writing = accepted.write(reply);
    const got = client.read(reply.length);
    await writing;
    assert.equal(await digest(await got), await digest(reply));
    const shutdown = within(relay.device.handle.shutdown(), "the device's shutdown");
    assert.equal((await client.readToEnd()).length, 0);
    assert.equal((await accepted.readToEnd()).length, 0);
    accepted.close();
    await shutdown;
    const down = await relay.server.events.next("link-down");
    assert.deepEqual([down.reason, down.detail], ["goodbye", "shutting-down: the device is shutting down"]);
    assert.equal((await relay.server.events.next("client-end")).reason, "shutting-down");
    assert.equal(relay.device.handle.state, "closed");
    assert.deepEqual(relay.server.handle.devices().map(({ online, services }) => [online, services]), [[false, []]]);
  });

  test(`v2 shutdown, ${security}: a server that restarts has its devices back on the same ports`, async () => {
    await using echo = echoService();
    const directory = new Directory();
    const identity = await createIdentity();
    const own = await createIdentity();
    const kept = new Map<string, number>();
    const ports = {
      get: (device: string, service: string) => kept.get(`${device}/${service}`),
      set: (device: string, service: string, port: number) => void kept.set(`${device}/${service}`, port),
    };
    directory.put(authorized("gw1", identity, ["echo=127.0.0.1:0"]));
    const first = await startV2Server({ security, identity: own, directory, ports });
    await using device = startV2Device(first, identity, [local("echo", echo)], { random: () => 0 });
    const { hostAddress } = await device.events.next("service");
    await first.handle.shutdown();
    await device.events.next("lost");
    await using _second = await startV2Server({ security, identity: own, directory, ports, port: first.port });
    const again = await device.events.next("service");
    assert.equal(again.hostAddress, hostAddress);
    using client = await Stream.connect(kept.get("gw1/echo")!);
    await client.write("x");
    assert.equal(await client.readText(1), "x");
  });
}

test("v2 shutdown: a server that is killed is dialled until it is back", async () => {
  const directory = new Directory();
  const identity = await createIdentity();
  const own = await createIdentity();
  directory.put(authorized("gw1", identity, []));
  const first = await startV2Server({ identity: own, directory });
  await using device = startV2Device(first, identity, [], { random: () => 0 });
  await device.events.next("online");
  await first[Symbol.asyncDispose]();
  await device.events.next("lost");
  assert.match((await device.events.next("dial-failed")).error, /refused/);
  await using _second = await startV2Server({ identity: own, directory, port: first.port });
  await device.events.next("online");
});

test("v2 shutdown: another server in the place of the one that was known is not trusted", async () => {
  for (const security of SECURITIES) {
    const directory = new Directory();
    const identity = await createIdentity();
    directory.put(authorized("gw1", identity, []));
    await using impostor = await startV2Server({ security, directory });
    const known = { ...impostor, identity: await createIdentity() };
    await using device = startV2Device(known, identity, []);
    const failed = await device.events.next("dial-failed");
    assert.match(
      failed.error,
      security === "tls" ? /proved another key than the one/ : /the server did not prove the key/,
    );
    assert.equal(impostor.events.types.includes("link-up"), false);
  }
});

test("v2 shutdown: a device that is closed while it is in its handshake leaves nothing behind", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const server = { identity: await createIdentity(), security: "plain" as const, port: listener.addr.port };
  const device = startV2Device(server, await createIdentity(), []);
  using mute = new Stream(await listener.accept());
  await mute.read(8);
  assert.equal(device.handle.state, "handshaking");
  await device[Symbol.asyncDispose]();
  assert.equal(device.handle.state, "closed");
  await mute.readToEnd();
  listener.close();
});

test("v2 shutdown: a server that does not answer the handshake is given up after 10 s", async () => {
  const clock = new FakeClock();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const server = { identity: await createIdentity(), security: "plain" as const, port: listener.addr.port };
  await using device = startV2Device(server, await createIdentity(), [], { clock, reconnect: false });
  using mute = new Stream(await listener.accept());
  await mute.read(8);
  await clock.armed(10_000);
  clock.tick(10_000);
  assert.match((await device.events.next("dial-failed")).error, /did not finish the handshake within 10 s/);
  await device.handle.closed;
  listener.close();
});

for (const how of ["shutdown", "close"] as const) {
  test(`v2 shutdown: a device may ${how} as soon as it hears that it is online`, async () => {
    const identity = await createIdentity();
    const directory = new Directory();
    directory.put(authorized("gw1", identity, []));
    await using server = await startV2Server({ directory });
    await using device = startV2Device(server, identity, []);
    device.handle.subscribe((event) => {
      if (event.type === "online") device.handle[how]();
    });
    await within(device.handle.closed, "the device's end");
    await server.events.next("link-down");
  });
}

for (const how of ["close", "shutdown"] as const) {
  test(`serve: a server of which somebody asks to ${how} before it is ready has nothing open after that`, async () => {
    const identity = await createIdentity();
    const address = { host: "127.0.0.1", port: 0 };
    const pinned = { kind: "pinned" as const, keyPair: identity.keyPair };
    for (const turns of [0, 1, 2]) {
      const server = serve({
        listen: [
          { profile: "v2", address, security: pinned },
          { profile: "v1", address, forwards: [] },
          { profile: "v2", address, security: pinned },
        ],
        v2: { identity, devices: new Directory() },
      });
      for (let n = 0; n < turns; n++) await undefined; // the first certificate is being made
      server[how]();
      await within(server.closed, "the end of the server");
      await assert.rejects(server.ready, /^Error: Cannot become ready: the server is closed$/);
      for (const bound of server.addresses) await refusesClients(portOf(bound));
    }
  });
}
