/**
 * Links that die without a word: packets are lost silently between two network namespaces. What finds it, and how soon.
 *
 * @module
 */

import assert from "node:assert/strict";
import { isNative } from "../rig/engine.ts";
import { TwoMachines } from "../rig/machines/two_machines.ts";
import { processTest } from "../rig/processes/harness.ts";

const NEEDS = ["network namespaces (root, ip, nft)", "ss", "/proc"] as const;
const KEEP_ALIVE = ["--idle-timeout", "1s", "--probe-interval", "1s", "--probe-count", "2"];
const NO_KEEP_ALIVE = ["--probe-count", "0"];

/** What a busy machine may add to a bound, in milliseconds. */
const SLACK_MS = 700;

processTest(
  "v1: a device finds a dead idle link by its probes within 3 s, and comes back when it heals",
  NEEDS,
  async () => {
    await using machines = await TwoMachines.start({ service: "echo", device: KEEP_ALIVE });
    const { net, server, device } = machines;
    await machines.probeAnswered();
    await machines.sessionWorks();
    await server.logged(/^client .* ended/);
    const before = { server: server.descriptors, device: device.descriptors };
    await net.cut();
    const took = await timed(device.child.line(/^lost .* keep-alive-timeout$/));
    assert.ok(took > 1_000 && took < 3_000 + SLACK_MS, `it took ${took} ms`);
    await device.logged(/^cannot reach|^link down/);
    await net.heal();
    await machines.opened(2);
    await machines.sessionWorks();
    await server.descriptorsBackTo(before.server);
    await device.descriptorsBackTo(before.device);
  },
);

processTest("v1: a device that returns takes over from its own half-open link within 3 s", NEEDS, async () => {
  await using machines = await TwoMachines.start({ service: "echo", device: NO_KEEP_ALIVE });
  const { net, server, device } = machines;
  await machines.sessionWorks();
  await server.logged(/^client .* ended/);
  const before = server.descriptors;
  await net.cut(await machines.devicePort());
  await device.child.kill();
  await using returned = machines.anotherDevice();
  await returned.child.line(/^online /);
  const took = await timed(machines.opened(2));
  assert.ok(took > 1_000 && took < 3_000 + SLACK_MS, `it took ${took} ms`);
  assert.equal((await server.logged(/^link down/))["reason"], "replaced");
  await machines.sessionWorks();
  await server.descriptorsBackTo(before);
});

processTest(
  "v1: a server whose device vanished under a bulk transfer gives the link up by the write time",
  NEEDS,
  async () => {
    await using machines = await TwoMachines.start({
      service: "sink",
      server: ["--link-write-timeout", "2s"],
      device: KEEP_ALIVE,
    });
    const { net, server, device } = machines;
    const before = server.descriptors;
    await machines.probeAnswered();
    await using client = machines.client("pour");
    await client.line(/^flowing$/);
    await net.cut();
    const [serverTook, deviceTook] = await Promise.all([
      timed(server.logged(/^link down/)),
      timed(device.child.line(/^lost .* keep-alive-timeout$/)),
    ]);
    assert.equal((await server.logged(/^link down/))["reason"], "write-timeout");
    // Progress is looked at every quarter of the write time.
    assert.ok(serverTook > 1_500 && serverTook < 2_500 + SLACK_MS, `the server took ${serverTook} ms`);
    assert.ok(deviceTook < 3_000 + SLACK_MS, `the device took ${deviceTook} ms`);
    assert.equal((await server.logged(/^client .* ended/))["reason"], "link-lost");
    assert.notEqual(await client.end(), 0);
    await server.descriptorsBackTo(before);
    await net.heal();
    await machines.opened(2);
    await using next = machines.client("pour");
    await next.line(/^flowing$/);
  },
);

processTest(
  "v1: a device whose server vanished under a bulk transfer gives the link up by the write time",
  NEEDS,
  async () => {
    await using machines = await TwoMachines.start({
      service: "source",
      device: [...NO_KEEP_ALIVE, "--link-write-timeout", "2s"],
    });
    const { net, device } = machines;
    const before = device.descriptors;
    await using client = machines.client("take");
    await client.line(/^flowing$/);
    await net.cut();
    const took = await timed(device.child.line(/^lost .* write-timeout$/));
    assert.ok(took > 1_500 && took < 2_500 + SLACK_MS, `it took ${took} ms`);
    assert.equal((await device.logged(/^client .* ended/))["reason"], "link-lost");
    await net.heal();
    await machines.opened(2);
    await using next = machines.client("take");
    await next.line(/^flowing$/);
    await next.kill();
    await device.descriptorsBackTo(before);
  },
);

processTest(
  "v1: a server on the portable engine finds a dead idle link by TCP keep-alive, as soon as the system is set to",
  NEEDS,
  async () => {
    if (isNative) return; // there its own settings hold
    await using machines = await TwoMachines.start({ service: "echo", device: NO_KEEP_ALIVE });
    const { net, server } = machines;
    // Two hours are usual. A connection takes the times that hold when its keep-alive is turned on: not this one, …
    const times = { time: 1, intvl: 1, probes: 2 };
    for (const [name, value] of Object.entries(times)) {
      await net.run("server", "sh", "-c", `echo ${value} > /proc/sys/net/ipv4/tcp_keepalive_${name}`);
    }
    await machines.device.child.kill();
    await server.logged(/^link down/);
    // … but the next one.
    await using device = machines.anotherDevice();
    await machines.opened(2);
    await machines.sessionWorks();
    await server.logged(/^client .* ended/);
    const from = server.child.stderr.length;
    await net.cut();
    const took = await timed(server.logged(/^link down/, from));
    assert.equal((await server.logged(/^link down/, from))["reason"], "keep-alive-timeout");
    assert.ok(took > 1_000 && took < 3_000 + SLACK_MS, `it took ${took} ms`);
    await device.child.kill();
    await net.heal();
    await using _next = machines.anotherDevice();
    await machines.opened(3);
    await machines.sessionWorks();
  },
);

/** How long something takes, in milliseconds. */
async function timed(promise: Promise<unknown>): Promise<number> {
  const since = performance.now();
  await promise;
  return Math.round(performance.now() - since);
}
