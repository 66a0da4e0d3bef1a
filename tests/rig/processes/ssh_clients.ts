/**
 * What people do over ssh: to be done through `port`, whatever is in between.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { noise } from "../bytes.ts";
import { writeAll } from "../stream.ts";
import { Child } from "./child.ts";
import type { SshServer } from "./ssh_server.ts";

const MIB = 1024 * 1024;
const MEGABYTE = 1_000_000;

/** 200 MB go up and 200 MB come down at the same time, digest for digest. */
export async function moveBothWays(sshd: SshServer, port: number): Promise<void> {
  const source = `${sshd.folder.path}/source`;
  {
    using file = await Deno.open(source, { write: true, create: true });
    for (let at = 0; at < 200; at++) await writeAll(file, noise(MEGABYTE, at + 1));
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
}

/** `scp` copies a file up and down again. */
export async function copyThereAndBack(sshd: SshServer, port: number): Promise<void> {
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
}

/** Runs `git` as in {@linkcode SshServer.gitEnvironment}. @returns its stdout. */
export async function git(sshd: SshServer, ...args: string[]): Promise<string> {
  const command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", ...args];
  await using child = Child.start("git", command, { env: sshd.gitEnvironment });
  assert.equal(await child.end(), 0, child.stderr.join("\n"));
  return child.stdout.join("\n");
}

/** A command line as a shell takes it. */
function quoted(command: readonly string[]): string {
  return command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
}
