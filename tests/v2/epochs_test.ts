/**
 * Devices whose links have epochs, and whose clocks are not what they were.
 *
 * @module
 */

import assert from "node:assert/strict";
import { systemClock } from "../../base/clock.ts";
import { createIdentity } from "../../net/tls/identity.ts";
import { echoService } from "../rig/service.ts";
import { engine } from "../rig/engine.ts";
import { test } from "../rig/test.ts";
import { authorized, local, SECURITIES, startV2Device, startV2Relay, startV2Server } from "../rig/v2/relay.ts";

/** A clock that has lost the date, and so begins at 1970. */
const LOST = { ...systemClock, wall: () => performance.now() };

for (const security of SECURITIES) {
  test(`v2 epochs: a device that was started again without the date comes in at once, over ${security}`, async () => {
    await using server = await startV2Server({ security });
    const identity = await createIdentity();
    server.directory.put(authorized("gw1", identity, []));
    {
      await using first = startV2Device(server, identity, []);
      await first.events.next("online");
      await server.events.next("link-up");
    }
    await server.events.next("link-down");
    await using second = startV2Device(server, identity, [], { clock: LOST });
    await second.events.next("online");
    assert.equal(second.events.types.includes("dial-failed"), false, "nobody has to hear of it");
    assert.equal(second.log.matching(/the server has seen a later link of this device/).length, 1);
    assert.match((await server.events.next("refused")).why, /^replaced: a newer link of the device came first/);
    await server.events.next("link-up");
  });
}

test("v2 epochs: two machines with one key still take the link from one another, whatever their clocks say", async () => {
  await using server = await startV2Server();
  const identity = await createIdentity();
  server.directory.put(authorized("gw1", identity, []));
  await using first = startV2Device(server, identity, [], { reconnect: false });
  await first.events.next("online");
  await using second = startV2Device(server, identity, [], { clock: LOST, reconnect: false });
  await second.events.next("online");
  assert.equal((await first.events.next("lost")).goodbye, "replaced");
});

test("v2 epochs: both sides say whether a link is bound to its TLS, as it is by the native engine's", async () => {
  await using echo = echoService();
  await using relay = await startV2Relay({ security: "tls", services: [local("echo", echo)] });
  await using client = await relay.connect("echo");
  await client.write("a");
  assert.equal(await client.readText(1), "a");
  assert.equal(relay.device.handle.status.bound, engine.tls.binds);
  assert.equal(relay.server.handle.device("gw1").status?.bound, engine.tls.binds);
});
