/**
 * Many senders at once, both ways, and somebody who types beside them.
 *
 * @module
 */

import assert from "node:assert/strict";
import { TAKE_OVER_PROBE_MS } from "../../server/limits.ts";
import { DATA } from "../rig/naive_v1/link.ts";
import { digest, noise } from "../rig/bytes.ts";
import { FakeClock } from "../rig/clock.ts";
import { startV1Relay } from "../rig/v1/relay.ts";
import { dialAsDevice, playDevice } from "../rig/v1/scripted.ts";
import { echoService } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";

const MIB = 1024 * 1024;

test("load: 32 clients that push and read at once all get their bytes back, and one who types is served", async () => {
  await using echo = echoService();
  await using relay = await startV1Relay({ server: "our", device: "our", servicePort: echo.port });
  let typing = true;
  const pushers = Promise.all(Array.from({ length: 32 }, async (_, n) => {
    using client = await relay.connect();
    do { // each at least one round, and until the typist has seen enough
      const wanted = noise(MIB, n);
      const writing = client.write(wanted);
      const got = await client.read(wanted.length);
      await writing;
      assert.equal(await digest(got), await digest(wanted));
    } while (typing);
  }));
  using typist = await relay.connect();
  for (let key = 0; key < 20; key++) {
    await typist.write("k");
    assert.equal(await typist.readText(1), "k");
  }
  typing = false;
  await pushers;
});

test("load: a device is not taken for dead while a slow client keeps the server from hearing it", async () => {
  const clock = new FakeClock();
  await using relay = await playDevice(["10.0.0.1:23"], { clock, stallTimeout: 60_000 });
  using deaf = await Stream.connect(relay.hostPorts[0]!);
  await relay.link.next();
  let flooded = false;
  const flooding = (async () => {
    while (!flooded) await relay.link.send(DATA, 1, new Uint8Array(60_000));
  })();
  await clock.armed(60_000); // the client holds the link
  using newcomer = await dialAsDevice(relay.server.port);
  await clock.armed(TAKE_OVER_PROBE_MS);
  clock.tick(TAKE_OVER_PROBE_MS);
  await newcomer.expectEnd();
  assert.match(
    (await relay.server.events.next("refused")).why,
    /cannot be seen while a slow client holds up its link; come again$/,
  );
  assert.equal(relay.server.events.types.includes("link-down"), false);
  flooded = true;
  deaf.close();
  relay.link.close();
  await flooding.catch(() => {});
});

test("host port: a free one that was picked is kept when the device comes back", async () => {
  const relay = await playDevice(["10.0.0.1:23"]);
  await using _server = relay;
  relay.link.close();
  await relay.server.events.next("link-down");
  using _again = await dialAsDevice(relay.server.port);
  const { hostAddress } = await relay.server.events.next("host-open");
  assert.equal(Number(hostAddress.split(":").at(-1)), relay.hostPorts[0]);
});
