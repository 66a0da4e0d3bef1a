/**
 * A gateway behind NAT whose uplink goes silent: both sides find out in time, and it is back as soon as it can be.
 *
 * @module
 */

import assert from "node:assert/strict";
import { processTest } from "../rig/processes/harness.ts";
import { NatNetwork, PUBLIC_ADDRESS, ROUTER_ADDRESSES } from "../rig/machines/nat_network.ts";
import { Child } from "../rig/processes/child.ts";
import type { Daemon } from "../rig/processes/daemons.ts";
import { SshServer } from "../rig/processes/ssh_server.ts";
import { HOST_PORT, SERVER_PORT, timed, V2Machines } from "../rig/machines/v2_machines.ts";
import { V2Relay } from "../rig/processes/relay.ts";

const NEEDS = ["network namespaces (root, ip, nft)", "/proc"] as const;

/** One second of silence, and two probes a second apart. */
const KEEP_ALIVE_MS = 3_000;

/** What finding out may take longer by the logs, in milliseconds: half a second, and what a busy machine adds. */
const SLACK_MS = 500 + 300;

/** Sessions end with their link, so that clients show when it is lost; `v2_resume_test.ts` has those that survive. */
const NO_RESUME = { server: ["--expiration", "0"] };

/** The last byte before a cut may be this old, in milliseconds: then the peer was asked whether it lives. */
const OLDEST_BYTE_MS = 1_000;

processTest(
  "three commands on two machines, and ssh reaches the gateway behind NAT, to which there is no route",
  [...NEEDS, "ssh", "sshd"],
  async () => {
    await using net = await NatNetwork.create();
    await using sshd = await SshServer.start(net.on("device"));
    await using relay = await V2Relay.start([`ssh=127.0.0.1:${sshd.port}`], {
      grants: [`ssh=127.0.0.1:${HOST_PORT}`],
      listen: `${PUBLIC_ADDRESS}:${SERVER_PORT}`,
      onServer: net.on("server"),
      onDevice: net.on("device"),
    });
    await assert.rejects(net.run("server", "ip", "route", "get", "192.168.77.2"), /unreachable/);
    await using ssh = await Child.run("ssh", [
      ...net.on("server"),
      ...sshd.ssh(HOST_PORT, "ip -4 -o address show dev cable"),
    ]);
    assert.equal(await ssh.exited, 0);
    assert.match(ssh.stdout.join(), /192\.168\.77\.2/);
    const up = await relay.server.logged(/^link up/);
    assert.ok(String(up["remote"]).startsWith(`${ROUTER_ADDRESSES[0]}:`));
  },
);

processTest("an idle link whose uplink drops everything is lost to both sides within 3.5 s", NEEDS, async () => {
  await using machines = await V2Machines.start(NO_RESUME);
  const { net, server, device } = machines;
  await machines.sessionWorks();
  await server.logged(/^client .* ended/);
  const before = { server: server.descriptors, device: device.descriptors };
  await using client = machines.client("hold");
  await client.line(/^held$/);
  await net.cut();
  const since = Date.now();
  await Promise.all([device.child.line(/^lost .* keep-alive-timeout$/), client.line(/^ended$/)]);
  for (const daemon of [server, device]) {
    const took = await lostAfter(daemon, since);
    assert.ok(took > KEEP_ALIVE_MS - OLDEST_BYTE_MS - 100 && took < KEEP_ALIVE_MS + SLACK_MS, `it took ${took} ms`);
  }
  const from = device.child.stdout.length;
  await net.heal();
  // Its dial is under way, or comes after its pause; what the cut swallowed of a dial is sent again within a second.
  const back = await timed(device.child.line(/^service echo /, from));
  assert.ok(back < 3_000, `the device was back after ${back} ms`);
  await machines.sessionWorks();
  await client.end();
  await server.descriptorsBackTo(before.server);
  await device.descriptorsBackTo(before.device);
});

for (const service of ["sink", "source"] as const) {
  processTest(
    `a link that is cut under a bulk transfer (${service}) is lost to both within 3.5 s, too`,
    NEEDS,
    async () => {
      await using machines = await V2Machines.start({ service, ...NO_RESUME });
      const { net, server, device } = machines;
      const does = service === "sink" ? "pour" : "take";
      await using client = machines.client(does);
      await client.line(/^flowing$/);
      await net.cut();
      const since = Date.now();
      for (const daemon of [server, device]) {
        const took = await lostAfter(daemon, since);
        assert.ok(took < KEEP_ALIVE_MS + SLACK_MS, `it took ${took} ms`);
      }
      assert.equal((await server.logged(/^client .* ended/))["reason"], "link-lost");
      await client.end();
      const from = device.child.stdout.length;
      await net.heal();
      await device.child.line(/^service echo /, from);
      await using next = machines.client(does);
      await next.line(/^flowing$/);
    },
  );
}

processTest("a cut shorter than the keep-alive goes unnoticed by clients", NEEDS, async () => {
  await using machines = await V2Machines.start();
  const { net, server, device } = machines;
  await using client = machines.client("ping", "300");
  await device.logged(/is open at/);
  await net.cut();
  await new Promise((resolve) => setTimeout(resolve, 1_200)); // the cut itself is what takes time
  await net.heal();
  const [text] = await client.line(/^\[.*\]$/);
  assert.equal((JSON.parse(text) as number[]).length, 300);
  assert.equal(server.log.some(({ message }) => message.startsWith("link down")), false);
});

processTest(
  "a gateway whose public address changes while a client is there goes on with its session within 4 s, at the same host port",
  NEEDS,
  async () => {
    await using machines = await V2Machines.start();
    const { net, server, device } = machines;
    await using client = machines.client("hold");
    await client.line(/^held$/);
    const before = (await server.logged(/^link up/))["remote"];
    const from = device.child.stdout.length;
    const log = server.child.stderr.length;
    const address = await net.changeAddress();
    const took = await timed(device.child.line(/^resumed /, from));
    assert.ok(took < 4_000 + SLACK_MS, `it took ${took} ms`);
    const after = (await server.logged(/^link resumed/, log))["remote"];
    assert.ok(String(after).startsWith(`${address}:`) && after !== before, `${before}, then ${after}`);
    await machines.sessionWorks();
  },
);

/** How long after `since`, by its own log, a side took its peer for lost, in milliseconds. */
async function lostAfter(daemon: Daemon, since: number): Promise<number> {
  const down = await daemon.logged(/^link down/);
  assert.equal(down["reason"], "keep-alive-timeout");
  return Date.parse(down.time) - since;
}
