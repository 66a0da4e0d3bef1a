/**
 * OpenSSH through the relay on v2, and what people run over it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { noise } from "../rig/bytes.ts";
import { Child } from "../rig/processes/child.ts";
import { processTest } from "../rig/processes/harness.ts";
import { copyThereAndBack, git, moveBothWays } from "../rig/processes/ssh_clients.ts";
import { SshServer } from "../rig/processes/ssh_server.ts";
import { V2Relay } from "../rig/processes/relay.ts";

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
  await moveBothWays(sshd, port);
});

processTest("v2: scp copies a file up and down again", ["scp", "ssh", "sshd"], async () => {
  await using pair = await sshRelay();
  const { sshd, port } = pair;
  await copyThereAndBack(sshd, port);
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
  await git(sshd, "init", "-q", "--bare", `${path}/origin`);
  await git(sshd, "init", "-q", `${path}/work`);
  for (let at = 0; at < 20; at++) await Deno.writeFile(`${path}/work/${at}`, noise(100_000, at + 1));
  await git(sshd, "-C", `${path}/work`, "add", ".");
  await git(sshd, "-C", `${path}/work`, "commit", "-q", "-m", "first");
  const url = `ssh://${sshd.destination}:${port}${path}/origin`;
  await git(sshd, "-C", `${path}/work`, "push", "-q", url, "HEAD:refs/heads/main");
  await git(sshd, "clone", "-q", "-b", "main", url, `${path}/clone`);
  const [ours, theirs] = [
    await git(sshd, "-C", `${path}/work`, "rev-parse", "HEAD^{tree}"),
    await git(sshd, "-C", `${path}/clone`, "write-tree"),
  ];
  assert.match(ours, /^[0-9a-f]{40}$/);
  assert.equal(theirs, ours);
});
