/**
 * A device that does as little as the specification lets it: no SETTINGS, no ACK but where it is asked.
 *
 * @module
 */

import assert from "node:assert/strict";
import { concat } from "../../protocol/bytes.ts";
import { uintOf } from "../../protocol/v2/wire/fields.ts";
import { listenFrame, readGrants, resultFrame } from "../../protocol/v2/wire/messages.ts";
import { v2Frame } from "../../protocol/v2/wire/codec.ts";
import { V2Command } from "../../protocol/v2/wire/commands.ts";
import { portOf } from "../rig/ports.ts";
import { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";
import { PlayedDevice } from "../rig/v2/device_peer.ts";
import { enlist, startV2Server } from "../rig/v2/relay.ts";

/** What a device says that says nothing of itself. */
const BARE = { wallClock: 0, software: "" };

test("v2 bare peer: a device that never says SETTINGS is served, and hears answers by number, in order", async () => {
  await using server = await startV2Server();
  const identity = await enlist(server, "gw1", ["a=127.0.0.1:0", "c=127.0.0.1:0"]);
  using device = await PlayedDevice.link(server, identity, BARE);
  const offers = ["a", "b", "c"].map((name, at) => ({ number: 30 - at, offered: true, name }));
  await device.send(listenFrame(offers));
  const grants = [];
  while (grants.length < 3) grants.push(...readGrants((await device.next(V2Command.LISTEN)).payload));
  const codes = new Map(grants.map(({ number, code }) => [number, code]));
  assert.deepEqual(codes.get(29), "not-granted");
  assert.deepEqual([codes.get(30), codes.get(28)], ["granted", "granted"]);

  const address = grants.find(({ number }) => number === 28)!.text;
  using client = await Stream.connect(portOf(address), "127.0.0.1");
  await client.write("hi");
  const { channel } = await device.next(V2Command.CONNECT);
  assert.deepEqual((await device.next(V2Command.DATA)).payload, new TextEncoder().encode("hi"));
  const answer = v2Frame(V2Command.DATA, channel, new TextEncoder().encode("ho"));
  await device.send(resultFrame(channel, "connected", 65_536), answer);
  assert.equal(await client.readText(2), "ho");
});

test("v2 bare peer: a device that offers what is no name hears why its link ends", async () => {
  await using server = await startV2Server();
  const identity = await enlist(server, "gw1", []);
  using device = await PlayedDevice.link(server, identity, BARE);
  await device.send(v2Frame(V2Command.LISTEN, 0, concat([uintOf(2, 1), Uint8Array.of(1, 2, 0x0a, 0x20)])));
  const { payload } = await device.next(V2Command.GOODBYE);
  assert.match(new TextDecoder().decode(payload), /LISTEN names a service with what is no name/);
});
