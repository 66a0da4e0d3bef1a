/**
 * OpenSSH through the relay.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { noise } from "../rig/bytes.ts";
import { Child } from "../rig/processes/child.ts";
import { V1Relay } from "../rig/processes/relay.ts";
import { SshServer } from "../rig/processes/ssh_server.ts";
import { processTest } from "../rig/processes/harness.ts";

const MIB = 1024 * 1024;

processTest("ssh runs a command on the device's machine, and its exit code comes back", ["ssh", "sshd"], async () => {
  await using sshd = await SshServer.start();
  await using relay = await V1Relay.start([`127.0.0.1:${sshd.port}`]);
  await using ssh = await Child.run("ssh", sshd.ssh(relay.hostPort, "echo $((6 * 7)); echo aside >&2; exit 9"));
  assert.equal(await ssh.exited, 9);
  assert.deepEqual(ssh.stdout, ["42"]);
  assert.deepEqual(ssh.stderr, ["aside"]);
});

processTest("ssh moves 200 MB up and 200 MB down at the same time, digest for digest", ["ssh", "sshd"], async () => {
  await using sshd = await SshServer.start();
  await using relay = await V1Relay.start([`127.0.0.1:${sshd.port}`]);
  const source = `${sshd.folder.path}/source`;
  {
    using file = await Deno.open(source, { write: true, create: true });
    for (let at = 0; at < 200; at++) await write(file, noise(1_000_000, at + 1));
  }
  const quoted = (command: string[]) => command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  const up = `${quoted(sshd.ssh(relay.hostPort, "sha256sum"))} < ${source}`;
  const down = `${quoted(sshd.ssh(relay.hostPort, `cat ${source}`))} | sha256sum`;
  const said = await Promise.all([`sha256sum < ${source}`, up, down].map(async (command) => {
    await using child = await Child.run("sh", ["sh", "-c", command], 50_000);
    assert.equal(await child.exited, 0, command);
    return child.stdout.join();
  }));
  assert.match(said[0]!, /^[0-9a-f]{64} /);
  assert.deepEqual(said, [said[0], said[0], said[0]]);
});

processTest("scp copies a file up and down again", ["scp", "ssh", "sshd"], async () => {
  await using sshd = await SshServer.start();
  await using relay = await V1Relay.start([`127.0.0.1:${sshd.port}`]);
  const { path } = sshd.folder;
  const bytes = noise(10 * MIB, 77);
  await Deno.writeFile(`${path}/original`, bytes);
  const there = `${sshd.destination}:${path}/there`;
  const scp = ["scp", "-q", "-P", String(relay.hostPort), ...sshd.clientOptions];
  for (const [from, to] of [[`${path}/original`, there], [there, `${path}/back`]] as const) {
    await using child = await Child.run("scp", [...scp, from, to]);
    assert.equal(await child.exited, 0);
  }
  assert.ok(Buffer.from(bytes).equals(await Deno.readFile(`${path}/back`)), "the copy of the copy is the original");
});

async function write(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  while (bytes.length > 0) bytes = bytes.subarray(await file.write(bytes));
}
