/**
 * A device that makes one link after the other without end.
 *
 * @module
 */

import assert from "node:assert/strict";
import { LINK_BURST, LINK_INTERVAL_MS } from "../server/door/limits.ts";
import { LINK_REFUSAL_HOLD_MS } from "../server/limits.ts";
import { HandshakeError } from "../protocol/v2/wire/handshake.ts";
import { createIdentity, type Identity } from "../net/tls/identity.ts";
import { LISTEN } from "./rig/naive_v1/link.ts";
import { FakeClock } from "./rig/clock.ts";
import { startV1Server } from "./rig/v1/relay.ts";
import { dialAsDevice } from "./rig/v1/scripted.ts";
import { test } from "./rig/test.ts";
import { greet } from "./rig/v2/device_peer.ts";
import { authorized, startV2Server, type V2Server } from "./rig/v2/relay.ts";
import { within } from "./rig/wait.ts";

/** Makes a link as a device does, and hangs up. @returns why it was refused, if it was. */
async function link(server: V2Server, signer: Identity): Promise<HandshakeError | undefined> {
  try {
    (await greet(server, signer)).conn.close();
  } catch (error) {
    if (error instanceof HandshakeError) return error;
    throw error;
  }
  return undefined;
}

test("v2 link rate: a device that makes links without end hears when to come back, late; others are served", async () => {
  const clock = new FakeClock();
  await using server = await startV2Server({ serve: { clock } });
  const [busy, other] = [await createIdentity(), await createIdentity()];
  server.directory.put(authorized("busy", busy, []));
  server.directory.put(authorized("other", other, []));
  for (let n = 0; n < LINK_BURST; n++) {
    assert.equal(await link(server, busy), undefined);
    assert.match((await server.events.next("link-down")).reason, /peer-closed|connection-lost/);
  }
  const refusals = [link(server, busy), link(server, busy)];
  await clock.armed(LINK_REFUSAL_HOLD_MS, 2);
  assert.equal(await link(server, other), undefined);
  clock.tick(LINK_REFUSAL_HOLD_MS);
  for (const refusal of refusals) {
    const { goodbye } = (await refusal)!;
    assert.deepEqual([goodbye.code, goodbye.comeBackAfter], ["too-busy", LINK_INTERVAL_MS]);
    assert.match(goodbye.text, /^busy made more than 60 links in a row; it may make one a second$/);
  }
  assert.match((await server.events.next("refused")).why, /^too-busy: busy made more than 60 links/);
  assert.equal(await link(server, busy), undefined);
});

test("v2 link rate: a server that ends does not wait for those who wait for their refusal", async () => {
  const clock = new FakeClock();
  await using server = await startV2Server({ serve: { clock } });
  const busy = await createIdentity();
  server.directory.put(authorized("busy", busy, []));
  for (let n = 0; n < LINK_BURST; n++) await link(server, busy);
  const refusal = link(server, busy).catch(() => "cut");
  await clock.armed(LINK_REFUSAL_HOLD_MS);
  server.handle.close();
  await within(server.handle.closed, "the end of the server");
  assert.equal(await refusal, "cut");
});

test("v1 link rate: from one address so many links in a row are made, and then one a second", async () => {
  const clock = new FakeClock();
  await using server = await startV1Server(["10.0.0.1:23"], { clock });
  for (let n = 0; n < LINK_BURST; n++) {
    using device = await dialAsDevice(server.port);
    await server.events.next("link-up");
    device.close();
    await server.events.next("link-down");
  }
  using refused = await dialAsDevice(server.port);
  await clock.armed(LINK_REFUSAL_HOLD_MS);
  clock.tick(LINK_REFUSAL_HOLD_MS);
  await refused.expectEnd();
  assert.match(
    (await server.events.next("refused")).why,
    /^more than 60 links in a row came from 127\.0\.0\.1; from there/,
  );
  using device = await dialAsDevice(server.port);
  await server.events.next("link-up");
  await device.send(LISTEN, 0);
});
