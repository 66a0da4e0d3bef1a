/**
 * Services that the server defines, within what the device's owner allows.
 *
 * @module
 */

import assert from "node:assert/strict";
import { parseAllow } from "../../mod.ts";
import { parseGrant, type ServiceGrant } from "../../server/devices/service_grant.ts";
import { freePort, portOf, refusesClients } from "../rig/ports.ts";
import { echoService, Service } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";
import { authorized, local, startV2Relay, type V2Relay } from "../rig/v2/relay.ts";

/** A relay that offers `echo`, and a device that allows `rules`; `grants` beside that. */
function definedRelay(
  servicePort: number,
  grants: readonly ServiceGrant[],
  rules: readonly string[],
): Promise<V2Relay> {
  return startV2Relay({
    services: [local("echo", { port: servicePort })],
    grants: ["echo=127.0.0.1:0", ...grants],
    device: rules.length > 0 ? { allow: rules.map(parseAllow) } : {},
  });
}

const defined = (name: string, address: string, port = 0): ServiceGrant => ({
  ...parseGrant(`${name}=127.0.0.1:${port}`),
  local: address,
});

/** Where a service is open. */
async function opened(relay: V2Relay, name: string): Promise<number> {
  for (;;) {
    const { localAddress, hostAddress } = await relay.server.events.next("host-open");
    if (localAddress === name) return portOf(hostAddress);
  }
}

async function echoes(port: number): Promise<void> {
  using client = await Stream.connect(port);
  await client.write("x");
  assert.equal(await client.readText(1), "x");
}

test("v2 defined: a service of the server's is reached within what the device allows, and changes without touching it", async () => {
  await using echo = echoService();
  await using greeter = new Service((stream) => stream.write("hello"));
  await using relay = await definedRelay(echo.port, [defined("web", `127.0.0.1:${echo.port}`)], ["127.0.0.1:*"]);
  const port = await opened(relay, "web");
  await echoes(port);
  assert.equal((await relay.server.events.next("client-end")).localAddress, "web");
  const told = await relay.device.events.next("channel-end");
  assert.equal(told.service, "web");
  const { identity } = relay.device;
  relay.server.directory.put(
    authorized("gw1", identity, [
      "echo=127.0.0.1:0",
      defined("web", `127.0.0.1:${greeter.port}`),
      defined("more", `127.0.0.1:${echo.port}`),
    ]),
  );
  await echoes(await opened(relay, "more"));
  using client = await Stream.connect(port);
  assert.equal(await client.readText(5), "hello");
  assert.equal(relay.device.events.types.includes("lost"), false);
  relay.server.directory.put(authorized("gw1", identity, ["echo=127.0.0.1:0"]));
  await relay.server.events.next("host-closed");
  await refusesClients(port);
  await echoes(await relay.hostPort("echo"));
});

test("v2 defined: what the device does not allow is refused by it, and nothing is dialled", async () => {
  await using echo = echoService();
  await using secret = new Service();
  await using relay = await definedRelay(echo.port, [defined("web", `127.0.0.1:${secret.port}`)], [
    `127.0.0.1:${echo.port}`,
  ]);
  using client = await Stream.connect(await opened(relay, "web"));
  assert.equal((await client.readToItsEnd()).bytes.length, 0);
  const end = await relay.server.events.next("client-end");
  assert.equal(end.reason, "not-allowed");
  assert.match(end.error!, /is not within what the device allows/);
  assert.equal((await relay.device.events.next("channel-end")).service, "web");
  assert.equal(secret.accepted, 0);
});

test("v2 defined: a device whose owner allows nothing, as all of before, serves what it offers, and the log says why not more", async () => {
  await using echo = echoService();
  const port = freePort("127.0.0.1");
  await using relay = await definedRelay(echo.port, [defined("web", `127.0.0.1:${echo.port}`, port)], []);
  await echoes(await relay.hostPort("echo"));
  await refusesClients(port);
  assert.equal(relay.server.log.matching(/^warn: .*gw1 lets the server name no address; web is not open/).length, 1);
  const web = relay.server.handle.device("gw1").status!.services.find(({ name }) => name === "web")!;
  assert.match(web.error!, /lets the server name no address; .* --allow /);
});

test("v2 defined: in mode config it is closed, and open again in run", async () => {
  await using echo = echoService();
  await using relay = await definedRelay(echo.port, [defined("web", `127.0.0.1:${echo.port}`)], ["127.0.0.1:*"]);
  const port = await opened(relay, "web");
  relay.device.handle.setMode("config");
  while ((await relay.server.events.next("host-closed")).localAddress !== "web");
  await refusesClients(port);
  relay.device.handle.setMode("run");
  await echoes(await opened(relay, "web"));
});
