/**
 * Services that are closed by default, and opened for a time.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { KeepAliveSettings } from "../../mod.ts";
import type { AccessRules } from "../../server/access/rules.ts";
import { parseGrant } from "../../server/devices/service_grant.ts";
import { FakeClock } from "../rig/clock.ts";
import { freePort, refusesClients } from "../rig/ports.ts";
import { echoService } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";
import { authorized, local, startV2Relay } from "../rig/v2/relay.ts";

const OFF: KeepAliveSettings = { idleTimeout: -1, probeInterval: 1_000, probeCount: 0 };
const HOUR = 3_600_000;

/** A relay whose `echo` is closed, and where it would be. */
async function closedRelay(servicePort: number, more: AccessRules = {}) {
  const clock = new FakeClock();
  const port = freePort("127.0.0.1");
  const relay = await startV2Relay({
    services: [local("echo", { port: servicePort }), local("free", { port: servicePort })],
    grants: [{ ...parseGrant(`echo=127.0.0.1:${port}`), closed: true, ...more }, "free=127.0.0.1:0"],
    serve: { clock, keepAlive: OFF },
    device: { keepAlive: OFF },
  });
  await relay.hostPort("free"); // both were answered
  return { clock, port, relay, server: relay.server, [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose]() };
}

async function echoes(client: Stream): Promise<void> {
  await client.write("x");
  assert.equal(await client.readText(1), "x");
}

test("v2 openings: a closed service has no host port until it is opened, and none when its time is over", async () => {
  await using echo = echoService();
  await using closed = await closedRelay(echo.port);
  const { clock, port, server } = closed;
  await refusesClients(port);
  const [status] = server.handle.device("gw1").status!.services.filter(({ name }) => name === "echo");
  assert.deepEqual([status!.open, status!.hostAddress], [false, `127.0.0.1:${port}`]);
  assert.match(status!.error!, /^closed: "server open gw1\/echo --for 1h" opens it for a time$/);
  const { device } = closed.relay;
  const answer = device.events.seen.find((event) => event.type === "service" && event.service === "echo");
  assert.equal(
    answer?.type === "service" && answer.error,
    'closed: "server open gw1/echo --for 1h" opens it for a time',
  );
  assert.equal(device.log.matching(/^info: service echo is not open: closed: /).length, 1);
  const until = clock.wall() + HOUR;
  server.handle.openService("gw1", "echo", { for: HOUR, reason: "ticket 7", by: "alice" });
  const opened = await server.events.next("service-opened");
  assert.deepEqual([opened.device, opened.localAddress, opened.until, opened.reason, opened.by], [
    ...["gw1", "echo", until, "ticket 7", "alice"],
  ]);
  while ((await server.events.next("host-open")).localAddress !== "echo");
  assert.equal(server.handle.device("gw1").status!.services.find(({ name }) => name === "echo")!.until, until);
  using client = await Stream.connect(port);
  await echoes(client);
  using free = await closed.relay.connect("free");
  await echoes(free);
  clock.tick(HOUR + 500);
  assert.equal((await client.readToItsEnd()).bytes.length, 0);
  assert.equal((await server.events.next("client-end")).reason, "access-closed");
  const ended = await server.events.next("service-closed");
  assert.deepEqual([ended.by, ended.openedBy, ended.reason], [undefined, "alice", "ticket 7"]);
  await server.events.next("host-closed");
  await refusesClients(port);
  await echoes(free);
  assert.equal(server.log.matching(/gw1\/echo is opened by alice until .* reason: ticket 7/).length, 1);
  assert.equal(server.log.matching(/gw1\/echo, opened by alice, is closed by the clock/).length, 1);
  assert.deepEqual(server.handle.openings(), []);
});

test("v2 openings: somebody may close it before, and clients who are there stay if that was said", async () => {
  await using echo = echoService();
  await using closed = await closedRelay(echo.port);
  const { port, server } = closed;
  server.handle.openService("gw1", "echo", { for: HOUR, keepClients: true });
  while ((await server.events.next("host-open")).localAddress !== "echo");
  using client = await Stream.connect(port);
  await echoes(client);
  assert.equal(server.handle.closeService("gw1", "echo", "bob"), true);
  assert.equal((await server.events.next("service-closed")).by, "bob");
  await server.events.next("host-closed");
  await refusesClients(port);
  await echoes(client);
  assert.equal(server.handle.closeService("gw1", "echo"), false);
});

test("v2 openings: it is open to those alone that it was opened to, and the rules hold as well", async () => {
  await using echo = echoService();
  await using closed = await closedRelay(echo.port);
  const { port, server } = closed;
  server.handle.openService("gw1", "echo", { for: HOUR, from: ["198.51.100.7"] });
  while ((await server.events.next("host-open")).localAddress !== "echo");
  using other = await Stream.connect(port);
  assert.equal((await other.readToItsEnd()).bytes.length, 0);
  const end = await server.events.next("client-end");
  assert.deepEqual([end.reason, end.error], ["not-allowed", "the service was not opened to its network"]);
  server.handle.openService("gw1", "echo", { for: HOUR, from: ["127.0.0.0/8"] });
  using client = await Stream.connect(port);
  await echoes(client);
  server.handle.openService("gw1", "echo", { for: HOUR, from: ["198.51.100.7"] });
  assert.equal((await client.readToItsEnd()).bytes.length, 0);
});

test("v2 openings: a rule that closes a service while it runs ends its clients, and one that is taken away opens it", async () => {
  await using echo = echoService();
  await using closed = await closedRelay(echo.port);
  const { port, server, relay } = closed;
  const put = (rules: AccessRules, access: AccessRules = {}) =>
    server.directory.put(
      authorized("gw1", relay.device.identity, [
        { ...parseGrant(`echo=127.0.0.1:${port}`), ...rules },
        "free=127.0.0.1:0",
      ], {
        access,
      }),
    );
  put({ closed: false });
  while ((await server.events.next("host-open")).localAddress !== "echo");
  using client = await Stream.connect(port);
  await echoes(client);
  put({}, { closed: true }); // by its device
  assert.equal((await client.readToItsEnd()).bytes.length, 0);
  assert.equal((await server.events.next("client-end")).reason, "access-closed");
  put({});
  while ((await server.events.next("host-open")).localAddress !== "echo");
});

test("v2 openings: what cannot be opened is told", async () => {
  await using echo = echoService();
  await using closed = await closedRelay(echo.port);
  const { handle } = closed.server;
  assert.throws(() => handle.openService("gw2", "echo", { for: HOUR }), /there is no device "gw2"/);
  assert.throws(() => handle.openService("gw1", "ssh", { for: HOUR }), /"gw1" has no service "ssh"/);
  assert.throws(() => handle.openService("gw1", "free", { for: HOUR }), /gw1\/free is not closed/);
  assert.throws(() => handle.openService("gw1", "echo", { for: 0 }), /options\.for is 0/);
  assert.throws(() => handle.openService("gw1", "echo", { for: HOUR, from: ["x"] }), /not a network/);
});
