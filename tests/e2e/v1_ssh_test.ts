/**
 * OpenSSH through the relay.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Child } from "../rig/processes/child.ts";
import { V1Relay } from "../rig/processes/relay.ts";
import { copyThereAndBack, moveBothWays } from "../rig/processes/ssh_clients.ts";
import { SshServer } from "../rig/processes/ssh_server.ts";
import { processTest } from "../rig/processes/harness.ts";

processTest(
  "v1: ssh runs a command on the device's machine, and its exit code comes back",
  ["ssh", "sshd"],
  async () => {
    await using sshd = await SshServer.start();
    await using relay = await V1Relay.start([`127.0.0.1:${sshd.port}`]);
    await using ssh = await Child.run("ssh", sshd.ssh(relay.hostPort, "echo $((6 * 7)); echo aside >&2; exit 9"));
    assert.equal(await ssh.exited, 9);
    assert.deepEqual(ssh.stdout, ["42"]);
    assert.deepEqual(ssh.stderr, ["aside"]);
  },
);

processTest(
  "v1: ssh moves 200 MB up and 200 MB down at the same time, digest for digest",
  ["ssh", "sshd"],
  async () => {
    await using sshd = await SshServer.start();
    await using relay = await V1Relay.start([`127.0.0.1:${sshd.port}`]);
    await moveBothWays(sshd, relay.hostPort);
  },
);

processTest("v1: scp copies a file up and down again", ["scp", "ssh", "sshd"], async () => {
  await using sshd = await SshServer.start();
  await using relay = await V1Relay.start([`127.0.0.1:${sshd.port}`]);
  await copyThereAndBack(sshd, relay.hostPort);
});
