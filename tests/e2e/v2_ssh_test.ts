/**
 * OpenSSH through the relay on v2, and what people run over it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { noise } from "../rig/bytes.ts";
import { Child } from "../rig/processes/child.ts";
import { processTest } from "../rig/processes/harness.ts";
import { SshServer } from "../rig/processes/ssh_server.ts";
import { V2Relay } from "../rig/processes/relay.ts";

const MIB = 1024 * 1024;
const MEGABYTE = 1_000_000;

/** An ssh server, and the relay to it. */
async function sshRelay(): Promise<AsyncDisposable & { readonly sshd: SshServer; readonly port: number }> {
  await using stack = new AsyncDisposableStack();
  const sshd = stack.use(await SshServer.start());
  const relay = stack.use(await V2Relay.start([`ssh=127.0.0.1:${sshd.port}`]));
  const end = stack.move();
  return { sshd, port: relay.hostPort, [Symbol.asyncDispose]: () => end.disposeAsync() };
}

processTest("v2: ssh moves 200 MB up and 200 MB down at once, digest for digest", ["ssh", "sshd"], async () => {
  await using pair = await sshRelay();
  const { sshd, port } = pair;
  const source = `${sshd.folder.path}/source`;
  {
    using file = await Deno.open(source, { write: true, create: true });
    for (let at = 0; at < 200; at++) await write(file, noise(MEGABYTE, at + 1));
  }
  const up = `${quoted(sshd.ssh(port, "sha256sum"))} < ${source}`;
  const down = `${quoted(sshd.ssh(port, `cat ${source}`))} | sha256sum`;
  const said = await Promise.all([`sha256sum < ${source}`, up, down].map(async (command) => {
    await using child = await Child.run("sh", ["sh", "-c", command], 50_000);
    assert.equal(await child.exited, 0, command);
    return child.stdout.join();
  }));
  assert.match(said[0]!, /^[0-9a-f]{64} /);
  assert.deepEqual(said, [said[0], said[0], said[0]]);
});

processTest("v2: scp copies a file up and down again", ["scp", "ssh", "sshd"], async () => {
  await using pair = await sshRelay();
  const { sshd, port } = pair;
  const { path } = sshd.folder;
  const bytes = noise(10 * MIB, 77);
  await Deno.writeFile(`${path}/original`, bytes);
  const there = `${sshd.destination}:${path}/there`;
  const scp = ["scp", "-q", "-P", String(port), ...sshd.clientOptions];
  for (const [from, to] of [[`${path}/original`, there], [there, `${path}/back`]] as const) {
    await using child = await Child.run("scp", [...scp, from, to]);
    assert.equal(await child.exited, 0);
  }
  assert.ok(Buffer.from(bytes).equals(await Deno.readFile(`${path}/back`)), "the copy of the copy is the original");
});

processTest("v2: rsync over ssh copies a tree, then only what has changed", ["rsync", "ssh", "sshd"], async () => {
  await using pair = await sshRelay();
  const { sshd, port } = pair;
  const { path } = sshd.folder;
  await Deno.mkdir(`${path}/from/deep`, { recursive: true });
  for (let at = 0; at < 50; at++) await Deno.writeFile(`${path}/from/deep/${at}`, noise(50_000 + at, at + 1));
  const shell = ["ssh", "-p", String(port), ...sshd.clientOptions].join(" ");
  const rsync = ["rsync", "-rt", "--stats", "-e", shell, `${path}/from/`, `${sshd.destination}:${path}/to`];
  for (const files of [50, 1]) {
    await using child = await Child.run("rsync", rsync);
    assert.equal(await child.exited, 0);
    assert.ok(child.stdout.includes(`Number of regular files transferred: ${files}`), child.stdout.join("\n"));
    await using same = await Child.run("diff", ["diff", "-r", `${path}/from`, `${path}/to`]);
    assert.equal(await same.exited, 0);
    await Deno.writeFile(`${path}/from/deep/7`, noise(60_000, 1_000));
  }
});

processTest("v2: git clones over ssh, and pushes back", ["git", "ssh", "sshd"], async () => {
  await using pair = await sshRelay();
  const { sshd, port } = pair;
  const { path } = sshd.folder;
  const env = {
    GIT_SSH_COMMAND: ["ssh", ...sshd.clientOptions].join(" "),
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_SYSTEM: "/dev/null",
    HOME: path,
  };
  const git = async (...args: string[]) => {
    await using child = Child.start("git", ["git", "-c", "user.name=a", "-c", "user.email=a@b", ...args], { env });
    assert.equal(await child.end(), 0, child.stderr.join("\n"));
    return child.stdout.join("\n");
  };
  await git("init", "-q", "--bare", `${path}/origin`);
  await git("init", "-q", `${path}/work`);
  for (let at = 0; at < 20; at++) await Deno.writeFile(`${path}/work/${at}`, noise(100_000, at + 1));
  await git("-C", `${path}/work`, "add", ".");
  await git("-C", `${path}/work`, "commit", "-q", "-m", "first");
  const url = `ssh://${sshd.destination}:${port}${path}/origin`;
  await git("-C", `${path}/work`, "push", "-q", url, "HEAD:refs/heads/main");
  await git("clone", "-q", "-b", "main", url, `${path}/clone`);
  const [ours, theirs] = [
    await git("-C", `${path}/work`, "rev-parse", "HEAD^{tree}"),
    await git("-C", `${path}/clone`, "write-tree"),
  ];
  assert.match(ours, /^[0-9a-f]{40}$/);
  assert.equal(theirs, ours);
});

async function write(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  while (bytes.length > 0) bytes = bytes.subarray(await file.write(bytes));
}

/** A command line as a shell takes it. */
function quoted(command: readonly string[]): string {
  return command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
}
