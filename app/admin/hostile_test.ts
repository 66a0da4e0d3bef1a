/**
 * Whoever comes to the admin API with something else than requests: nothing breaks, and nothing is held for long.
 *
 * @module
 */

import assert from "node:assert/strict";
import { systemClock } from "../../base/clock.ts";
import { silentLogger } from "../../base/logger.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { folderTest } from "../../tests/rig/test.ts";
import { pause, poll, within } from "../../tests/rig/wait.ts";
import { ADMIN_IDLE_MS, ADMIN_REQUEST_MS, MAX_ADMIN_CONNECTIONS, MAX_ADMIN_REQUESTS } from "../limits.ts";
import { adminClient } from "./client.ts";
import { jsonRoute, streamRoute } from "./route.ts";
import { closed, Type } from "./schema.ts";
import { serveAdmin } from "./serve.ts";

/** An API with one route that answers, and one that waits until it is told to. */
async function served(folder: string, clock = systemClock) {
  let go = () => {};
  const gone = new Promise<void>((resolve) => go = resolve);
  const server = await serveAdmin({
    title: "test",
    folder,
    unix: true,
    clock,
    logger: silentLogger,
    routes: [
      jsonRoute({
        method: "GET",
        path: "/v1/health",
        id: "health",
        summary: "Answers.",
        response: closed({ ok: Type.Boolean() }),
        handle: () => ({ ok: true }),
      }),
      jsonRoute({
        method: "GET",
        path: "/v1/wait",
        id: "wait",
        summary: "Waits.",
        response: closed({ ok: Type.Boolean() }),
        handle: async () => (await gone, { ok: true }),
      }),
    ],
  });
  return { server, go, socket: server.socket! };
}

const dial = (path: string) => Deno.connect({ transport: "unix", path });
const say = (conn: Deno.Conn, text: string) => conn.write(new TextEncoder().encode(text));

/** Reads to the end; a reset is one. */
async function heard(conn: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(65_536);
  let text = "";
  try {
    for (let count; (count = await within(conn.read(buffer), "the end of a connection")) !== null;) {
      text += new TextDecoder().decode(buffer.subarray(0, count));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe)) throw error;
  }
  return text;
}

folderTest(
  "garbage, half a request, and one without an end are turned away, and the API answers on",
  async (folder) => {
    const { server, socket } = await served(folder);
    const garbage = [
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
      "GET\r\n\r\n",
      "GET /v1/health HTTP/9.9\r\nhost: localhost\r\n\r\n",
      "GET /v1/health HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n",
      "GET /v1/health HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\nzz\r\n",
      "\0".repeat(5_000),
      `GET /${"x".repeat(100_000)} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`,
      `GET /v1/health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n${"a: b\r\n".repeat(2_000)}\r\n`,
      "GET /%zz%00/../../etc/passwd HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
      "GET /v1/health?limit=%ff%fe&__proto__=1 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
    ];
    using client = adminClient({ socket });
    for (const text of garbage) {
      const conn = await dial(socket);
      await say(conn, text);
      await conn.closeWrite();
      assert.doesNotMatch(await heard(conn), /^HTTP\/1\.\d 2/, text.slice(0, 40));
      conn.close();
      assert.deepEqual(await client.get("/v1/health"), { ok: true });
    }
    await server.close();
  },
);

folderTest("whoever sends without an end is cut off", async (folder) => {
  const { server, socket } = await served(folder);
  const conn = await dial(socket);
  const send = async () => {
    await say(conn, "GET /v1/health HTTP/1.1\r\nhost: localhost\r\n");
    for (;;) await say(conn, `x-${"y".repeat(1_000)}: z\r\n`);
  };
  await assert.rejects(within(send(), "the cut"), /pipe|reset/i);
  conn.close();
  await server.close();
});

folderTest("whoever dribbles, says nothing, or has nothing more to say is cut off in time", async (folder) => {
  const clock = new FakeClock();
  const { server, socket } = await served(folder, clock);
  const mute = await dial(socket);
  const slow = await dial(socket);
  await say(slow, "GET /v1/health HTTP/1.1\r\n");
  const idle = await dial(socket);
  await say(idle, "GET /v1/health HTTP/1.1\r\nhost: localhost\r\n\r\n");
  assert.match(new TextDecoder().decode(await readSome(idle)), /^HTTP\/1\.1 200/);
  await poll(() => clock.pending >= 3, () => `${clock.pending} timers`);
  await clock.advance(ADMIN_REQUEST_MS + 1);
  assert.deepEqual([await heard(mute), await heard(slow)], ["", ""]);
  await clock.advance(ADMIN_IDLE_MS);
  assert.equal(await heard(idle), "");
  for (const conn of [mute, slow, idle]) conn.close();
  await server.close();
});

async function readSome(conn: Deno.Conn): Promise<Uint8Array> {
  const buffer = new Uint8Array(4_096);
  return buffer.subarray(0, await conn.read(buffer) ?? 0);
}

folderTest("of too many connections those go that were never answered, and who was is served on", async (folder) => {
  const { server, socket } = await served(folder);
  const good = await dial(socket);
  const ask = async () => {
    await say(good, "GET /v1/health HTTP/1.1\r\nhost: localhost\r\n\r\n");
    assert.match(new TextDecoder().decode(await readSome(good)), /^HTTP\/1\.1 200/);
  };
  await ask();
  const conns: Deno.Conn[] = [];
  for (let at = 0; at < 3 * MAX_ADMIN_CONNECTIONS; at++) conns.push(await dial(socket));
  assert.equal(await heard(conns[0]!), "");
  await ask();
  for (const conn of [good, ...conns]) conn.close();
  await server.close();
});

folderTest("requests beyond the bound are asked to come again", async (folder) => {
  const { server, go, socket } = await served(folder);
  const conns: Deno.Conn[] = [];
  for (let at = 0; at < MAX_ADMIN_REQUESTS; at++) {
    const conn = await dial(socket);
    conns.push(conn);
    await say(conn, "GET /v1/wait HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
  }
  using client = adminClient({ socket });
  const isRefused = () => client.get("/v1/health").then(() => false, ({ status }) => status === 503);
  await poll(isRefused, () => "it is still served");
  go();
  for (const conn of conns) {
    assert.match(await heard(conn), /^HTTP\/1\.1 200/);
    conn.close();
  }
  assert.deepEqual(await client.get("/v1/health"), { ok: true });
  await server.close();
});

folderTest("whoever takes nothing of a stream is cut off, and nothing was made ahead for it", async (folder) => {
  const clock = new FakeClock();
  let made = 0;
  let isClosed = false;
  const server = await serveAdmin({
    title: "test",
    folder,
    unix: true,
    clock,
    logger: silentLogger,
    routes: [streamRoute({
      method: "GET",
      path: "/v1/stream",
      id: "stream",
      summary: "Without an end.",
      response: Type.Object({}),
      stream: () => ({
        take: () => [{ id: String(made++), event: "x", data: { text: "x".repeat(10_000) } }],
        place: "0",
        whenMore: () => () => {},
        close: () => isClosed = true,
      }),
    })],
  });
  const conn = await dial(server.socket!);
  await say(conn, "GET /v1/stream HTTP/1.1\r\nhost: localhost\r\n\r\n");
  let before = -1;
  const standsStill = () => made > 0 && made === before || (before = made, false);
  await poll(async () => (await pause(100), standsStill()), () => `${made} were made`);
  assert.ok(made < 500, `${made} of 10 KB were made`);
  await clock.advance(ADMIN_IDLE_MS);
  await poll(() => isClosed, () => "the stream is still open");
  conn.close();
  await server.close();
});

folderTest("another user cannot connect", async (folder) => {
  const { server, socket } = await served(folder);
  await Deno.chmod(folder, 0o755); // as a folder may be whose server is asked by others
  const nobody = await new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      `try { (await Deno.connect({ transport: "unix", path: ${JSON.stringify(socket)} })).close(); console.log("in") }
      catch (error) { console.log(error.name) }`,
    ],
    uid: 65_534,
    gid: 65_534,
    clearEnv: true,
    env: { DENO_DIR: "/tmp", HOME: "/tmp", NO_COLOR: "1" },
    cwd: "/",
  }).output();
  assert.equal(new TextDecoder().decode(nobody.stdout).trim(), "PermissionDenied");
  await server.close();
}, { ignore: Deno.uid() !== 0 });

folderTest("those who may not ask, and send their logins slowly, take nobody's place", async (folder) => {
  const token = "0123456789abcdef";
  const server = await serveAdmin({
    title: "test",
    folder,
    unix: true,
    tcp: { address: { host: "127.0.0.1", port: 0 }, token },
    site: [],
    clock: systemClock,
    logger: silentLogger,
    routes: [jsonRoute({
      method: "POST",
      path: "/v1/act",
      id: "act",
      summary: "Acts.",
      response: closed({ ok: Type.Boolean() }),
      handle: () => ({ ok: true }),
    })],
  });
  const address = server.address!;
  const conns: Deno.Conn[] = [];
  for (const [path, count] of [["/login", MAX_ADMIN_REQUESTS + 4], ["/v1/act", 10]] as const) {
    for (let at = 0; at < count; at++) {
      const conn = await Deno.connect({ port: Number(address.split(":")[1]), hostname: "127.0.0.1" });
      conns.push(conn);
      await say(conn, `POST ${path} HTTP/1.1\r\nhost: ${address}\r\nauthorization: Bearer ${path}\r\n`);
      await say(conn, 'content-type: application/json\r\ncontent-length: 20\r\n\r\n{"to');
    }
  }
  using local = adminClient({ socket: server.socket! });
  for (let at = 0; at < 10; at++) {
    await pause(10);
    assert.deepEqual(await local.post("/v1/act"), { ok: true });
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const answer = await fetch(`http://${address}/v1/act`, { method: "POST", headers, body: "{}" });
    assert.deepEqual(await answer.json(), { ok: true });
  }
  for (const conn of conns) conn.close();
  await server.close();
});
