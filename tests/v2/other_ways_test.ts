/**
 * A device that is told another way to its server, or what the server may name, while it runs: nobody is cut for it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { parseAllow } from "../../mod.ts";
import type { DeviceWay } from "../../device/options.ts";
import { freePort, portOf } from "../rig/ports.ts";
import { echoService } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";
import { startCabled } from "../rig/v2/cabled.ts";
import { authorized, local, startV2Relay, startV2Server, type V2Relay, type V2Server } from "../rig/v2/relay.ts";

const LASTING = { serve: { expiration: 15_000 }, device: { random: () => 0 } };

async function echoes(client: Stream): Promise<void> {
  await client.write("x");
  assert.equal(await client.readText(1), "x");
}

/** The way to a server, at another port of it if one is given. */
function wayTo({ identity, port }: V2Server, at = port): DeviceWay {
  return {
    profile: "v2",
    server: { host: "127.0.0.1", port: at },
    serverKey: identity.publicKey,
    security: "plain",
  };
}

/** Has the device take another way. @returns whether it said that it can be gone at once. */
function take({ device: { ways } }: Pick<V2Relay, "device">, way: DeviceWay): boolean {
  const prepared = ways.prepare(way);
  const can = ways.canMove(prepared);
  prepared.commit();
  if (can) ways.redial();
  return can;
}

test("another address of the server is dialled while the link goes on, and clients move along", async () => {
  await using echo = echoService();
  await using relay = await startCabled({ ...LASTING, services: [local("echo", echo)] });
  const { server, device, cable } = relay;
  using client = await relay.connect("echo");
  await echoes(client);
  assert.equal(take(relay, wayTo(server)), true);
  const resumed = await device.events.next("resumed");
  assert.deepEqual([resumed.server, resumed.moved], [`127.0.0.1:${server.port}`, true]);
  await echoes(client);
  assert.equal(device.events.types.includes("interrupted"), false);
  cable.drop(); // nothing of it goes by the way of before
  await echoes(client);
  assert.equal(echo.accepted, 1);
});

test("an address that leads nowhere leaves the link as it is, and is tried again until another is told", async () => {
  await using echo = echoService();
  await using relay = await startV2Relay({ ...LASTING, services: [local("echo", echo)] });
  const { server, device } = relay;
  using client = await relay.connect("echo");
  const dials = () => device.events.types.filter((type) => type === "connecting").length;
  take(relay, wayTo(server, freePort("127.0.0.1")));
  while (dials() < 3) await device.events.next("connecting");
  await echoes(client);
  assert.equal(device.handle.state, "online");
  assert.ok(device.log.said.some((line) => /cannot move to another link: .*; the old one goes on/.test(line)));
  take(relay, wayTo(server));
  assert.equal((await device.events.next("resumed")).moved, true);
  await echoes(client);
});

test("another server is dialled when the link has ended, as its clients could not go on there", async () => {
  await using echo = echoService();
  await using relay = await startV2Relay({ ...LASTING, services: [local("echo", echo)] });
  await using other = await startV2Server();
  other.directory.put(authorized("moved", relay.device.identity, []));
  using client = await relay.connect("echo");
  await echoes(client);
  const { device } = relay;
  assert.equal(take(relay, wayTo(other)), false);
  assert.equal(take(relay, wayTo(relay.server)), true, "and back again");
  await device.events.next("resumed");
  take(relay, wayTo(other));
  await echoes(client);
  assert.equal(device.handle.status.name, "gw1");
  device.handle.reconnect();
  await other.events.next("link-up");
  assert.equal(other.handle.devices()[0]!.name, "moved");
});

test("what the device allows no more is refused at once, and who is there is ended; others stay", async () => {
  await using one = echoService();
  await using two = echoService();
  const rules = (...ports: number[]) => ports.map((port) => parseAllow(`127.0.0.1:${port}`));
  await using relay = await startV2Relay({
    serve: LASTING.serve,
    services: [],
    device: { ...LASTING.device, allow: rules(one.port, two.port) },
  });
  const { server, device } = relay;
  await server.events.next("mode");
  const handle = server.handle.device("gw1");
  const open = async (port: number) => portOf((await handle.connect(`127.0.0.1:${port}`)).hostAddress);
  const [first, second] = [await open(one.port), await open(two.port)];
  using stays = await Stream.connect(first);
  using goes = await Stream.connect(second);
  await echoes(stays);
  await echoes(goes);
  device.ways.setAllow(rules(one.port));
  assert.equal((await goes.readToItsEnd()).bytes.length, 0);
  assert.equal((await server.events.next("client-end")).reason, "not-allowed");
  await echoes(stays);
  using late = await Stream.connect(second);
  assert.equal((await late.readToItsEnd()).bytes.length, 0);
  assert.equal((await server.events.next("client-end")).reason, "not-allowed");
  device.ways.setAllow(rules(one.port, two.port));
  using again = await Stream.connect(second);
  await echoes(again);
  assert.equal(server.events.types.includes("link-resumed"), false, "the server has nothing to hear of");
});

test("a device that begins or ceases to allow anything says so over another link, under its clients", async () => {
  await using echo = echoService();
  await using relay = await startV2Relay({ ...LASTING, services: [local("echo", echo)] });
  const { server, device } = relay;
  using client = await relay.connect("echo");
  await echoes(client);
  const handle = server.handle.device("gw1");
  const to = `127.0.0.1:${echo.port}`;
  await assert.rejects(handle.connect(to), /lets the server name no address/);
  device.ways.setAllow([parseAllow(to)]);
  assert.equal((await server.events.next("link-resumed")).moved, true);
  const made = await handle.connect(to);
  using named = await Stream.connect(portOf(made.hostAddress));
  await echoes(named);
  device.ways.setAllow([]);
  assert.equal((await named.readToItsEnd()).bytes.length, 0);
  assert.equal((await server.events.next("link-resumed")).moved, true);
  await assert.rejects(handle.connect(to), /lets the server name no address/);
  assert.deepEqual(handle.status!.services.map(({ name }) => name), ["echo"]);
  await echoes(client);
});
