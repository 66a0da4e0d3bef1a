/**
 * Limits of a service, on either side: clients at once, and time without a byte.
 *
 * @module
 */

import assert from "node:assert/strict";
import { LINGER_MS } from "../../net/limits.ts";
import type { KeepAliveSettings } from "../../mod.ts";
import { parseGrant } from "../../server/devices/service_grant.ts";
import { FakeClock } from "../rig/clock.ts";
import { echoService } from "../rig/service.ts";
import { test } from "../rig/test.ts";
import { socketsSettled } from "../rig/cable.ts";
import { local, startV2Relay, type V2RelayOptions } from "../rig/v2/relay.ts";

const OFF: KeepAliveSettings = { idleTimeout: -1, probeInterval: 1_000, probeCount: 0 };

test("v2 limits: beyond max-clients of the grant clients are ended with the reason, until one leaves", async () => {
  await using echo = echoService();
  await using relay = await startV2Relay({
    services: [local("echo", echo)],
    grants: [{ ...parseGrant("echo=127.0.0.1:0"), maxClients: 2 }],
  });
  const first = await relay.connect("echo");
  using second = await relay.connect("echo");
  for (const client of [first, second]) {
    await client.write("x");
    await client.read(1);
  }
  using third = await relay.connect("echo");
  assert.equal((await third.readToEnd()).length, 0);
  const refused = await relay.server.events.next("client-end");
  assert.deepEqual([refused.reason, refused.error], [
    "too-many-clients",
    "2 clients are the most for this service",
  ]);
  assert.equal(relay.server.log.matching(/^warn: client .* ended: too-many-clients \(2 clients/).length, 1);
  first.close();
  assert.equal((await relay.server.events.next("client-end")).reason, "client-closed");
  for (let round = 0; round < 5; round++) {
    using next = await relay.connect("echo");
    await next.write("y");
    assert.equal(await next.readText(1), "y");
    next.close();
    assert.equal((await relay.server.events.next("client-end")).reason, "client-closed");
  }
  assert.equal(echo.accepted, 7);
});

/** A relay on standing clocks whose service has an idle time of 8 s on one side. */
function idleRelay(side: "server" | "device", port: number, clock: FakeClock): V2RelayOptions {
  return {
    services: [local("echo", { port }, side === "device" ? "idle-timeout=8000" : "")],
    grants: [{ ...parseGrant("echo=127.0.0.1:0"), ...(side === "server" && { idleTimeout: 8_000 }) }],
    serve: { clock, keepAlive: OFF },
    device: { clock, keepAlive: OFF },
  };
}

for (const side of ["server", "device"] as const) {
  test(`v2 limits: the ${side} ends a client that is idle for the idle time, a quarter late at most`, async () => {
    const clock = new FakeClock();
    await using echo = echoService();
    await using relay = await startV2Relay(idleRelay(side, echo.port, clock));
    using client = await relay.connect("echo");
    await clock.armed(2_000);
    for (let n = 0; n < 5; n++) { // each byte counts, from either end
      await client.write("x");
      await client.read(1);
      clock.tick(6_000);
      await socketsSettled();
    }
    await client.write("last");
    assert.equal(await client.readText(4), "last");
    let ended = false;
    const end = client.readToEnd().then(() => ended = true);
    let waited = 0;
    while (!ended) {
      clock.tick(1_000);
      waited += 1_000;
      await socketsSettled();
      assert.ok(
        waited <= 10_000 + LINGER_MS, // what it was sent has to be acknowledged first
        `it was idle for ${waited} ms`,
      );
    }
    assert.ok(waited >= 8_000, `it was ended after ${waited} ms`);
    await end;
    client.close();
    assert.equal((await relay.server.events.next("client-end")).reason, "idle-timeout");
    assert.equal((await relay.device.events.next("channel-end")).reason, "idle-timeout");
  });
}

test("v2 limits: an idle time is of its service alone", async () => {
  const clock = new FakeClock();
  await using echo = echoService();
  await using relay = await startV2Relay({
    services: [local("short", echo, "idle-timeout=4000"), local("long", echo)],
    serve: { clock, keepAlive: OFF },
    device: { clock, keepAlive: OFF },
  });
  using short = await relay.connect("short");
  using long = await relay.connect("long");
  for (const client of [short, long]) {
    await client.write("x");
    await client.read(1);
  }
  await clock.armed(1_000);
  for (let n = 0; n < 10; n++) {
    clock.tick(1_000);
    await socketsSettled();
  }
  assert.equal((await short.readToEnd()).length, 0);
  clock.tick(3_600_000);
  await socketsSettled();
  await long.write("still here");
  assert.equal(await long.readText(10), "still here");
});
