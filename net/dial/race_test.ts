import assert from "node:assert/strict";
import { DIAL_STAGGER_MS } from "../limits.ts";
import { systemClock } from "../../base/clock.ts";
import { dialRace } from "./race.ts";
import type { ServerTarget } from "./server.ts";
import { test } from "../../tests/rig/test.ts";
import { Echo, never, sayHello } from "./_dial_fixture_test.ts";

const plain = (port: number): ServerTarget => ({ server: { host: "127.0.0.1", port }, security: { kind: "plain" } });

/** A port on which nobody listens. */
function deadPort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return listener.addr.port;
}

test("the first address is taken when it answers, and the others are left alone", async () => {
  const [a, b] = [new Echo(Deno.listen({ hostname: "127.0.0.1", port: 0 })), deadPort()];
  const { transport, index } = await dialRace([plain(a.address.port), plain(b)], systemClock, 5_000, never);
  assert.equal(index, 0);
  await sayHello(transport);
  await a.close();
});

test("an address that refuses does not cost the time of one that is silent", async () => {
  const echo = new Echo(Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const since = performance.now();
  const targets = [plain(deadPort()), plain(deadPort()), plain(echo.address.port)];
  const { transport, index } = await dialRace(targets, systemClock, 5_000, never);
  assert.equal(index, 2);
  assert.ok(performance.now() - since < DIAL_STAGGER_MS, `${performance.now() - since} ms`);
  await sayHello(transport);
  await echo.close();
});

test("behind an address that never answers, the next one is tried after a moment", async () => {
  // A TLS server that never says a word takes the dial, and nothing comes of it.
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = silent.accept();
  const echo = new Echo(Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const pinned: ServerTarget = {
    server: { host: "127.0.0.1", port: silent.addr.port },
    security: { kind: "pki" },
  };
  const { transport, index } = await dialRace([pinned, plain(echo.address.port)], systemClock, 5_000, never);
  assert.equal(index, 1);
  await sayHello(transport);
  (await accepted).close();
  silent.close();
  await echo.close();
});

test("when all fail the last error is told, and an abort ends all at once", async () => {
  await assert.rejects(
    dialRace([plain(deadPort()), plain(deadPort())], systemClock, 5_000, never),
    Deno.errors.ConnectionRefused,
  );
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = silent.accept();
  const stop = new AbortController();
  const target: ServerTarget = { server: { host: "127.0.0.1", port: silent.addr.port }, security: { kind: "pki" } };
  const dialled = dialRace([target], systemClock, 5_000, stop.signal);
  (await accepted).close();
  stop.abort(new Error("enough"));
  await assert.rejects(dialled);
  silent.close();
});
