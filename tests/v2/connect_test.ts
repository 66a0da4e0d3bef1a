/**
 * The command from outside: a device reaches an address for the server, within what its owner allows, for a time.
 *
 * @module
 */

import assert from "node:assert/strict";
import { ConnectError, ConnectionLostError, parseAllow } from "../../mod.ts";
import { CONNECT_FOR_MS } from "../../server/limits.ts";
import { FakeClock } from "../rig/clock.ts";
import { portOf, refusesClients } from "../rig/ports.ts";
import { echoService, Service } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";
import { startV2Relay } from "../rig/v2/relay.ts";

const OFF = { idleTimeout: -1, probeInterval: 1_000, probeCount: 0 };

/** A device that offers nothing, and allows `rules`. */
async function relayThat(rules: readonly string[], clock?: FakeClock) {
  const relay = await startV2Relay({
    services: [],
    serve: { expiration: 15_000, ...(clock && { clock, keepAlive: OFF }) },
    device: { random: () => 0, allow: rules.map(parseAllow), ...(clock && { keepAlive: OFF }) },
  });
  await relay.server.events.next("mode");
  return relay;
}

async function echoes(client: Stream): Promise<void> {
  await client.write("x");
  assert.equal(await client.readText(1), "x");
}

test("connect: an address of the device's network is reached at a host port of loopback, and it is told who asked", async () => {
  await using echo = echoService();
  await using relay = await relayThat([`127.0.0.1:${echo.port}`]);
  const { server } = relay;
  const to = `127.0.0.1:${echo.port}`;
  const made = await server.handle.device("gw1").connect(to, { reason: "ticket 7", by: "alice" });
  assert.equal(made.to, to);
  assert.match(made.hostAddress, /^127\.0\.0\.1:\d+$/);
  const told = await server.events.next("service-opened");
  assert.deepEqual([told.device, told.localAddress, told.to, told.reason, told.by, told.until], [
    ...["gw1", made.service, to, "ticket 7", "alice", made.until],
  ]);
  assert.equal(
    server.log.matching(/gw1\/to-\S+, which is 127\.0\.0\.1:\d+ there, is opened by alice until /).length,
    1,
  );
  using client = await Stream.connect(portOf(made.hostAddress));
  await echoes(client);
  assert.deepEqual(server.handle.device("gw1").clients.map(({ service }) => service), [made.service]);
  assert.deepEqual(server.handle.openings().map((each) => each.to), [to]);
  const again = await server.handle.device("gw1").connect(to);
  assert.equal(again.hostAddress, made.hostAddress, "its time begins anew");
  await echoes(client);
  assert.equal(made.close(), false, "another holds now");
  assert.equal(again.close("bob"), true);
  assert.equal((await client.readToItsEnd()).bytes.length, 0);
  assert.equal((await server.events.next("client-end")).reason, "access-closed");
  assert.equal((await server.events.next("service-closed")).by, "bob");
  await refusesClients(portOf(made.hostAddress));
  assert.deepEqual([server.handle.openings(), server.handle.device("gw1").status!.services], [[], []]);
});

test("connect: it closes by itself when its time is over, and its clients go with it", async () => {
  const clock = new FakeClock();
  await using echo = echoService();
  await using relay = await relayThat(["127.0.0.1:*"], clock);
  const { server } = relay;
  const made = await server.handle.device("gw1").connect(`127.0.0.1:${echo.port}`);
  using client = await Stream.connect(portOf(made.hostAddress));
  await echoes(client);
  clock.tick(CONNECT_FOR_MS + 500);
  assert.equal((await client.readToItsEnd()).bytes.length, 0);
  assert.equal((await server.events.next("service-closed")).by, undefined);
  await server.events.next("host-closed");
  await refusesClients(portOf(made.hostAddress));
});

test("connect: what the owner does not allow is refused by the device when a client comes, and nothing is dialled", async () => {
  await using secret = new Service();
  await using relay = await relayThat(["127.0.0.1:1"]);
  const made = await relay.server.handle.device("gw1").connect(`127.0.0.1:${secret.port}`);
  using client = await Stream.connect(portOf(made.hostAddress));
  assert.equal((await client.readToItsEnd()).bytes.length, 0);
  assert.equal((await relay.server.events.next("client-end")).reason, "not-allowed");
  assert.equal(secret.accepted, 0);
});

test("connect: it stays over a link that is lost, is closed in mode config, and open again in run", async () => {
  await using echo = echoService();
  await using relay = await relayThat(["127.0.0.1:*"]);
  const { server, device } = relay;
  const handle = server.handle.device("gw1");
  const made = await handle.connect(`127.0.0.1:${echo.port}`, { listen: "127.0.0.79:0" });
  assert.match(made.hostAddress, /^127\.0\.0\.79:/);
  using client = await Stream.connect(portOf(made.hostAddress), "127.0.0.79");
  await echoes(client);
  await handle.dropLink();
  await server.events.next("link-resumed");
  await echoes(client);
  device.handle.setMode("config");
  await server.events.next("host-closed");
  await assert.rejects(handle.connect(`127.0.0.1:${echo.port}`), /is in mode config/);
  device.handle.setMode("run");
  await server.events.next("host-open");
  await server.events.next("host-open");
});

test("connect: who comes from elsewhere than it was opened to is refused", async () => {
  await using echo = echoService();
  await using relay = await relayThat(["127.0.0.1:*"]);
  const { server } = relay;
  const made = await server.handle.device("gw1").connect(`127.0.0.1:${echo.port}`, { from: ["198.51.100.7"] });
  using client = await Stream.connect(portOf(made.hostAddress));
  assert.equal((await client.readToItsEnd()).bytes.length, 0);
  assert.equal((await server.events.next("client-end")).reason, "not-allowed");
});

test("connect: without a device, without its owner's word, and with what cannot be, it rejects, and nothing is open", async () => {
  await using taken = echoService();
  await using relay = await relayThat([]);
  const { server, device } = relay;
  const handle = server.handle.device("gw1");
  await assert.rejects(handle.connect("127.0.0.1:23"), (error) => {
    assert.ok(error instanceof ConnectError);
    assert.match(error.message, /"gw1" lets the server name no address; its owner says which it may: --allow/);
    return true;
  });
  await assert.rejects(server.handle.device("gw9").connect("127.0.0.1:23"), ConnectionLostError);
  await device[Symbol.asyncDispose]();
  await server.events.next("link-down");
  await assert.rejects(handle.connect("127.0.0.1:23"), ConnectionLostError);

  await using other = await relayThat(["127.0.0.1:*"]);
  const willing = other.server.handle.device("gw1");
  await assert.rejects(willing.connect("10.0.0.7"), SyntaxError);
  await assert.rejects(willing.connect("10.0.0.7:23", { listen: "nowhere" }), SyntaxError);
  await assert.rejects(willing.connect("10.0.0.7:23", { for: -1 }), RangeError);
  await assert.rejects(willing.connect("10.0.0.7:23", { listen: `127.0.0.1:${taken.port}` }), ConnectError);
  assert.deepEqual(other.server.handle.openings(), []);
});
