/**
 * What a device may open, service by service.
 *
 * @module
 */

import assert from "node:assert/strict";
import { EXPIRY_LOOK_MS } from "../../server/limits.ts";
import { createIdentity, formatPublicKey } from "../../net/tls/identity.ts";
import { FakeClock } from "../rig/clock.ts";
import { echoService, Service } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";
import { freeRange, portOf } from "../rig/ports.ts";
import { authorized, enlist, local, startV2Device, startV2Relay, startV2Server } from "../rig/v2/relay.ts";

/** The word that a client gets back from a port. */
async function echoed(port: number, hostname = "127.0.0.1"): Promise<string> {
  using client = await Stream.connect(port, hostname);
  await client.write("word");
  return await client.readText(4);
}

test("v2 grants: each service is granted or refused apart, and the device hears why", async () => {
  await using echo = echoService();
  const taken = Deno.listen({ hostname: "127.0.0.61", port: 0 });
  await using relay = await startV2Relay({
    services: ["a", "b", "c"].map((name) => local(name, echo)),
    grants: ["a=127.0.0.1:0", `c=127.0.0.61:${taken.addr.port}`, "other=127.0.0.1:0"],
  });
  const answers = new Map<string, string | undefined>();
  for (let n = 0; n < 3; n++) {
    const { service, error } = await relay.device.events.next("service");
    answers.set(service, error);
  }
  assert.equal(answers.get("a"), undefined);
  assert.match(answers.get("b")!, /^not-granted: granted to gw1: a, c, other$/);
  assert.match(answers.get("c")!, /^port-unavailable: on the server: Cannot listen .*in use/);
  assert.equal(await echoed(await relay.hostPort("a")), "word");
  assert.deepEqual(relay.device.handle.status.services.map(({ name, error }) => [name, error !== undefined]), [
    ["a", false],
    ["b", true],
    ["c", true],
  ]);
  assert.equal(relay.server.log.matching(/gw1 offers b, which it was not granted/).length, 1);
  assert.equal(relay.device.log.matching(/^error: service [bc] is not open/).length, 2);
  taken.close();
});

test("v2 grants: a device in mode config may ask for its services, and none is opened", async () => {
  await using echo = echoService();
  await using relay = await startV2Relay({
    services: [...["ssh", "webb"].map((name) => local(name, echo)), "ntp=udp:127.0.0.1:123", "dns=udp:127.0.0.1:53"],
    grants: ["ssh=127.0.0.1:0", "web=127.0.0.1:0", "ntp=127.0.0.1:0", "dns=udp:127.0.0.1:0"],
    device: { mode: "config" },
  });
  const { handle, log } = relay.device;
  await handle.ready;
  assert.deepEqual(await relay.device.ways.askGrants(), ["granted", "not-granted", "not-granted", "granted"]);
  const said = log.matching(/^error: service \w+ is not open/);
  assert.equal(said.length, 2);
  assert.match(
    said[0]!,
    /webb is not open: not-granted: granted to gw1: ssh, web, ntp, dns; did you mean "web"\? here: /,
  );
  assert.match(
    said[1]!,
    /ntp is not open: .*udp: at the device.*; on the server: .*service move gw1 ntp=udp:HOST:PORT$/,
  );
  assert.ok(relay.server.handle.devices().every(({ services }) => services.every(({ open }) => !open)));
  handle.setMode("run");
  assert.equal(await echoed(await relay.hostPort("ssh")), "word");
});

test("v2 grants: a port that is in use is opened when it is free, and the device is told again", async () => {
  const clock = new FakeClock();
  await using echo = echoService();
  const taken = Deno.listen({ hostname: "127.0.0.62", port: 0 });
  const { port } = taken.addr;
  await using relay = await startV2Relay({
    services: [local("echo", echo)],
    grants: [`echo=127.0.0.62:${port}`],
    serve: { clock, keepAlive: { idleTimeout: -1, probeInterval: 1000, probeCount: 0 } },
  });
  assert.match((await relay.device.events.next("service")).error!, /in use/);
  assert.equal((await relay.server.events.next("host-failed")).device, "gw1");
  taken.close();
  clock.tick(1_000);
  const { hostAddress, error } = await relay.device.events.next("service");
  assert.deepEqual([hostAddress, error], [`127.0.0.62:${port}`, undefined]);
  assert.equal(await echoed(port, "127.0.0.62"), "word");
});

test("v2 grants: of a range the first free port is taken, and the next one when that is in use", async () => {
  await using echo = echoService();
  const first = freeRange("127.0.0.63", 3);
  const taken = Deno.listen({ hostname: "127.0.0.63", port: first });
  await using relay = await startV2Relay({
    services: [local("x", echo), local("y", echo), local("z", echo)],
    grants: ["x", "y", "z"].map((name) => `${name}=127.0.0.63:${first}-${first + 2}`),
  });
  const answers = [];
  for (let n = 0; n < 3; n++) answers.push(await relay.device.events.next("service"));
  assert.deepEqual(answers.map(({ hostAddress }) => hostAddress && portOf(hostAddress)), [
    first + 1,
    first + 2,
    undefined,
  ]);
  assert.match(answers[2]!.error!, /port-unavailable/);
  taken.close();
});

test("v2 grants: a free port stays the same from link to link, and from device process to device process", async () => {
  await using echo = echoService();
  await using server = await startV2Server();
  const identity = await enlist(server, "gw1", ["echo=127.0.0.64:0", "web=127.0.0.64:20000-29999"]);
  const ports = new Set<string>();
  for (let round = 0; round < 5; round++) {
    await using device = startV2Device(server, identity, [local("echo", echo), local("web", echo)]);
    const [a, b] = [await device.events.next("service"), await device.events.next("service")];
    ports.add(`${a.hostAddress} ${b.hostAddress}`);
    await device.handle.shutdown();
    await server.events.next("link-down");
  }
  assert.equal(ports.size, 1, [...ports].join("; "));
  assert.equal(server.events.types.includes("host-failed"), false);
});

test("v2 grants: whoever nobody authorized is told so with its key, and tries again, more and more slowly", async () => {
  await using service = new Service();
  await using server = await startV2Server({ security: "tls" });
  const identity = await createIdentity();
  await using device = startV2Device(server, identity, [local("svc", service)]);
  const failed = await device.events.next("dial-failed");
  assert.equal(failed.goodbye, "unknown-device");
  assert.match(
    failed.error,
    /nobody authorized ed25519:.*; on the server: `enroll NAME`, or with --replace if it is there/,
  );
  assert.ok(failed.retryIn >= 2_000 && failed.retryIn <= 4_000);
  const { goodbye, isCompatible, state } = device.handle.status;
  assert.deepEqual([goodbye?.code, isCompatible, state], ["unknown-device", true, "waiting"]);
  const refused = await server.events.next("refused");
  assert.match(refused.why, /^unknown-device: nobody authorized ed25519:/);
  assert.deepEqual([refused.device, refused.key, refused.proved], [
    undefined,
    formatPublicKey(identity.publicKey),
    true,
  ]);
  assert.equal(server.log.matching(/^warn: refused/).length, 1);
  assert.deepEqual(server.handle.devices(), []);
});

test("v2 grants: a service beyond 256 is refused by the library before it dials", async () => {
  await using server = await startV2Server();
  const identity = await createIdentity();
  const services = Array.from({ length: 257 }, (_, n) => `s${n}=127.0.0.1:22`);
  assert.throws(() => startV2Device(server, identity, services), /257 services/);
});

test("v2 grants: a service that is there twice is refused by the library before it dials", async () => {
  await using server = await startV2Server();
  const identity = await createIdentity();
  assert.throws(
    () => startV2Device(server, identity, ["ssh=127.0.0.1:22", "ssh=127.0.0.1:23"]),
    /Cannot offer the service ssh twice/,
  );
});

test("v2 grants: one that holds for a day ends when the day is over, and not before", async () => {
  const clock = new FakeClock();
  await using echo = echoService();
  const expires = clock.wall() + 24 * 3600_000;
  const identity = await createIdentity();
  await using server = await startV2Server({
    serve: { clock, keepAlive: { idleTimeout: -1, probeInterval: 1000, probeCount: 0 } },
  });
  server.directory.put(authorized("gw1", identity, ["echo=127.0.0.1:0"], { expires }));
  await using device = startV2Device(server, identity, [local("echo", echo)]);
  const port = portOf((await device.events.next("service")).hostAddress!);
  clock.tick(24 * 3600_000 - 1_000);
  assert.equal(await echoed(port), "word");
  clock.tick(1_000 + EXPIRY_LOOK_MS);
  assert.equal((await server.events.next("link-down")).reason, "revoked");
  const { detail } = await device.events.next("lost");
  assert.match(detail!, /^expired: the grant of gw1 expired on \d{4}-\d\d-\d\d$/);
});
