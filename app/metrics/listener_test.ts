import assert from "node:assert/strict";
import { FakeClock } from "../../tests/rig/clock.ts";
import { RecordingLogger } from "../../tests/rig/logger.ts";
import { folderTest } from "../../tests/rig/test.ts";
import { within } from "../../tests/rig/wait.ts";
import { MAX_ADMIN_CONNECTIONS, MAX_METRICS_READERS, METRICS_IDLE_MS, METRICS_READ_MS } from "../limits.ts";
import { type MetricsServer, serveMetrics } from "./listener.ts";
import { Registry } from "./registry.ts";

async function served(folder: string, samples = 1) {
  const registry = new Registry();
  const rows = Array.from({ length: samples }, (_, at): [string[], number] => [[`${at}`], at]);
  registry.sampled("gauge", { name: "things", help: "Things.", labels: { name: "open" } }, () => rows);
  const clock = new FakeClock();
  const logger = new RecordingLogger();
  const address = { host: "::", port: 0 };
  const server = await serveMetrics({ address, folder, registry, clock, logger, whyNotReady: () => undefined });
  return { server, clock, logger };
}

/** Connects; whoever goes to `::1` comes from another address. */
async function dial({ address }: MetricsServer, hostname = "127.0.0.1"): Promise<Deno.Conn> {
  return await Deno.connect({ hostname, port: Number(address.split(":").at(-1)) });
}

const say = (conn: Deno.Conn, text: string) => conn.write(new TextEncoder().encode(text));

async function heard(conn: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(65_536);
  let text = "";
  for (let count; (count = await within(conn.read(buffer).catch(() => null), "the end of a connection")) !== null;) {
    text += new TextDecoder().decode(buffer.subarray(0, count));
  }
  return text;
}

async function some(conn: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(65_536);
  return new TextDecoder().decode(buffer.subarray(0, await within(conn.read(buffer), "an answer") ?? 0));
}

/** One that was answered, and stays. */
async function staying(server: MetricsServer, hostname?: string): Promise<Deno.Conn> {
  const conn = await dial(server, hostname);
  await say(conn, STAYING);
  assert.match(await some(conn), /^HTTP\/1\.1 200 /);
  return conn;
}

async function asked(server: MetricsServer, request: string): Promise<string> {
  using conn = await dial(server);
  await say(conn, request);
  return await heard(conn);
}

const GET = "GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
const STAYING = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";

folderTest(
  "a host that is none, or a target that is no URL, is a mistake of whoever asks, and not logged",
  async (folder) => {
    const { server, logger } = await served(folder);
    for (
      const [target, host] of [["/metrics", "a b"], ["/healthz", "["], ["http://[/metrics", "x"], [
        "http://a:99999/",
        "x",
      ]]
    ) {
      assert.match(
        await asked(server, `GET ${target} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`),
        /^HTTP\/1\.1 400 /,
        target,
      );
    }
    assert.deepEqual(logger.lines, []);
    assert.match(await asked(server, GET), /^HTTP\/1\.1 200 /);
    await server.close();
  },
);

folderTest("what is no HTTP/1 is turned away, and an answered connection does not stay for long", async (folder) => {
  const { server, logger, clock } = await served(folder);
  assert.match(await asked(server, GET), /^HTTP\/1\.1 200 .*things\{name="0"\} 0/s);
  for (
    const opening of [
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      "GET\r\n\r\n",
      "POST /metrics HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ]
  ) assert.doesNotMatch(await asked(server, opening), /^HTTP\/1\.1 2/, opening);
  using split = await dial(server);
  for (const byte of "PRI") await say(split, byte);
  assert.equal(await heard(split), "", "the bytes of HTTP/2 came one by one");
  assert.deepEqual(logger.lines, []);
  using idle = await staying(server);
  await clock.advance(METRICS_IDLE_MS);
  assert.equal(await heard(idle), "");
  await server.close();
});

folderTest("whoever holds all connections, answered or not, keeps nobody out", async (folder) => {
  const { server } = await served(folder);
  using first = await staying(server, "::1");
  const conns: Deno.Conn[] = [];
  for (let at = 0; at < MAX_ADMIN_CONNECTIONS; at++) conns.push(await staying(server));
  assert.match(await asked(server, GET), /^HTTP\/1\.1 200 /, "of more at one address one goes");
  assert.equal(await heard(conns[0]!), "", "the one that was silent for longest");
  for (let at = 0; at < MAX_ADMIN_CONNECTIONS; at++) {
    const conn = await dial(server);
    await say(conn, GET.slice(0, -2));
    conns.push(conn);
  }
  assert.match(await asked(server, GET), /^HTTP\/1\.1 200 /);
  await say(first, STAYING);
  assert.match(await some(first), /^HTTP\/1\.1 200 /, "who came from elsewhere is still there");
  for (const conn of conns) conn.close();
  await server.close();
});

folderTest("readers who take nothing have their time, and then make room", async (folder) => {
  const { server, clock } = await served(folder, 400_000);
  const conns: Deno.Conn[] = [];
  for (let at = 0; at < MAX_METRICS_READERS; at++) {
    const conn = await dial(server);
    await say(conn, GET);
    assert.ok(await conn.read(new Uint8Array(100)));
    conns.push(conn);
  }
  assert.match(await asked(server, GET), /^HTTP\/1\.1 503 /);
  clock.jump(METRICS_READ_MS);
  using next = await dial(server);
  await say(next, GET);
  assert.match(await some(next), /^HTTP\/1\.1 200 /);
  for (const conn of conns) conn.close();
  await server.close();
});
