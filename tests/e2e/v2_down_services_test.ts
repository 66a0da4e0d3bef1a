/**
 * Services that are not there: what their clients see, and when.
 *
 * @module
 */

import assert from "node:assert/strict";
import { echoService } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { processTest } from "../rig/processes/harness.ts";
import { poll } from "../rig/wait.ts";
import { echoSession } from "../rig/processes/session.ts";
import { serviceOpen, V2Relay } from "../rig/processes/relay.ts";
import { freePort } from "../rig/ports.ts";

/** A round trip on this machine, and what a busy one adds, in milliseconds. */
const ROUND_TRIP_MS = 300;

processTest("a client of a service that refuses is ended within a round trip, and both logs say why", [], async () => {
  const port = freePort("127.0.0.1");
  await using relay = await V2Relay.start([`web=127.0.0.1:${port}`]);
  const times: number[] = [];
  for (let round = 0; round < 5; round++) {
    const since = performance.now();
    using client = await Stream.connect(relay.hostPort);
    if (round % 2 === 1) await client.write("early bytes").catch(() => {});
    assert.equal((await client.readToEnd()).length, 0);
    times.push(performance.now() - since);
  }
  const took = times.toSorted((a, b) => a - b)[2]!;
  assert.ok(took < ROUND_TRIP_MS, `most took ${took} ms and more`);
  const [server, device] = await Promise.all([
    relay.server.logged(/^client .* ended: service-refused/),
    relay.device.logged(/^client .* cannot reach web: service-refused/),
  ]);
  for (const line of [server, device]) assert.match(String(line["error"]), /refused/i);
  assert.equal(server["client"], device["client"]);
  await using service = echoService({ port });
  await echoSession(relay.hostPort);
  assert.ok(service.accepted > 0);
});

processTest("down=refuse: the host port refuses while the service is down, and opens when it is up", [], async () => {
  const port = freePort("127.0.0.1");
  await using up = new AsyncDisposableStack();
  up.use(echoService({ port }));
  await using relay = await V2Relay.start([`web=127.0.0.1:${port},down=refuse`, `other=127.0.0.1:${port}`]);
  await echoSession(relay.hostPort);
  await up.disposeAsync();
  await poll(() => refuses(relay.hostPort), () => "clients can connect still");
  assert.equal(await refuses(relay.hostPorts[1]!), false, "another service keeps its port");
  const down = await relay.device.logged(/^service web is down/);
  assert.equal(down.level, "warn");
  const from = relay.device.child.stdout.length;
  await using _again = echoService({ port });
  assert.equal(await serviceOpen(relay.device, "web", from), relay.host, "the same port");
  await echoSession(relay.hostPort);
});

processTest("down=refuse: a service that is down from the start has no host port until it is up", [], async () => {
  const port = freePort("127.0.0.1");
  await using stack = new AsyncDisposableStack();
  await using relay = await V2Relay.start([`other=127.0.0.1:${port}`], {
    device: ["--service", `web=127.0.0.1:${port},down=refuse`],
    grants: ["web", "other"],
  });
  const down = relay.device.child.stdout.filter((line) => line.startsWith("service web"));
  assert.deepEqual(down, ["service web service-down"]);
  assert.equal(relay.server.child.stdout.some((line) => line.endsWith("/web")), false);
  stack.use(echoService({ port }));
  const host = await serviceOpen(relay.device, "web");
  await echoSession(Number(host.split(":").at(-1)));
});

async function refuses(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return false;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionReset) return false; // it was taken, and ended at once
    if (error instanceof Deno.errors.ConnectionRefused) return true;
    throw error;
  }
}
