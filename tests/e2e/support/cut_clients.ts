/**
 * Real clients at work while the link of their device is cut again and again. Each demands that its work is whole.
 *
 * @module
 */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { noise } from "../../support/bytes.ts";
import { checkedDigest } from "./checked_bytes.ts";
import { Child, type ChildOptions } from "./child.ts";
import { type CutKind, type CutOutcome, QUICK_CUTS } from "./cuts.ts";
import { CLIENTS_ADDRESS, NatNetwork } from "./nat_network.ts";
import { poll } from "./poll.ts";
import { PostgresServer } from "./postgres.ts";
import { find, type Need } from "./requirements.ts";
import { ResumeMachines } from "./resume_machines.ts";
import { SshServer } from "./ssh_server.ts";
import { TempFolder } from "./temp_folder.ts";
import { HOST_PORT } from "./v2_machines.ts";

const STREAM_SERVER = fileURLToPath(new URL("./stream_server_main.ts", import.meta.url));

/** The first port behind that of the transfers. */
const PORT = HOST_PORT + 1;

/** How much a client does, and what happens to its link meanwhile. */
export interface CutClientOptions {
  /** Cuts to go through. */
  readonly cuts: number;
  /** Bytes to move, where that is what the client does. */
  readonly size: number;
  /** Longest time for all of it, in milliseconds. */
  readonly ms: number;
}

/** A client, what it needs, and what it does. */
export interface CutClient {
  /** What it is called. */
  readonly name: string;
  /** What the machine has to have. */
  readonly needs: readonly Need[];
  /** Lets it work through cuts. @returns the cuts. */
  run(options: CutClientOptions): Promise<CutOutcome[]>;
}

/** All of them. */
export const CUT_CLIENTS: readonly CutClient[] = [
  { name: "an interactive ssh", needs: ["ssh", "sshd"], run: interactiveSsh },
  { name: "scp", needs: ["scp", "ssh", "sshd"], run: copy },
  { name: "rsync", needs: ["rsync", "ssh", "sshd"], run: syncTree },
  { name: "git clone", needs: ["git", "ssh", "sshd"], run: clone },
  { name: "a PostgreSQL transaction", needs: ["PostgreSQL (postgres, initdb, psql, setpriv)"], run: transaction },
  { name: "curl of a stream", needs: ["curl"], run: stream },
  { name: "100 clients at once", needs: [], run: crowd },
];

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

/** Cuts the link whenever another part of `bytes` was carried, until there were `cuts` or the work is done. */
async function cutByBytes(
  { cuts }: ResumeMachines,
  count: number,
  bytes: number,
  work: Promise<unknown>,
): Promise<CutOutcome[]> {
  const outcomes: CutOutcome[] = [];
  let over = false;
  const watched = work.finally(() => over = true);
  watched.catch(() => {}); // whoever awaits the work sees it
  while (outcomes.length < count && !over) {
    const next = cuts.carried + bytes / (count + 2);
    while (cuts.carried < next && !over) await new Promise((resolve) => setTimeout(resolve, 2)); // nobody tells
    if (!over) outcomes.push(await cuts.cut(quick(outcomes.length)));
  }
  await watched;
  assert.deepEqual(cuts.lost, []);
  return outcomes;
}

/** Runs a command on the client's machine while the link is cut. @returns its stdout, and the cuts. */
async function through(
  machines: ResumeMachines,
  { cuts, size, ms }: CutClientOptions,
  command: readonly string[],
  options: ChildOptions = {},
): Promise<{ stdout: string[]; outcomes: CutOutcome[] }> {
  await using child = Child.start(command[0]!, [...machines.net.on("client"), ...command], options);
  const outcomes = await cutByBytes(machines, cuts, size, child.end(ms));
  assert.equal(await child.exited, 0, child.stderr.join("\n"));
  return { stdout: child.stdout, outcomes };
}

function quick(turn: number): CutKind {
  return QUICK_CUTS[turn % QUICK_CUTS.length]!;
}

/** Lines are typed, half of each into a link that is gone; the far end says what it has read. */
async function interactiveSsh({ cuts, ms }: CutClientOptions): Promise<CutOutcome[]> {
  await using made = await sshMachines();
  const { machines, sshd, on } = made;
  using folder = new TempFolder();
  const keys = `${folder.path}/keys`;
  await using _pipe = await Child.run("mkfifo", ["mkfifo", keys]);
  const far = 'tty > /dev/null || exit 1; stty -echo; echo ready; while read -r line; do echo "read:$line:"; done';
  const words = ["ssh", "-tt", "-p", String(PORT), ...sshd.clientOptions, destination(sshd), far];
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

async function copy(options: CutClientOptions): Promise<CutOutcome[]> {
  await using made = await sshMachines();
  const { machines, sshd } = made;
  const { path } = sshd.folder;
  const original = await writeNoise(`${path}/original`, options.size);
  const there = `${destination(sshd)}:${path}`;
  const scp = ["scp", "-q", "-P", String(PORT), ...sshd.clientOptions];
  const up = await through(machines, half(options), [...scp, `${path}/original`, `${there}/there`]);
  const down = await through(machines, half(options), [...scp, `${there}/there`, `${path}/back`]);
  assert.equal(await digestOf(`${path}/there`), original);
  assert.equal(await digestOf(`${path}/back`), original);
  return [...up.outcomes, ...down.outcomes];
}

async function syncTree(options: CutClientOptions): Promise<CutOutcome[]> {
  await using made = await sshMachines();
  const { machines, sshd } = made;
  const { path } = sshd.folder;
  const files = 40;
  Deno.mkdirSync(`${path}/from/deep`, { recursive: true });
  for (let at = 0; at < files; at++) {
    Deno.writeFileSync(`${path}/from/deep/${at}`, noise(Math.round(options.size / files), at + 1));
  }
  const shell = ["ssh", "-p", String(PORT), ...sshd.clientOptions].join(" ");
  const rsync = ["rsync", "-rt", "-e", shell];
  const { outcomes } = await through(machines, options, [...rsync, `${path}/from/`, `${destination(sshd)}:${path}/to`]);
  await using same = await Child.run("diff", ["diff", "-r", `${path}/from`, `${path}/to`]);
  assert.equal(await same.exited, 0, same.stdout.join("\n"));
  return outcomes;
}

async function clone(options: CutClientOptions): Promise<CutOutcome[]> {
  await using made = await sshMachines();
  const { machines, sshd } = made;
  const { path } = sshd.folder;
  const env = {
    GIT_SSH_COMMAND: ["ssh", ...sshd.clientOptions].join(" "),
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_SYSTEM: "/dev/null",
    HOME: path,
  };
  const git = async (...args: string[]) => {
    const command = ["git", "-C", `${path}/origin`, "-c", "user.name=a", "-c", "user.email=a@b", ...args];
    await using child = Child.start("git", command, { env });
    assert.equal(await child.end(), 0, child.stderr.join("\n"));
    return child.stdout.join("\n");
  };
  Deno.mkdirSync(`${path}/origin`);
  await git("init", "-q", "-b", "main");
  for (let at = 0; at < 20; at++) Deno.writeFileSync(`${path}/origin/${at}`, noise(options.size / 20, at + 1));
  await git("add", ".");
  await git("commit", "-q", "-m", "first");
  const url = `ssh://${destination(sshd)}:${PORT}${path}/origin`;
  const { outcomes } = await through(machines, options, ["git", "clone", "-q", url, `${path}/clone`], { env });
  assert.equal(await git("-C", `${path}/clone`, "rev-parse", "HEAD"), await git("rev-parse", "HEAD"));
  await git("-C", `${path}/clone`, "fsck", "--full", "--strict");
  return outcomes;
}

/** Statements are sent one after the other, each into a link that is being cut; in the end all rows are there, once. */
async function transaction({ cuts, ms }: CutClientOptions): Promise<CutOutcome[]> {
  await using net = await NatNetwork.create({ client: true });
  await using postgres = await PostgresServer.start(net.on("device"));
  await using machines = await ResumeMachines.start({ net, services: [`db=127.0.0.1:${postgres.port}`] });
  using folder = new TempFolder();
  const statements = `${folder.path}/statements`;
  await using _pipe = await Child.run("mkfifo", ["mkfifo", statements]);
  const psql = [
    find("psql")!,
    "-h",
    CLIENTS_ADDRESS,
    "-p",
    String(PORT),
    "-U",
    "postgres",
    "-qAtX",
    "-v",
    "ON_ERROR_STOP=1",
  ]
    .join(" ");
  await using client = Child.start("psql", [...net.on("client"), "sh", "-c", `exec ${psql} < ${statements}`]);
  const pipe = await Deno.open(statements, { write: true });
  const say = (text: string) => pipe.write(new TextEncoder().encode(`${text}\n`));
  await say("create table t (step int, n int); begin; \\echo begun");
  await client.line(/^begun$/, 0, ms);
  const outcomes: CutOutcome[] = [];
  for (let step = 0; step < cuts; step++) {
    const cutting = machines.cuts.cut(quick(step));
    await say(`insert into t select ${step}, n from generate_series(1, 1000) n;`);
    await say(`select md5(string_agg(repeat(n::text, 100), '' order by n)) from t where step = ${step};`);
    await say(`select repeat('x', 200000); \\echo step ${step}`);
    outcomes.push(await cutting);
    await client.line(new RegExp(`^step ${step}$`), 0, ms);
  }
  await say("commit; select 'rows ' || count(*) || ' ' || count(distinct (step, n)) from t;");
  pipe.close();
  assert.equal(await client.end(ms), 0, client.stderr.join("\n"));
  assert.ok(client.stdout.includes(`rows ${cuts * 1000} ${cuts * 1000}`), client.stdout.at(-1));
  const digests = client.stdout.filter((line) => /^[0-9a-f]{32}$/.test(line));
  assert.deepEqual([digests.length, new Set(digests).size], [cuts, 1]);
  assert.equal(client.stdout.filter((line) => /^x{200000}$/.test(line)).length, cuts);
  assert.deepEqual(machines.cuts.lost, []);
  return outcomes;
}

async function stream(options: CutClientOptions): Promise<CutOutcome[]> {
  await using net = await NatNetwork.create({ client: true });
  await using web = Child.start("stream server", [...net.on("device"), ...[
    Deno.execPath(),
    "run",
    "--quiet",
    "-A",
    STREAM_SERVER,
  ]]);
  const [, port] = await web.line(/^port (\d+)$/);
  await using machines = await ResumeMachines.start({ net, services: [`web=127.0.0.1:${port}`] });
  const url = `http://${CLIENTS_ADDRESS}:${PORT}/${options.size}/0`;
  const command = `curl -sS --noproxy '*' --max-time ${Math.round(options.ms / 1_000)} ${url} | sha256sum`;
  const { stdout, outcomes } = await through(machines, options, ["sh", "-c", command]);
  assert.equal(stdout[0]?.split(" ")[0], checkedDigest(1, options.size));
  return outcomes;
}

async function crowd(options: CutClientOptions): Promise<CutOutcome[]> {
  const lanes = 100;
  await using machines = await ResumeMachines.start();
  const size = Math.round(options.size / lanes);
  await using transfers = machines.transfers({ seed: 7, lanes, rounds: 1, size, rate: 0 });
  await transfers.flowing();
  const work = transfers.done(options.ms);
  const outcomes = await cutByBytes(machines, options.cuts, 2 * size * lanes, work);
  assert.deepEqual(transfers.losses, []);
  assert.equal((await work).length, lanes);
  await poll(
    () => machines.server.log.filter(({ message }) => /^client .* ended/.test(message)).length === lanes,
    () => "not all clients have ended",
  );
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
