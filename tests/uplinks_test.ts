/**
 * Links that are dialled from an uplink, on either profile.
 *
 * @module
 */

import assert from "node:assert/strict";
import { EngineError } from "../mod.ts";
import { isNative } from "./rig/engine.ts";
import { deviceAdjustable } from "../device/options.ts";
import { startV1Device, startV1Server } from "./rig/v1/relay.ts";
import { SECURITIES, startV2Relay } from "./rig/v2/relay.ts";
import { test } from "./rig/test.ts";

const TARGET = "10.0.0.1:23";

test("a v1 device links up by the first of its uplinks that works", async () => {
  if (!isNative) return;
  await using server = await startV1Server([TARGET]);
  await using device = startV1Device(server.port, [TARGET], { via: ["nosuch0", "192.0.2.7", "127.0.0.9", "lo"] });
  await device.handle.ready;
  assert.match((await server.events.next("link-up")).device, /^127\.0\.0\.9:/);
});

test("a v1 device that is told another uplink, or another server, goes by it when its link has ended", async () => {
  await using first = await startV1Server([TARGET]);
  await using second = await startV1Server([TARGET]);
  await using device = startV1Device(first.port, [TARGET], { random: () => 0 });
  await device.handle.ready;
  await first.events.next("link-up");
  if (isNative) {
    device.adjust(deviceAdjustable({ via: ["127.0.0.9"] }));
    device.ways.redial();
    device.handle.reconnect();
    assert.match((await first.events.next("link-up")).device, /^127\.0\.0\.9:/);
  }
  const way = device.ways.prepare({ profile: "v1", server: { host: "127.0.0.1", port: second.port } });
  assert.equal(device.ways.canMove(way), false);
  way.commit();
  assert.equal(device.handle.state, "online");
  device.handle.reconnect();
  await second.events.next("link-up");
});

test("a v1 device whose uplinks all fail says why of each, and tries again", async () => {
  if (!isNative) return;
  await using server = await startV1Server([TARGET]);
  await using device = startV1Device(server.port, [TARGET], { via: ["nosuch0", "192.0.2.7"], random: () => 0 });
  for (let n = 0; n < 2; n++) {
    assert.equal(
      (await device.events.next("dial-failed")).error,
      "via nosuch0: there is no such interface now; via 192.0.2.7: this machine does not have that address now",
    );
  }
});

for (const security of SECURITIES) {
  test(`a v2 device links up from its uplink (${security})`, async () => {
    if (!isNative) return;
    await using relay = await startV2Relay({ services: [], security, device: { via: ["192.0.2.7", "127.0.0.9"] } });
    await relay.server.events.next("link-up");
    assert.match(relay.server.handle.devices()[0]!.remote!, /^127\.0\.0\.9:/);
  });
}

test("on an engine that cannot bind its sockets, a device with uplinks does not start", () => {
  for (const via of [["lo"], ["127.0.0.1"]]) {
    assert.throws(() => startV1Device(1, [TARGET], { engine: "portable", via }), (error) => {
      assert(error instanceof EngineError);
      assert.match(error.message, /^--via takes the native engine, and another one was asked for;/);
      return true;
    });
  }
});
