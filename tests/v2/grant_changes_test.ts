/**
 * What becomes of what a device may open when its owner thinks again.
 *
 * @module
 */

import { parseGrant } from "../../server/devices/service_grant.ts";
import assert from "node:assert/strict";
import { MIN_BARRED_COME_BACK_MS } from "../../server/limits.ts";
import { createIdentity, formatPublicKey, type Identity } from "../../net/tls/identity.ts";
import type { FakeClock } from "../rig/clock.ts";
import { echoService } from "../rig/service.ts";
import { flood, Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";
import { freePort, freeRange, portOf, refusesClients } from "../rig/ports.ts";
import {
  authorized,
  enlist,
  local,
  startV2Device,
  startV2Relay,
  startV2Server,
  type V2Device,
  type V2Server,
} from "../rig/v2/relay.ts";
import { within } from "../rig/wait.ts";

/** Longest time in which a device that is no longer welcome may still be served, in milliseconds. */
const OFF_WITHIN_MS = 1_000;

/** The word that a client gets back from a port. */
async function echoed(port: number, hostname = "127.0.0.1"): Promise<string> {
  using client = await Stream.connect(port, hostname);
  await client.write("word");
  return await client.readText(4);
}

/** A server, one linked device with an echo, and how to change what it may. */
async function startGranted(grants: readonly string[], host = "127.0.0.1", clock?: FakeClock): Promise<
  {
    server: V2Server;
    device: V2Device;
    identity: Identity;
    port: number;
    client: Stream;
    change(grants: readonly string[], more?: Parameters<typeof authorized>[3]): void;
  } & AsyncDisposable
> {
  const echo = echoService();
  const server = await startV2Server(clock && { serve: { clock } });
  const identity = await enlist(server, "gw1", grants);
  const device = startV2Device(server, identity, grants.map((text) => local(text.split("=")[0]!, echo)));
  const { hostAddress } = await device.events.next("service");
  const port = portOf(hostAddress!);
  const client = await Stream.connect(port, host);
  await client.write("x");
  await client.read(1);
  return {
    server,
    device,
    identity,
    port,
    client,
    change: (to, more) => server.directory.put(authorized("gw1", identity, to, more)),
    async [Symbol.asyncDispose]() {
      client.close();
      await device[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      await echo[Symbol.asyncDispose]();
    },
  };
}

test("v2 grants: a service that is taken away is closed at once with its clients; others and the link stay", async () => {
  await using echo = echoService();
  await using relay = await startV2Relay({ services: [local("a", echo), local("b", echo)] });
  const [a, b] = [await relay.hostPort("a"), await relay.hostPort("b")];
  using ofA = await Stream.connect(a);
  using ofB = await Stream.connect(b);
  for (const client of [ofA, ofB]) {
    await client.write("x");
    await client.read(1);
  }
  for (let n = 0; n < 2; n++) await relay.device.events.next("service");
  relay.server.directory.put(authorized("gw1", relay.device.identity, ["b=127.0.0.1:0"]));
  assert.equal((await within(ofA.readToEnd(), "the client's end", OFF_WITHIN_MS)).length, 0);
  assert.equal((await relay.server.events.next("client-end")).reason, "service-withdrawn");
  const { service, error } = await relay.device.events.next("service");
  assert.equal(service, "a");
  assert.match(error!, /not-granted/);
  await refusesClients(a);
  await ofB.write("still there");
  assert.equal(await ofB.readText(11), "still there");
  assert.equal(await echoed(b), "word");
  assert.equal(relay.server.events.types.includes("link-down"), false);
});

test("v2 grants: a service that is granted later is opened on the link that is there", async () => {
  await using echo = echoService();
  await using relay = await startV2Relay({ services: [local("a", echo)], grants: [] });
  assert.match((await relay.device.events.next("service")).error!, /not-granted: granted to gw1: none/);
  relay.server.directory.put(authorized("gw1", relay.device.identity, ["a=127.0.0.1:0"]));
  const { hostAddress } = await relay.device.events.next("service");
  assert.equal(await echoed(portOf(hostAddress!)), "word");
});

test("v2 grants: a fixed port that is changed is the new one, and the old one is closed with its clients", async () => {
  const [before, after] = [freePort("127.0.0.65"), freePort("127.0.0.65")];
  await using granted = await startGranted([`echo=127.0.0.65:${before}`], "127.0.0.65");
  assert.equal(granted.port, before);
  granted.change([`echo=127.0.0.65:${after}`]);
  const { hostAddress, error } = await granted.device.events.next("service");
  assert.deepEqual([hostAddress, error], [`127.0.0.65:${after}`, undefined]);
  assert.equal(await echoed(after, "127.0.0.65"), "word");
  await refusesClients(before, "127.0.0.65");
  assert.equal((await granted.client.readToEnd()).length, 0);
});

test("v2 grants: a port or a range that is changed is obeyed, though another port was kept", async () => {
  const host = "127.0.0.66";
  await using echo = echoService();
  await using server = await startV2Server();
  const identity = await createIdentity();
  const [one, two] = [freeRange(host, 2), freeRange(host, 4)];
  const grants = [`${host}:${one}`, `${host}:${one + 1}`, `${host}:${two}-${two + 1}`, `${host}:${two + 2}-${two + 3}`];
  const bound: number[] = [];
  for (const grant of grants) {
    server.directory.put(authorized("gw1", identity, [`echo=${grant}`])); // while there is no link
    await using device = startV2Device(server, identity, [local("echo", echo)]);
    bound.push(portOf((await device.events.next("service")).hostAddress!));
    await device.handle.shutdown();
    await server.events.next("link-down");
  }
  assert.deepEqual(bound, [one, one + 1, two, two + 2]);
});

test("v2 grants: what a device may open does not open while it has no link", async () => {
  await using granted = await startGranted(["echo=127.0.0.1:0"]);
  const { server, device, change } = granted;
  await device.handle.shutdown();
  await server.events.next("link-down");
  const port = freePort("127.0.0.1");
  change([`echo=127.0.0.1:${port}`]);
  await refusesClients(port);
  assert.deepEqual(server.handle.devices().map(({ services }) => services), [[]]);
});

test("v2 grants: when only the limits of a service change, its port stays open and its clients stay", async () => {
  const port = freePort("127.0.0.67");
  await using granted = await startGranted([`echo=127.0.0.67:${port}`], "127.0.0.67");
  granted.server.directory.put(
    authorized("gw1", granted.identity, [{ ...parseGrant(`echo=127.0.0.67:${port}`), maxClients: 1 }]),
  );
  await granted.client.write("still here");
  assert.equal(await granted.client.readText(10), "still here");
  using second = await Stream.connect(port, "127.0.0.67");
  assert.equal((await second.readToEnd()).length, 0);
  assert.equal((await granted.server.events.next("client-end")).reason, "too-many-clients");
  assert.equal(granted.server.events.types.includes("host-failed"), false);
  granted.client.close();
  await granted.server.events.next("client-end");
  assert.equal(await echoed(port, "127.0.0.67"), "word");
});

test("v2 grants: a device that is renamed keeps its link, its clients and its ports", async () => {
  await using granted = await startGranted(["echo=127.0.0.1:0"]);
  granted.server.directory.put(authorized("gw2", granted.identity, ["echo=127.0.0.1:0"]));
  await granted.client.write("same");
  assert.equal(await granted.client.readText(4), "same");
  assert.deepEqual(granted.server.handle.devices().map(({ name, online }) => [name, online]), [["gw2", true]]);
  assert.equal(await echoed(granted.port), "word");
});

test("v2 grants: a device whose entry is back is back within seconds, with its port", async () => {
  await using granted = await startGranted(["echo=127.0.0.1:0"]);
  const { server, device, identity } = granted;
  server.directory.remove(authorized("gw1", identity, []));
  await device.events.next("lost");
  granted.change(["echo=127.0.0.1:0"]);
  await device.events.next("online"); // the one of before
  await device.events.next("online");
  assert.equal(server.handle.devices().length, 1);
});

for (
  const [how, code] of [
    ["revoked", "revoked"],
    ["disabled", "disabled"],
    ["expired", "expired"],
  ] as const
) {
  test(`v2 grants: a device that is ${how} while it is linked is off within a second, and asks again in seconds`, async () => {
    await using granted = await startGranted(["echo=127.0.0.1:0"]);
    const { server, device, identity, client } = granted;
    const since = performance.now();
    if (how === "revoked") server.directory.remove(authorized("gw1", identity, []));
    if (how === "disabled") granted.change(["echo=127.0.0.1:0"], { disabled: true });
    if (how === "expired") granted.change(["echo=127.0.0.1:0"], { expires: Date.now() + 200 });
    assert.equal((await client.readToEnd()).length, 0);
    const down = await server.events.next("link-down");
    assert.ok(performance.now() - since < OFF_WITHIN_MS, `it took ${performance.now() - since} ms`);
    assert.equal(down.reason, "revoked");
    await refusesClients(granted.port);
    const lost = await device.events.next("lost");
    assert.deepEqual([lost.reason, lost.detail?.split(":")[0]], ["goodbye", code]);
    const [soonest, latest] = [MIN_BARRED_COME_BACK_MS, 2 * MIN_BARRED_COME_BACK_MS];
    assert.ok(lost.retryIn! >= soonest && lost.retryIn! <= latest, `it comes back in ${lost.retryIn} ms`);
    assert.equal(device.handle.status.goodbye?.code, code);
    assert.equal(device.handle.state, "waiting");
    assert.equal(
      device.log.matching(new RegExp(`link down: .*goodbye \\(${code}: .*next try in `)).length,
      1,
    );
  });

  test(`v2 grants: a device that was ${how} before it came is told so, and asks again in seconds`, async () => {
    await using server = await startV2Server();
    const identity = await createIdentity();
    if (how === "disabled") server.directory.put(authorized("gw1", identity, [], { disabled: true }));
    if (how === "expired") server.directory.put(authorized("gw1", identity, [], { expires: Date.now() - 1 }));
    await using device = startV2Device(server, identity, []);
    const failed = await device.events.next("dial-failed");
    const wanted = how === "revoked" ? "unknown-device" : code;
    assert.equal(failed.goodbye, wanted);
    assert.ok(failed.retryIn >= MIN_BARRED_COME_BACK_MS && failed.retryIn <= 2 * MIN_BARRED_COME_BACK_MS);
    const refused = await server.events.next("refused");
    assert.match(refused.why, new RegExp(`^${wanted}: `));
    const name = how === "revoked" ? undefined : "gw1";
    assert.deepEqual([refused.device, refused.key], [name, formatPublicKey(identity.publicKey)]);
    assert.equal(server.events.types.includes("link-up"), false);
  });
}

test("v2 grants: a device that is revoked under full load hears why", async () => {
  await using granted = await startGranted(["echo=127.0.0.1:0"]);
  const { server, device, identity, client } = granted;
  const { flowing, over } = flood([client], 256 * 1024, 20_000_000);
  await flowing;
  server.directory.remove(authorized("gw1", identity, []));
  const lost = await device.events.next("lost");
  assert.deepEqual([lost.reason, lost.detail], ["goodbye", "revoked: gw1 was revoked"]);
  client.close();
  await over;
});
