import assert from "node:assert/strict";
import { DIAL_STAGGER_MS } from "../limits.ts";
import { systemClock } from "../../base/clock.ts";
import { dialRace } from "./race.ts";
import type { ServerTarget } from "./server.ts";
import { deadPort, engineTest, never } from "../_engines_fixture_test.ts";
import { Echo, sayHello } from "./_dial_fixture_test.ts";

const plain = (port: number): ServerTarget => ({ server: { host: "127.0.0.1", port }, security: { kind: "plain" } });

engineTest("the first address is taken when it answers, and the others are left alone", async (engine) => {
  const [a, b] = [new Echo(Deno.listen({ hostname: "127.0.0.1", port: 0 })), deadPort()];
  const { transport, index } = await dialRace([plain(a.address.port), plain(b)], engine, systemClock, 5_000, never);
  assert.equal(index, 0);
  await sayHello(transport);
  await a.close();
});

engineTest("an address that refuses does not cost the time of one that is silent", async (engine) => {
  const echo = new Echo(Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const since = performance.now();
  const targets = [plain(deadPort()), plain(deadPort()), plain(echo.address.port)];
  const { transport, index } = await dialRace(targets, engine, systemClock, 5_000, never);
  assert.equal(index, 2);
  assert.ok(performance.now() - since < DIAL_STAGGER_MS, `${performance.now() - since} ms`);
  await sayHello(transport);
  await echo.close();
});

engineTest("behind an address that never answers, the next one is tried after a moment", async (engine) => {
  // A TLS server that never says a word takes the dial, and nothing comes of it.
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = silent.accept();
  const echo = new Echo(Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const pinned: ServerTarget = {
    server: { host: "127.0.0.1", port: silent.addr.port },
    security: { kind: "pki" },
  };
  const { transport, index } = await dialRace([pinned, plain(echo.address.port)], engine, systemClock, 5_000, never);
  assert.equal(index, 1);
  await sayHello(transport);
  (await accepted).close();
  silent.close();
  await echo.close();
});

engineTest("when all fail the last error is told, and an abort ends all at once", async (engine) => {
  await assert.rejects(
    dialRace([plain(deadPort()), plain(deadPort())], engine, systemClock, 5_000, never),
    Deno.errors.ConnectionRefused,
  );
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = silent.accept();
  const stop = new AbortController();
  const target: ServerTarget = { server: { host: "127.0.0.1", port: silent.addr.port }, security: { kind: "pki" } };
  const dialled = dialRace([target], engine, systemClock, 5_000, stop.signal);
  (await accepted).close();
  stop.abort(new Error("enough"));
  await assert.rejects(dialled);
  silent.close();
});
