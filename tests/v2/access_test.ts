/**
 * Who may reach a service on v2: by real clients over real sockets.
 *
 * @module
 */

import assert from "node:assert/strict";
import { encodeProxyHeader } from "../../net/proxy/header.ts";
import type { KeepAliveSettings } from "../../mod.ts";
import type { AccessRules } from "../../server/access/rules.ts";
import { parseGrant } from "../../server/devices/service_grant.ts";
import { FakeClock } from "../rig/clock.ts";
import { echoService, Service } from "../rig/service.ts";
import type { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";
import { digest, noise } from "../rig/bytes.ts";
import { authorized, local, startV2Relay, type V2Relay, type V2RelayOptions } from "../rig/v2/relay.ts";

const KB = 1_000;
const OFF: KeepAliveSettings = { idleTimeout: -1, probeInterval: 1_000, probeCount: 0 };

/** A relay of `echo` with rules of its own, and beside it `free` without. */
function ruledRelay(port: number, rules: AccessRules, options: Partial<V2RelayOptions> = {}): Promise<V2Relay> {
  return startV2Relay({
    services: [local("echo", { port }), local("free", { port })],
    grants: [{ ...parseGrant("echo=127.0.0.1:0"), ...rules }, "free=127.0.0.1:0"],
    ...options,
  });
}

/** Changes the rules of `echo`. */
function change(relay: V2Relay, rules: AccessRules): void {
  relay.server.directory.put(
    authorized("gw1", relay.device.identity, [{ ...parseGrant("echo=127.0.0.1:0"), ...rules }, "free=127.0.0.1:0"]),
  );
}

async function echoes(client: Stream, text = "x"): Promise<void> {
  await client.write(text);
  assert.equal(await client.readText(text.length), text);
}

async function assertRefused(relay: V2Relay, service: string, reason: string, why: RegExp): Promise<void> {
  using client = await relay.connect(service);
  assert.equal((await client.readToItsEnd()).bytes.length, 0);
  const end = await relay.server.events.next("client-end");
  assert.deepEqual([end.reason, end.localAddress], [reason, service]);
  assert.match(end.error!, why);
}

test("v2 access: a client of a network that is denied, or not allowed, reaches neither the service nor the device", async () => {
  for (const rules of [{ denyFrom: ["127.0.0.0/8"] }, { allowFrom: ["10.0.0.0/8", "::/0"] }]) {
    await using echo = echoService();
    await using relay = await ruledRelay(echo.port, rules);
    await assertRefused(relay, "echo", "not-allowed", /(deny|allow)-from/);
    assert.equal(relay.device.events.types.includes("channel-end"), false, "no channel was opened");
    assert.equal(echo.accepted, 0);
    using free = await relay.connect("free");
    await echoes(free);
    const [refusal, ...others] = relay.server.handle.refusals();
    assert.deepEqual([refusal!.who, refusal!.reason, refusal!.count, others.length], ["client", "not-allowed", 1, 0]);
    assert.deepEqual([refusal!.site, refusal!.device, refusal!.service], ["127.0.0.1", "gw1", "echo"]);
    assert.match(refusal!.why!, /(deny|allow)-from/);
    assert.equal(relay.server.log.matching(/^warn: client .* ended: not-allowed/).length, 1);
  }
});

test("v2 access: rules of a service go before those of its device, and those before the ones for all", async () => {
  await using echo = echoService();
  await using relay = await startV2Relay({
    services: [local("own", echo), local("none", echo)],
    grants: [{ ...parseGrant("own=127.0.0.1:0"), allowFrom: ["127.0.0.0/8"] }, "none=127.0.0.1:0"],
  });
  using own = await relay.connect("own");
  using none = await relay.connect("none");
  await echoes(own);
  await echoes(none);
  relay.server.directory.defaults = { denyFrom: [], allowFrom: ["192.0.2.0/24"] }; // for all
  assert.equal((await none.readToItsEnd()).bytes.length, 0);
  assert.equal((await relay.server.events.next("client-end")).reason, "not-allowed");
  await echoes(own, "it has a rule of its own");
  const [grants] = [relay.server.directory.byKey(relay.device.identity.publicKey)!.services];
  relay.server.directory.put(
    authorized("gw1", relay.device.identity, grants, { access: { allowFrom: ["127.0.0.1"] } }),
  );
  using again = await relay.connect("none");
  await echoes(again, "its device has one");
});

test("v2 access: behind a load balancer it is the client that counts, and not the balancer", async () => {
  await using echo = echoService();
  await using relay = await startV2Relay({
    services: [local("echo", echo)],
    grants: [{
      ...parseGrant("echo=127.0.0.1:0"),
      proxyFrom: ["127.0.0.0/8"],
      allowFrom: ["203.0.113.0/24", "2001:db8::/32"],
      maxClientsPerAddress: 1,
    }],
  });
  const come = async (host: string) => {
    const client = await relay.connect("echo");
    await client.write(
      encodeProxyHeader(2, { host, port: 9 }, { host: host.includes(":") ? "::1" : "192.0.2.1", port: 80 }),
    );
    return client;
  };
  using first = await come("203.0.113.7");
  await echoes(first);
  for (const [host, reason] of [["203.0.114.7", "not-allowed"], ["203.0.113.7", "too-many-clients"]] as const) {
    using refused = await come(host);
    assert.equal((await refused.readToItsEnd()).bytes.length, 0);
    const end = await relay.server.events.next("client-end");
    assert.deepEqual([end.client, end.reason], [`${host}:9`, reason]);
  }
  using mapped = await come("::ffff:203.0.113.8");
  await echoes(mapped);
  using v6 = await come("2001:db8::1");
  await echoes(v6);
});

test("v2 access: more new clients than may come in a second are refused, and let in when it has passed", async () => {
  for (const rules of [{ clientRate: { count: 2, per: 1_000 } }, { clientRatePerAddress: { count: 2, per: 1_000 } }]) {
    const clock = new FakeClock();
    await using echo = echoService();
    await using relay = await ruledRelay(echo.port, rules, {
      serve: { clock, keepAlive: OFF },
      device: { keepAlive: OFF },
    });
    for (let n = 0; n < 2; n++) {
      using client = await relay.connect("echo");
      await echoes(client);
      client.close();
      await relay.server.events.next("client-end");
    }
    await assertRefused(relay, "echo", "client-rate", /2 new clients in 1 s are the most/);
    clock.tick(500);
    using client = await relay.connect("echo");
    await echoes(client);
  }
});

test("v2 access: a client is ended by a reset when its time is up, and others stay", async () => {
  const clock = new FakeClock();
  await using service = new Service();
  await using relay = await ruledRelay(service.port, { timeLimit: 60_000 }, {
    serve: { clock, keepAlive: OFF },
    device: { keepAlive: OFF },
  });
  using client = await relay.connect("echo");
  const served = await service.accept();
  using free = await relay.connect("free");
  const other = await service.accept();
  await client.write("x");
  assert.equal(await served.readText(1), "x");
  await clock.armed(60_000);
  clock.tick(60_000);
  assert.equal((await client.readToItsEnd()).bytes.length, 0);
  assert.equal((await served.readToItsEnd()).bytes.length, 0);
  assert.equal((await relay.server.events.next("client-end")).reason, "time-limit");
  assert.equal((await relay.device.events.next("channel-end")).reason, "not-allowed");
  await other.write("still here");
  assert.equal(await free.readText(10), "still here");
  assert.deepEqual(relay.server.handle.refusals().map(({ reason, count }) => [reason, count]), [["time-limit", 1]]);
});

test("v2 access: outside its hours a client is refused, and who is there is ended when they are over", async () => {
  const clock = new FakeClock();
  const at = (later: number) => new Date(clock.wall() + later).toISOString().slice(11, 16);
  const hours = [`${at(0)}-${at(120_000)} UTC`];
  await using echo = echoService();
  await using relay = await ruledRelay(echo.port, { hours }, {
    serve: { clock, keepAlive: OFF },
    device: { keepAlive: OFF },
  });
  using client = await relay.connect("echo");
  await echoes(client);
  clock.tick(60_000);
  await echoes(client);
  clock.tick(60_000);
  assert.equal((await client.readToItsEnd()).bytes.length, 0);
  assert.equal((await relay.server.events.next("client-end")).reason, "outside-hours");
  await assertRefused(relay, "echo", "outside-hours", /clients may come at \d\d:\d\d-\d\d:\d\d UTC/);
});

test("v2 access: rules that change hold for new clients at once, and only who may not be there any more is ended", async () => {
  await using echo = echoService();
  await using relay = await ruledRelay(echo.port, {});
  using client = await relay.connect("echo");
  using free = await relay.connect("free");
  await echoes(client);
  await echoes(free);
  change(relay, { maxClients: 1, timeLimit: 1, bandwidthDown: 10 * KB, clientRate: { count: 1, per: 1_000 } });
  await assertRefused(relay, "echo", "too-many-clients", /1 clients are the most/);
  await echoes(client, "x".repeat(30 * KB));
  change(relay, { denyFrom: ["127.0.0.1"] });
  assert.equal((await client.readToItsEnd()).bytes.length, 0);
  assert.equal((await relay.server.events.next("client-end")).reason, "not-allowed");
  await echoes(free);
});

for (const way of ["bandwidthUp", "bandwidthDown"] as const) {
  test(`v2 access: ${way} holds all clients of a service to a rate, loses no byte, and leaves another service alone`, async () => {
    const sent = noise(200 * KB, 7);
    const wanted = await digest(sent);
    const got: Promise<string>[] = [];
    await using service = new Service(async (stream) => {
      if (way === "bandwidthDown") await stream.write(sent);
      else {
        const whole = stream.readToEnd().then(digest);
        got.push(whole);
        await whole;
      }
    });
    await using relay = await ruledRelay(service.port, { [way]: 500 * KB });
    const carry = async (name: string) => {
      using client = await relay.connect(name);
      if (way === "bandwidthDown") return await digest(await client.readToEnd());
      await client.write(sent);
      await client.closeWrite();
      await client.readToEnd();
      return wanted;
    };
    const free = carry("free");
    const since = performance.now();
    const two = Promise.all([carry("echo"), carry("echo")]);
    assert.equal(await free, wanted);
    const freed = performance.now() - since;
    assert.deepEqual(await two, [wanted, wanted]);
    const taken = performance.now() - since;
    for (const each of got) assert.equal(await each, wanted);
    assert.ok(taken > 600, `400 kB at 500 kB/s took ${taken} ms`); // less a burst of 50 kB
    assert.ok(freed < taken, `the other service took ${freed} of ${taken} ms`);
  });
}
