/**
 * What a device may do with LISTEN that ours does not: offer and withdraw as fast as it can, or while clients are there.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { KeepAliveSettings } from "../../mod.ts";
import { concat } from "../../protocol/bytes.ts";
import { V2Command } from "../../protocol/v2/wire/commands.ts";
import { v2Frame } from "../../protocol/v2/wire/codec.ts";
import { closeFrame, listenFrame, readGrants, type ServiceGrantResult } from "../../protocol/v2/wire/messages.ts";
import { parseGrant } from "../../server/devices/service_grant.ts";
import { echoService } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";
import { portOf, refusesClients } from "../rig/ports.ts";
import { PlayedDevice } from "../rig/v2/device_peer.ts";
import { authorized, enlist, local, startV2Device, startV2Server, type V2Server } from "../rig/v2/relay.ts";
import { within } from "../rig/wait.ts";

const OFF: KeepAliveSettings = { idleTimeout: -1, probeInterval: 1_000, probeCount: 0 };

/** Longest time that a server may be busy with the offers of one device, in milliseconds. */
const BUSY_MS = 5_000;

function ssh(offered: boolean): Uint8Array {
  return listenFrame([{ number: 0, offered, name: "ssh" }]);
}

/** Offers the service `ssh`, or withdraws it. */
async function offer(device: PlayedDevice, offered: boolean): Promise<ServiceGrantResult> {
  await device.send(ssh(offered));
  return readGrants((await device.next(V2Command.LISTEN)).payload)[0]!;
}

/** Resolves when the server has answered for a number, and so read all that was sent before. */
async function answered(device: PlayedDevice, wanted: number): Promise<void> {
  for (;;) {
    const answers = readGrants((await device.next(V2Command.LISTEN)).payload);
    if (answers.some(({ number }) => number === wanted)) return;
  }
}

/** What a client hears of its service. */
async function hears(client: Stream, device: PlayedDevice, channel: number): Promise<string> {
  await device.send(v2Frame(V2Command.DATA, channel, new TextEncoder().encode("word")));
  return await client.readText(4);
}

/** A device that does as it likes, and a client of another one on the same server. */
async function wildBesideTame(): Promise<
  AsyncDisposable & { readonly server: V2Server; readonly client: Stream; readonly wild: PlayedDevice }
> {
  await using stack = new AsyncDisposableStack();
  const echo = stack.use(echoService());
  const server = stack.use(await startV2Server({ serve: { keepAlive: OFF } }));
  const wild = await enlist(server, "wild", ["ssh=127.0.0.1:0"]);
  const tame = await enlist(server, "tame", ["echo=127.0.0.1:0"]);
  const other = stack.use(startV2Device(server, tame, [local("echo", echo)]));
  const client = stack.use(await Stream.connect(portOf((await other.events.next("service")).hostAddress!)));
  const device = stack.use(await PlayedDevice.link(server, wild));
  const end = stack.move();
  return { server, client, wild: device, [Symbol.asyncDispose]: () => end.disposeAsync() };
}

test("v2 listen: a service that is offered and withdrawn as fast as it can be does not keep others waiting", async () => {
  await using made = await wildBesideTame();
  const { client, wild: device } = made;
  const { text: before } = await offer(device, true);
  const since = performance.now();
  const turns = concat(Array.from({ length: 128 }, () => concat([ssh(false), ssh(true)])));
  const allRead = answered(device, 7);
  for (let burst = 0; burst < 8; burst++) await device.send(turns);
  await client.write("x");
  assert.equal(await client.readText(1), "x");
  await device.send(listenFrame([{ number: 7, offered: false, name: "last" }]));
  await allRead;
  const took = performance.now() - since;
  assert.ok(took < BUSY_MS, `it took ${took} ms`);
  const { code, text } = await offer(device, true);
  assert.deepEqual([code, text], ["granted", before], "the port that was kept");
  await client.write("y");
  assert.equal(await client.readText(1), "y");
});

test("v2 listen: who names a service twice in one LISTEN is off, and others go on", async () => {
  await using made = await wildBesideTame();
  const { server, client, wild: device } = made;
  const offer = { number: 0, offered: true, name: "ssh" };
  const twice = listenFrame(Array.from({ length: 256 }, (_, n) => ({ ...offer, offered: n % 2 === 0 })));
  await device.send(...Array.from({ length: 150 }, () => twice)).catch(() => {}); // it may be off before that is out
  await within(device.end(), "the end of the link");
  const down = await server.events.next("link-down");
  assert.deepEqual([down.device, down.reason], ["wild", "protocol-error"]);
  await client.write("x");
  assert.equal(await client.readText(1), "x");
});

test("v2 listen: clients of a service that was withdrawn count for max-clients when it is offered again", async () => {
  await using server = await startV2Server({ serve: { keepAlive: OFF } });
  const identity = await enlist(server, "gw1", [{ ...parseGrant("ssh=127.0.0.1:0"), maxClients: 1 }]);
  using device = await PlayedDevice.link(server, identity);
  const port = portOf((await offer(device, true)).text);
  using first = await Stream.connect(port);
  const channel = await device.accept();
  await offer(device, false);
  assert.equal(portOf((await offer(device, true)).text), port);
  using second = await Stream.connect(port);
  assert.equal((await second.readToEnd()).length, 0);
  assert.equal((await server.events.next("client-end")).reason, "too-many-clients");
  assert.equal(await hears(first, device, channel), "word");
  first.close();
  await device.next(V2Command.END);
  await device.send(closeFrame(channel, "service-closed"));
  await server.events.next("client-end");
  using third = await Stream.connect(port);
  assert.equal(await hears(third, device, await device.accept()), "word");
});

for (
  const [what, grants] of [
    ["is taken away", []],
    ["gets another port", ["ssh=127.0.0.2:0"]],
  ] as const
) {
  test(`v2 listen: when a service ${what} while it is withdrawn, its clients are ended too`, async () => {
    await using server = await startV2Server({ serve: { keepAlive: OFF } });
    const identity = await enlist(server, "gw1", ["ssh=127.0.0.1:0"]);
    using device = await PlayedDevice.link(server, identity);
    const port = portOf((await offer(device, true)).text);
    using client = await Stream.connect(port);
    const channel = await device.accept();
    await offer(device, false);
    await refusesClients(port);
    server.directory.put(authorized("gw1", identity, ["ssh=127.0.0.1:0", "web=127.0.0.1:0"]));
    assert.equal(await hears(client, device, channel), "word");
    server.directory.put(authorized("gw1", identity, grants));
    assert.equal((await within(client.readToEnd(), "the client's end")).length, 0);
    assert.equal((await server.events.next("client-end")).reason, "service-withdrawn");
  });
}

test("v2 listen: of a range that devices share, the port of one that is away is left to it", async () => {
  await using server = await startV2Server({ serve: { keepAlive: OFF } });
  const shared = ["ssh=127.0.0.70:20000-29999"];
  const [a, b] = [await enlist(server, "a", shared), await enlist(server, "b", shared)];
  const first = await PlayedDevice.link(server, a);
  const port = portOf((await offer(first, true)).text);
  first[Symbol.dispose]();
  await server.events.next("link-down");
  await refusesClients(port, "127.0.0.70");
  using other = await PlayedDevice.link(server, b);
  assert.notEqual(portOf((await offer(other, true)).text), port);
  using again = await PlayedDevice.link(server, a);
  assert.equal(portOf((await offer(again, true)).text), port);
});
