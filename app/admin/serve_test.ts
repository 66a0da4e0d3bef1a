import assert from "node:assert/strict";
import { systemClock } from "../../base/clock.ts";
import { silentLogger } from "../../base/logger.ts";
import { RecordingLogger } from "../../tests/rig/logger.ts";
import { folderTest } from "../../tests/rig/test.ts";
import { ConfigError } from "../toml/config_error.ts";
import { poll } from "../../tests/rig/wait.ts";
import { closed, Type } from "./schema.ts";
import { jsonRoute, type Route, streamRoute, type StreamSource } from "./route.ts";
import { serveAdmin } from "./serve.ts";
import { type AdminClient, adminClient } from "./client.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";

function routes(source?: StreamSource): Route[] {
  return [
    jsonRoute({
      method: "GET",
      path: "/v1/things/{name}",
      id: "getThing",
      summary: "A thing.",
      params: closed({ name: Type.String({ maxLength: 10 }) }),
      query: closed({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 9 })) }),
      response: closed({ name: Type.String(), limit: Type.Integer() }),
      handle: ({ params: { name }, query: { limit = 1 } }) => ({ name, limit }),
    }),
    jsonRoute({
      method: "POST",
      path: "/v1/things",
      id: "makeThing",
      summary: "Makes one.",
      body: closed({ name: Type.String(), count: Type.Optional(Type.Integer()) }),
      response: closed({ made: Type.String() }),
      handle({ body: { name } }) {
        if (name === "broken") throw ConfigError.at("x.toml", "wrong = !", { line: 1, column: 10 }, "no");
        return { made: name };
      },
    }),
    jsonRoute({
      method: "GET",
      path: "/v1/health",
      id: "getHealth",
      summary: "Whether it lives.",
      open: true,
      response: closed({ ok: Type.Boolean() }),
      handle: () => ({ ok: true }),
    }),
    ...(source
      ? [streamRoute({
        method: "GET",
        path: "/v1/stream",
        id: "stream",
        summary: "Events.",
        response: Type.Object({}),
        stream: () => source,
      })]
      : []),
  ];
}

function open(folder: string, more: { tcp?: boolean; source?: StreamSource } = {}) {
  return serveAdmin({
    title: "test",
    load: () => ({ routes: routes(more.source) }),
    folder,
    unix: true,
    tcp: more.tcp ? { address: { host: "127.0.0.1", port: 0 }, token: TOKEN } : undefined,
    clock: systemClock,
    logger: silentLogger,
  });
}

folderTest("what is asked at the socket is answered, and what does not fit is said in one line", async (folder) => {
  const server = await open(folder);
  using client = adminClient({ socket: server.socket! });
  assert.deepEqual(await client.get("/v1/things/a%20b?limit=3"), { name: "a b", limit: 3 });
  assert.deepEqual(await client.post("/v1/things", { name: "x" }), { made: "x" });
  const failures: [() => Promise<unknown>, number, RegExp][] = [
    [() => client.get("/v1/things/a?limit=30"), 400, /^query.limit is 30; expected integer to be less or equal to 9$/],
    [() => client.get("/v1/things/a?limit=x"), 400, /^query.limit is "x"; expected integer$/],
    [() => client.get("/v1/things/a?foo=x"), 400, /^query has "foo", which means nothing here$/],
    [() => client.get("/v1/things/12345678901"), 400, /^path.name is "12345678901"; /],
    [() => client.get("/v1/nothing"), 404, /openapi/],
    [() => client.get("/v1/things"), 405, /this path takes POST/],
    [() => client.post("/v1/things", {}), 400, /^body lacks "name"$/],
    [() => client.post("/v1/things", { name: "x", more: 1 }), 400, /^body has "more", which means nothing here$/],
    [() => client.post("/v1/things", { name: "x".repeat(70_000) }), 413, /^the body may have 65536 bytes$/],
  ];
  for (const [ask, status, message] of failures) {
    await assert.rejects(ask, (error: unknown) => {
      const { status: got, message: text } = error as { status: number; message: string };
      assert.deepEqual([got, message.test(text)], [status, true], `${got} ${text}`);
      return true;
    });
  }
  await server.close();
  assert.throws(() => Deno.lstatSync(`${folder}/admin.sock`), Deno.errors.NotFound);
});

folderTest(
  "the socket has mode 0600, and one of a dead process is replaced, that of a live one is not",
  async (folder) => {
    const server = await open(folder);
    assert.equal(Deno.lstatSync(server.socket!).mode! & 0o777, 0o600);
    await assert.rejects(open(folder), /another process does/);
    await server.close();
    const dead = Deno.listen({ transport: "unix", path: `${folder}/admin.sock` });
    dead.close();
    const again = await open(folder);
    using client = adminClient({ socket: again.socket! });
    assert.deepEqual(await client.get("/v1/health"), { ok: true });
    await again.close();
  },
);

folderTest("by TCP the token is demanded, a Host of this machine, and no Origin of another", async (folder) => {
  const server = await open(folder, { tcp: true });
  const at = `http://${server.address}`;
  const ask = async (path: string, headers: Record<string, string> = {}, init: RequestInit = {}) => {
    const response = await fetch(at + path, { ...init, headers });
    await response.body?.cancel();
    return response.status;
  };
  const authorization = `Bearer ${TOKEN}`;
  assert.equal(await ask("/v1/things/a"), 401);
  assert.equal(await ask("/v1/nothing"), 401);
  assert.equal(await ask("/v1/things/a", { authorization: "Bearer 0123456789abcdef0123456789abcdee" }), 401);
  assert.equal(await ask("/v1/things/a", { authorization }), 200);
  assert.equal(await ask("/v1/health"), 200);
  assert.equal(await ask("/v1/things/a", { authorization, origin: "https://evil.example" }), 403);
  assert.equal(await ask("/v1/things/a", { authorization, origin: at }), 200);
  assert.equal(await ask("/v1/things", { authorization }, { method: "POST", body: "{}" }), 415);
  await server.close();
});

/** A source that its test fills. */
function filled(): StreamSource & { add(id: string): void; closed: number; taken: number } {
  let waiting: string[] = [];
  let wake = () => {};
  return {
    closed: 0,
    taken: 0,
    place: "0",
    add(id) {
      waiting.push(id);
      wake();
    },
    take() {
      this.taken++;
      const events = waiting.map((id) => ({ id, event: "thing", data: { id } }));
      waiting = [];
      return events;
    },
    whenMore(fn) {
      wake = fn;
      return () => wake = () => {};
    },
    close() {
      this.closed++;
    },
  };
}

folderTest(
  "a stream tells what comes, is asked no more once its reader has gone, and ends with the API",
  async (folder) => {
    const source = filled();
    const server = await open(folder, { source });
    using client = adminClient({ socket: server.socket! });
    const stream = client.stream("/v1/stream");
    source.add("1");
    assert.deepEqual((await stream.next()).value, { id: "1", data: { id: "1" } });
    source.add("2");
    assert.deepEqual((await stream.next()).value, { id: "2", data: { id: "2" } });
    await stream.return();
    await poll(() => source.closed === 1, () => "the source is still open");
    const other = client.stream("/v1/stream");
    source.add("3");
    assert.deepEqual((await other.next()).value, { id: "3", data: { id: "3" } });
    const end = other.next().catch(() => ({ done: true }));
    await server.close();
    assert.equal((await end).done, true);
    assert.equal(source.closed, 2);
  },
);

folderTest("an API that cannot be loaded is tried anew with the next request, and ends in order", async (folder) => {
  const logger = new RecordingLogger();
  let tries = 0;
  const load = () => {
    if (++tries < 3) throw new Error("too many open files");
    return { routes: routes() };
  };
  const tcp = { address: { host: "127.0.0.1", port: 0 }, token: TOKEN };
  const serve = () => serveAdmin({ title: "test", load, folder, unix: true, tcp, clock: systemClock, logger });
  const ask = async (address: string | undefined) => {
    const answer = await fetch(`http://${address}/v1/health`);
    await answer.body?.cancel();
    return answer.status;
  };
  const first = await serve();
  assert.equal(await ask(first.address), 503);
  await first.close();
  assert.deepEqual(logger.said, ["error: the admin API cannot be loaded: too many open files"]);
  const second = await serve();
  assert.deepEqual([await ask(second.address), await ask(second.address)], [503, 200]);
  await second.close();
});

folderTest("the line of a file with a mistake is shown at the socket, and not by TCP", async (folder) => {
  const server = await open(folder, { tcp: true });
  using local = adminClient({ socket: server.socket! });
  using remote = adminClient({ address: server.address!, token: TOKEN });
  const said = async (client: AdminClient) => {
    try {
      await client.post("/v1/things", { name: "broken" });
    } catch (error) {
      return (error as Error).message.split("\n");
    }
    return assert.fail("it was made");
  };
  assert.deepEqual(await said(local), ["x.toml:1:10: no", "  1 | wrong = !", "               ^"]);
  assert.deepEqual(await said(remote), ["x.toml:1:10: no"]);
  await server.close();
});
