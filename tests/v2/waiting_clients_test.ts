/**
 * Clients that come while their device has no link: they wait for the next, and a crowd at one service leaves room for others.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { KeepAliveSettings } from "../../mod.ts";
import { MAX_CLIENTS_INTERRUPTED } from "../../server/limits.ts";
import { Cable, socketsSettled } from "../rig/cable.ts";
import { FakeClock } from "../rig/clock.ts";
import { echoService } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";
import { local, startV2Relay } from "../rig/v2/relay.ts";

const OFF: KeepAliveSettings = { idleTimeout: -1, probeInterval: 1_000, probeCount: 0 };

test("v2 resume: a crowd that waits at one service for the next link leaves room for clients of the others", async () => {
  const clock = new FakeClock();
  await using echo = echoService();
  let cable: Cable | undefined;
  await using relay = await startV2Relay({
    services: [local("ssh", echo), local("web", echo)],
    serve: { expiration: 15_000, keepAlive: OFF },
    device: { clock, keepAlive: OFF, random: () => 0.99 }, // it dials again when the clock says so
    through: (server) => (cable = new Cable(server.port)).port,
  });
  await using _cable = cable!;
  const [ssh, web] = [await relay.hostPort("ssh"), await relay.hostPort("web")];
  cable!.drop();
  await relay.server.events.next("link-interrupted");
  await relay.device.events.next("interrupted");

  const crowd: Stream[] = [];
  for (let n = 0; n < MAX_CLIENTS_INTERRUPTED; n++) crowd.push(await Stream.connect(ssh));
  await socketsSettled();
  assert.equal(relay.server.events.types.includes("client-end"), false, "one crowd alone may have all the room");
  using client = await Stream.connect(web);
  await client.write("in");
  const out = await relay.server.events.next("client-end");
  assert.deepEqual([out.localAddress, out.reason], ["ssh", "too-many-channels"]);
  using late = await Stream.connect(ssh);
  assert.equal((await late.readToEnd()).length, 0);
  assert.equal((await relay.server.events.next("client-end")).localAddress, "ssh");

  clock.tick(60_000);
  assert.equal(await client.readText(2), "in");
  await crowd[0]!.write("too");
  assert.equal(await crowd[0]!.readText(3), "too");
  for (const each of crowd) each.close();
});
