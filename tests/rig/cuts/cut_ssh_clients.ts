/**
 * OpenSSH, and what people run over it, while the link of their device is cut.
 *
 * @module
 */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { noise } from "../bytes.ts";
import { Child } from "../processes/child.ts";
import { CLIENT_PORT, type CutClientOptions, quick, through } from "./cut_through.ts";
import type { CutOutcome } from "./cuts.ts";
import { CLIENTS_ADDRESS, NatNetwork } from "../machines/nat_network.ts";
import { ResumeMachines } from "../machines/resume_machines.ts";
import { git } from "../processes/ssh_clients.ts";
import { SshServer } from "../processes/ssh_server.ts";
import { TempFolder } from "../temp_folder.ts";

/** git compresses what it is given, in vain: that takes far longer than to carry it, so it gets a part of the bytes. */
const GIT_SHARE = 4;

/** An ssh server on the device's machine, and a relay to it. */
async function sshMachines(): Promise<
  AsyncDisposable & { readonly machines: ResumeMachines; readonly sshd: SshServer; readonly on: readonly string[] }
> {
  await using stack = new AsyncDisposableStack();
  const net = stack.use(await NatNetwork.create({ client: true }));
  const sshd = stack.use(await SshServer.start(net.on("device")));
  const machines = stack.use(await ResumeMachines.start({ net, services: [`ssh=127.0.0.1:${sshd.port}`] }));
  const end = stack.move();
  return { machines, sshd, on: net.on("client"), [Symbol.asyncDispose]: () => end.disposeAsync() };
}

/** Lines are typed, half of each into a link that is gone; the far end says what it has read. */
export async function interactiveSsh({ cuts, ms }: CutClientOptions): Promise<CutOutcome[]> {
  await using made = await sshMachines();
  const { machines, sshd, on } = made;
  using folder = new TempFolder();
  const keys = `${folder.path}/keys`;
  await using _pipe = await Child.run("mkfifo", ["mkfifo", keys]);
  const far = 'tty > /dev/null || exit 1; stty -echo; echo ready; while read -r line; do echo "read:$line:"; done';
  const words = ["ssh", "-tt", "-p", String(CLIENT_PORT), ...sshd.clientOptions, destination(sshd), far];
  const command = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  await using ssh = Child.start("ssh", [...on, "sh", "-c", `exec ${command} <> ${keys}`]);
  using pipe = await Deno.open(keys, { read: true, write: true });
  const type = (text: string) => pipe.write(new TextEncoder().encode(text));
  await ssh.line(/^ready/, 0, ms);
  const outcomes: CutOutcome[] = [];
  for (let line = 0; line < cuts; line++) {
    const text = `line ${line} of what is typed`;
    for (const key of text.slice(0, 9)) await type(key);
    const cutting = machines.cuts.cut(quick(line));
    for (const key of text.slice(9)) await type(key);
    await type("\n");
    outcomes.push(await cutting);
    await ssh.line(new RegExp(`^read:${text}:\\s*$`), 0, ms);
  }
  const read = ssh.stdout.filter((line) => line.startsWith("read:")).map((line) => line.trim());
  assert.deepEqual(read, Array.from({ length: cuts }, (_, line) => `read:line ${line} of what is typed:`));
  assert.deepEqual(machines.cuts.lost, []);
  return outcomes;
}

/** A file goes up, and down again. */
export async function copy(options: CutClientOptions): Promise<CutOutcome[]> {
  await using made = await sshMachines();
  const { machines, sshd } = made;
  const { path } = sshd.folder;
  const original = await writeNoise(`${path}/original`, options.size);
  const there = `${destination(sshd)}:${path}`;
  const scp = ["scp", "-q", "-P", String(CLIENT_PORT), ...sshd.clientOptions];
  const up = await through(machines, half(options), [...scp, `${path}/original`, `${there}/there`]);
  const down = await through(machines, half(options), [...scp, `${there}/there`, `${path}/back`]);
  assert.equal(await digestOf(`${path}/there`), original);
  assert.equal(await digestOf(`${path}/back`), original);
  return [...up.outcomes, ...down.outcomes];
}

/** A tree goes up. */
export async function syncTree(options: CutClientOptions): Promise<CutOutcome[]> {
  await using made = await sshMachines();
  const { machines, sshd } = made;
  const { path } = sshd.folder;
  const files = 40;
  Deno.mkdirSync(`${path}/from/deep`, { recursive: true });
  for (let at = 0; at < files; at++) {
    Deno.writeFileSync(`${path}/from/deep/${at}`, noise(Math.round(options.size / files), at + 1));
  }
  const shell = ["ssh", "-p", String(CLIENT_PORT), ...sshd.clientOptions].join(" ");
  const rsync = ["rsync", "-rt", "-e", shell];
  const { outcomes } = await through(machines, options, [...rsync, `${path}/from/`, `${destination(sshd)}:${path}/to`]);
  await using same = await Child.run("diff", ["diff", "-r", `${path}/from`, `${path}/to`]);
  assert.equal(await same.exited, 0, same.stdout.join("\n"));
  return outcomes;
}

/** A repository comes down; git checks what it got. */
export async function clone(given: CutClientOptions): Promise<CutOutcome[]> {
  const options = { ...given, size: given.size / GIT_SHARE };
  await using made = await sshMachines();
  const { machines, sshd } = made;
  const { path } = sshd.folder;
  const at = (folder: string, ...args: string[]) => git(sshd, "-C", `${path}/${folder}`, ...args);
  Deno.mkdirSync(`${path}/origin`);
  await at("origin", "init", "-q", "-b", "main");
  for (let n = 0; n < 20; n++) Deno.writeFileSync(`${path}/origin/${n}`, noise(options.size / 20, n + 1));
  await at("origin", "add", ".");
  await at("origin", "commit", "-q", "-m", "first");
  const url = `ssh://${destination(sshd)}:${CLIENT_PORT}${path}/origin`;
  const { outcomes } = await through(machines, options, ["git", "clone", "-q", url, `${path}/clone`], {
    env: sshd.gitEnvironment,
  });
  assert.equal(await at("clone", "rev-parse", "HEAD"), await at("origin", "rev-parse", "HEAD"));
  await at("clone", "fsck", "--full", "--strict");
  return outcomes;
}

/** Each of two directions gets half of the cuts. */
function half(options: CutClientOptions): CutClientOptions {
  return { ...options, cuts: Math.ceil(options.cuts / 2) };
}

/** Where the client logs in: at the host port. */
function destination(sshd: SshServer): string {
  return sshd.destination.replace("127.0.0.1", CLIENTS_ADDRESS);
}

async function writeNoise(path: string, size: number): Promise<string> {
  const hash = createHash("sha256");
  using file = await Deno.open(path, { write: true, create: true });
  for (let at = 0; at < size; at += 1_000_000) {
    const piece = noise(Math.min(1_000_000, size - at), at / 1_000_000 + 1);
    hash.update(piece);
    for (let left = piece; left.length > 0;) left = left.subarray(await file.write(left));
  }
  return hash.digest("hex");
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  using file = await Deno.open(path);
  for await (const piece of file.readable) hash.update(piece);
  return hash.digest("hex");
}
