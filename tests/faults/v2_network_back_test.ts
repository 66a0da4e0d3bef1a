/**
 * A gateway whose way to the server goes and comes, and changes: it is back as soon as it can be, moves without a word to
 * clients, and does not move for nothing.
 *
 * @module
 */

import assert from "node:assert/strict";
import { processTest } from "../rig/processes/harness.ts";
import { DEVICE_ADDRESS, Namespaces, SERVER_ADDRESS } from "../rig/machines/namespaces.ts";
import { SERVER_PORT, timed } from "../rig/machines/v2_machines.ts";
import { V2Relay } from "../rig/processes/relay.ts";

const NEEDS = ["network namespaces (root, ip, nft)", "/proc"] as const;

/** Where the server is: behind a route, as it is for most. */
const BEHIND = "10.78.0.1";

/** Two looks at the network, a dial, and what a busy machine adds; a wait between tries is longer by then. */
const SOON_MS = 2_500;

/** An address that is in nobody's way. */
const BESIDE = "10.77.0.99/24";

async function start(net: Namespaces): Promise<V2Relay> {
  await net.run("server", "ip", "address", "add", `${BEHIND}/32`, "dev", "lo");
  await route(net, "add");
  return await V2Relay.start(["echo=127.0.0.1:9"], {
    server: ["--expiration", "2s"],
    device: ["--log-level", "debug", "--keep-alive", "fast"], // a dead path is seen at once, also while nobody waits
    listen: `${BEHIND}:${SERVER_PORT}`,
    onServer: net.on("server"),
    onDevice: net.on("device"),
  });
}

async function route(net: Namespaces, what: "add" | "del"): Promise<void> {
  await net.run("device", "ip", "route", what, `${BEHIND}/32`, "via", SERVER_ADDRESS);
}

processTest(
  "a device without a link dials at once when the route is back, and logs little until then",
  NEEDS,
  async () => {
    await using net = await Namespaces.create();
    await using relay = await start(net);
    const { device } = relay;
    await route(net, "del");
    await device.child.line(/^lost .* expired$/);
    await device.logged(/^(still no link, .*: )?cannot reach .* next try in ([4-9]|[12]\d)(\.\d)? s$/);
    const told = device.log.filter(({ level, message }) => level !== "debug" && /cannot reach/.test(message)).length;
    assert.ok(told <= 2, `${told} lines about one outage`);
    const from = device.child.stdout.length;
    await route(net, "add");
    const back = await timed(device.child.line(/^online /, from));
    assert.ok(back < SOON_MS, `the device was back after ${back} ms`);
  },
);

processTest("a device whose address changes moves, and neither side takes it for an interruption", NEEDS, async () => {
  await using net = await Namespaces.create();
  await using relay = await start(net);
  const { device, server } = relay;
  const look = () =>
    Promise.all([device.child.line(/^resumed .* moved$/), server.child.line(/^link-resumed gw1 .* moved$/)]);
  await net.run("device", "ip", "address", "add", BESIDE, "dev", "cable");
  await net.run("device", "ip", "route", "add", "default", "via", SERVER_ADDRESS, "metric", "500");
  await net.run("device", "ip", "address", "del", BESIDE, "dev", "cable");
  await net.run("device", "ip", "address", "add", "10.77.0.3/24", "dev", "cable");
  await net.run("device", "ip", "address", "del", `${DEVICE_ADDRESS}/24`, "dev", "cable");
  await net.run("device", "ip", "address", "replace", "10.77.0.3/24", "dev", "cable");
  await net.run("device", "ip", "route", "replace", `${BEHIND}/32`, "via", SERVER_ADDRESS);
  assert.ok(await timed(look()) < SOON_MS);
  for (const daemon of [device, server]) {
    await daemon.logged(/^link resumed.* moved/);
    const told = daemon.log.map(({ message }) => message);
    assert.equal(told.filter((line) => /^link resumed.* moved/.test(line)).length, 1);
    assert.equal(told.filter((line) => /interrupted/.test(line)).length, 0);
  }
});
