/**
 * Clients as a server shows them, and what becomes of one that is closed by hand.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { KeepAliveSettings } from "../../mod.ts";
import { Cable } from "../rig/cable.ts";
import { FakeClock } from "../rig/clock.ts";
import { echoService } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";
import { local, startV2Relay } from "../rig/v2/relay.ts";
import { poll } from "../rig/wait.ts";

const OFF: KeepAliveSettings = { idleTimeout: -1, probeInterval: 1_000, probeCount: 0 };

test("a client is shown from its coming to its end, with the bytes so far, on its session's links to come, too", async () => {
  await using echo = echoService();
  await using relay = await startV2Relay({ services: [local("echo", echo)], serve: { expiration: 10_000 } });
  const { handle } = relay.server;
  using client = await relay.connect("echo");
  await client.write("hello");
  await client.read(5);
  const [shown] = handle.clients();
  assert.deepEqual(
    [shown!.device, shown!.service, shown!.state, shown!.bytesUp, shown!.bytesDown],
    ["gw1", "echo", "open", 5, 5],
  );
  assert.equal(handle.dropLink("gw1"), true);
  await relay.server.events.next("link-resumed");
  await client.write("again!");
  await client.read(6);
  assert.deepEqual(handle.clients().map(({ id, bytesUp }) => [id, bytesUp]), [[shown!.id, 11]]);
  client[Symbol.dispose]();
  await relay.server.events.next("client-end");
  await poll(() => handle.clients().length === 0, () => "it is still shown");
});

test("a client that waits for a link is shown as waiting, and can be closed; another one waits on, and is served", async () => {
  const clock = new FakeClock();
  await using echo = echoService();
  let cable: Cable | undefined;
  await using relay = await startV2Relay({
    services: [local("echo", echo)],
    serve: { expiration: 15_000, keepAlive: OFF },
    device: { clock, keepAlive: OFF, random: () => 0.99 }, // it dials again when the clock says so
    through: (server) => (cable = new Cable(server.port)).port,
  });
  await using _cable = cable!;
  const { handle, events } = relay.server;
  const port = await relay.hostPort("echo");
  cable!.drop();
  await events.next("link-interrupted");
  await relay.device.events.next("interrupted");
  using first = await Stream.connect(port);
  using second = await Stream.connect(port);
  await poll(() => handle.clients().length === 2, () => `${handle.clients().length} are shown`);
  const [shown, other] = handle.clients();
  assert.deepEqual([shown!.state, other!.state], ["waiting", "waiting"]);
  assert.equal(handle.closeClient(shown!.id), true);
  assert.equal(await first.readSome(), null);
  assert.equal((await events.next("client-end")).reason, "closed-by-admin");
  assert.deepEqual([handle.closeClient(shown!.id), handle.dropLink("gw1")], [false, false]);
  clock.tick(60_000);
  await second.write("in");
  assert.equal(await second.readText(2), "in");
});
