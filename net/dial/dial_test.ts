import assert from "node:assert/strict";
import { DIAL_SHARE, DIAL_WAIT_MS, MAX_SHARED_DIALS } from "../limits.ts";
import { dial, DialLimit, DialTimeout } from "./dial.ts";
import type { Address } from "../../protocol/address.ts";
import { systemClock } from "../../base/clock.ts";
import { deadPort, engineTest, LOCAL, never } from "../_engines_fixture_test.ts";
import { portableEngine } from "../portable/engine.ts";
import type { ConnectOptions, Engine, Socket } from "../socket.ts";
import { FakeSocket } from "../../relay/_fakes_test.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { settled } from "../../tests/rig/wait.ts";
import { test } from "../../tests/rig/test.ts";

/** An engine whose connections are made by the test. */
function dialling(connect: Engine["connect"]): Engine {
  return { ...portableEngine, connect };
}

engineTest("a dial gives a connection and leaves no timer", async (engine) => {
  const listener = engine.listen(LOCAL);
  const clock = new FakeClock();
  const { port } = listener.address;
  const conn = await dial({ host: "localhost", port }, { engine, clock, timeout: 1_000, signal: never });
  const peer = await listener.accept();
  assert.equal(await conn.write(Uint8Array.of(7)), 1);
  const into = new Uint8Array(4);
  assert.equal(await peer.read(into), 1);
  assert.equal(into[0], 7);
  assert.equal(clock.pending, 0);
  for (const each of [conn, peer, listener]) each.close();
});

engineTest(
  "a dial that takes too long is given up with the time in its text, and its socket is freed",
  async (engine) => {
    const listener = engine.listen(LOCAL);
    const clock = new FakeClock();
    const dialled = dial(listener.address, { engine, clock, timeout: 10_000, signal: never });
    clock.jump(10_000);
    await assert.rejects(dialled, (error) => error instanceof DialTimeout && error.message === "no answer within 10 s");
    assert.equal(clock.pending, 0);
    listener.close();
  },
);

engineTest("a dial is given up when its signal aborts, with the signal's reason", async (engine) => {
  const listener = engine.listen(LOCAL);
  const clock = new FakeClock();
  const abort = new AbortController();
  const dialled = dial(listener.address, { engine, clock, timeout: 10_000, signal: abort.signal });
  const reason = new Error("enough");
  abort.abort(reason);
  await assert.rejects(dialled, reason);
  assert.equal(clock.pending, 0);
  listener.close();
});

test("a dial that is given up is aborted, and a connection that comes all the same is closed", async () => {
  const opened = Promise.withResolvers<Socket>();
  let signal: AbortSignal | undefined;
  const engine = dialling((_address, options: ConnectOptions) => {
    ({ signal } = options);
    return opened.promise;
  });
  const clock = new FakeClock();
  const dialled = dial({ host: "127.0.0.1", port: 1 }, { engine, clock, timeout: 1_000, signal: never });
  clock.jump(1_000);
  await assert.rejects(dialled, DialTimeout);
  assert.equal(signal?.aborted, true);
  const conn = new FakeSocket();
  opened.resolve(conn);
  await settled();
  assert.equal(conn.closed, true);
});

test("a dial beyond the limit waits for its turn, but not for long, also while given-up ones have not been let go", async () => {
  const hanging: (() => void)[] = [];
  const engine = dialling(() => new Promise((_, reject) => hanging.push(() => reject(new Error("gone")))));
  const clock = new FakeClock();
  const begin = (timeout = 1_000) => dial({ host: "127.0.0.1", port: 1 }, { engine, clock, timeout, signal: never });
  const dials = Array.from({ length: MAX_SHARED_DIALS }, () => begin());
  const most = hanging.length;
  assert.ok(most < MAX_SHARED_DIALS / DIAL_SHARE, `${most}`);
  clock.jump(1_000);
  for (const result of await Promise.allSettled(dials)) assert.equal(result.status, "rejected");
  const tooLate = begin(10_000);
  clock.jump(DIAL_WAIT_MS);
  await assert.rejects(tooLate, (error) => {
    assert.ok(error instanceof DialLimit);
    assert.equal(error.message, `${most} others to 127.0.0.1:1 are under way`);
    return true;
  });
  const waits = [begin(10_000), begin(10_000)];
  assert.equal(hanging.length, most);
  for (const letGo of hanging.splice(0)) letGo();
  await settled();
  assert.equal(hanging.length, 2, "those who waited have begun, and nobody else");
  clock.jump(DIAL_WAIT_MS);
  for (const letGo of hanging) letGo();
  for (const dialled of waits) await assert.rejects(dialled, /gone/);
  await settled();
  assert.equal(clock.pending, 0);
});

test("a dial to an address that answers does not wait for any number of those to one that does not", async () => {
  const hanging: (() => void)[] = [];
  const engine = dialling(({ port }: Address) =>
    port === 2
      ? Promise.resolve(new FakeSocket())
      : new Promise((_, reject) => hanging.push(() => reject(new Error("gone"))))
  );
  const clock = new FakeClock();
  const stop = new AbortController();
  const options = { engine, clock, timeout: 1_000, signal: stop.signal };
  const silent = Array.from({ length: 2_000 }, () => dial({ host: "127.0.0.1", port: 1 }, options));
  for (let n = 0; n < 20; n++) (await dial({ host: "127.0.0.1", port: 2 }, options)).close();
  stop.abort(new Error("enough"));
  for (const letGo of hanging) letGo();
  for (const { status } of await Promise.allSettled(silent)) assert.equal(status, "rejected");
});

test("a dial whose signal has aborted does not begin", async () => {
  const clock = new FakeClock();
  const engine = dialling(() => Promise.reject(new Error("it has begun")));
  const signal = AbortSignal.abort(new Error("before"));
  await assert.rejects(dial({ host: "127.0.0.1", port: 1 }, { engine, clock, timeout: 1_000, signal }), /before/);
  assert.equal(clock.timersSet, 0);
});

engineTest("a refused dial rejects with what the system says", async (engine) => {
  const address = { host: "127.0.0.1", port: deadPort() };
  const dialled = dial(address, { engine, clock: systemClock, timeout: 10_000, signal: never });
  await assert.rejects(dialled, Deno.errors.ConnectionRefused);
});
