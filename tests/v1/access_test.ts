/**
 * Who may reach a forward on v1: by real clients over real sockets.
 *
 * @module
 */

import assert from "node:assert/strict";
import { serve } from "../../mod.ts";
import type { AccessRules } from "../../server/access/rules.ts";
import { FakeClock } from "../rig/clock.ts";
import { echoService, Service } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";
import { digest, noise } from "../rig/bytes.ts";
import { portOf } from "../rig/ports.ts";
import { startV1Device, startV1Server } from "../rig/v1/relay.ts";

/** A relay of one service, and where its clients connect. */
async function relayWith(servicePort: number, access: AccessRules, clock?: FakeClock) {
  const server = await startV1Server([`127.0.0.1:${servicePort}`], {
    access,
    halfCloseTimeout: 0,
    ...(clock && { clock }),
  });
  const device = startV1Device(server.port, ["127.0.0.1:*"]);
  const port = portOf((await server.events.next("host-open")).hostAddress);
  return {
    server,
    device,
    port,
    async [Symbol.asyncDispose]() {
      await device[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

test("v1 access: who may not come is reset before the device hears of it, with the reason", async () => {
  const cases: [AccessRules, string][] = [
    [{ denyFrom: ["127.0.0.0/8"] }, "not-allowed"],
    [{ allowFrom: ["10.0.0.0/8"] }, "not-allowed"],
    [{
      hours: [
        `${new Date(Date.now() + 7_200_000).toISOString().slice(11, 13)}:00-${
          new Date(Date.now() + 7_200_000).toISOString().slice(11, 13)
        }:01 UTC`,
      ],
    }, "outside-hours"],
  ];
  for (const [rules, reason] of cases) {
    await using echo = echoService();
    await using relay = await relayWith(echo.port, rules);
    using client = await Stream.connect(relay.port);
    assert.equal((await client.readToItsEnd()).bytes.length, 0);
    assert.equal((await relay.server.events.next("client-end")).reason, reason);
    assert.equal(echo.accepted, 0);
    assert.deepEqual(relay.server.handle.refusals().map((each) => [each.who, each.reason, each.count]), [[
      "client",
      reason,
      1,
    ]]);
  }
});

test("v1 access: no more clients than may be there at once, or come in a second", async () => {
  const cases: [AccessRules, string][] = [
    [{ maxClients: 1 }, "too-many-clients"],
    [{ maxClientsPerAddress: 1 }, "too-many-clients"],
    [{ clientRate: { count: 1, per: 1_000 } }, "client-rate"],
  ];
  for (const [rules, reason] of cases) {
    const clock = new FakeClock();
    await using echo = echoService();
    await using relay = await relayWith(echo.port, rules, clock);
    using first = await Stream.connect(relay.port);
    await first.write("x");
    assert.equal(await first.readText(1), "x");
    using second = await Stream.connect(relay.port);
    assert.equal((await second.readToItsEnd()).bytes.length, 0);
    assert.equal((await relay.server.events.next("client-end")).reason, reason);
    await first.write("y");
    assert.equal(await first.readText(1), "y");
    first.close();
    await relay.server.events.next("client-end");
    clock.tick(1_000);
    using third = await Stream.connect(relay.port);
    await third.write("z");
    assert.equal(await third.readText(1), "z");
  }
});

test("v1 access: a client is ended when its time is up, or when nothing went either way for long", async () => {
  for (
    const [rules, reason, ms] of [[{ timeLimit: 8_000 }, "time-limit", 8_000], [
      { idleTimeout: 8_000 },
      "idle-timeout",
      2_000,
    ]] as const
  ) {
    const clock = new FakeClock();
    await using service = new Service();
    await using relay = await relayWith(service.port, rules, clock);
    using client = await Stream.connect(relay.port);
    await service.accept();
    await clock.armed(ms);
    for (let n = 0; n < 10; n++) await clock.advance(1_000);
    assert.equal((await client.readToItsEnd()).bytes.length, 0);
    assert.equal((await relay.server.events.next("client-end")).reason, reason);
  }
});

test("v1 access: bandwidth up is held to by reading no more, and no byte is lost", async () => {
  const sent = noise(300_000, 3);
  await using service = new Service();
  await using relay = await relayWith(service.port, { bandwidthUp: 500_000 });
  using client = await Stream.connect(relay.port);
  const served = await service.accept();
  const since = performance.now();
  await client.write(sent);
  await client.closeWrite();
  assert.equal(await digest(await served.read(sent.length)), await digest(sent));
  assert.ok(performance.now() - since > 400, "250 kB of 300 wait for the rate");
});

test("v1 access: what v1 cannot have is refused when it is asked for", () => {
  const forward = (access: AccessRules) => ({
    hostAddress: { host: "127.0.0.1", port: 0 },
    localAddress: { host: "127.0.0.1", port: 1 },
    access,
  });
  for (const access of [{ bandwidthDown: 100_000 }, { closed: true }] as const) {
    const listen = [{ profile: "v1", address: { host: "127.0.0.1", port: 0 }, forwards: [forward(access)] }] as const;
    assert.throws(() => serve({ listen }), /cannot be had on v1/);
  }
});
