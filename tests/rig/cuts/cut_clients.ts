/**
 * Real clients at work while the link of their device is cut again and again. Each demands that its work is whole.
 *
 * @module
 */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { checkedDigest } from "./checked_bytes.ts";
import { Child } from "../processes/child.ts";
import { clone, copy, interactiveSsh, syncTree } from "./cut_ssh_clients.ts";
import { CLIENT_PORT, cutByBytes, type CutClient, type CutClientOptions, quick, through } from "./cut_through.ts";
import type { CutOutcome } from "./cuts.ts";
import { CLIENTS_ADDRESS, NatNetwork } from "../machines/nat_network.ts";
import { poll } from "../wait.ts";
import { PostgresServer } from "../processes/postgres.ts";
import { find } from "../processes/programs.ts";
import { ResumeMachines } from "../machines/resume_machines.ts";
import { TempFolder } from "../temp_folder.ts";

const STREAM_SERVER = fileURLToPath(new URL("../mains/stream_server.ts", import.meta.url));

/** Bytes a second of what is streamed: as fast as can be, it would be over too soon. */
const STREAM_RATE = 25_000_000;

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
    String(CLIENT_PORT),
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
  const url = `http://${CLIENTS_ADDRESS}:${CLIENT_PORT}/${options.size}/${STREAM_RATE}`;
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
