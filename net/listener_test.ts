import assert from "node:assert/strict";
import { FAILED_ACCEPTS_PAUSE_MS, MAX_ACCEPT_PAUSE_MS, MAX_FAILED_ACCEPTS, MIN_ACCEPT_PAUSE_MS } from "./limits.ts";
import { engine, engineTest, LOCAL } from "./_engines_fixture_test.ts";
import { Listener, ListenError } from "./listener.ts";
import { portableEngine } from "./portable/engine.ts";
import type { Engine, Socket } from "./socket.ts";
import { FakeClock } from "../tests/rig/clock.ts";
import { RecordingLogger } from "../tests/rig/logger.ts";
import { settled } from "../tests/rig/wait.ts";
import { test } from "../tests/rig/test.ts";

const portOf = (listener: { address: string }) => Number(listener.address.split(":").at(-1));

engineTest("a listener hands over each connection, and frees its port", async (engine) => {
  const conns: Socket[] = [];
  let arrived = Promise.withResolvers<void>();
  const listener = Listener.open(LOCAL, engine, new FakeClock(), new RecordingLogger(), (conn) => {
    conns.push(conn);
    arrived.resolve();
  });
  const port = portOf(listener);
  assert(port > 0);
  for (let n = 1; n <= 3; n++) {
    arrived = Promise.withResolvers<void>();
    const arrival = arrived.promise;
    using _client = await Deno.connect({ hostname: "127.0.0.1", port });
    await arrival;
    assert.equal(conns.length, n);
  }
  listener.close();
  listener.close();
  await listener.ended;
  for (const conn of conns) conn.close();
  await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port }), Deno.errors.ConnectionRefused);
});

test("nobody is handed over before the listener is its owner's, however early he comes", async () => {
  const waiting = [{ close() {}, remoteAddress: LOCAL } as unknown as Socket];
  const listening = {
    address: { ...LOCAL, port: 7 },
    accept: () => waiting.shift() ?? Promise.withResolvers<Socket>().promise,
    close() {},
  };
  const early = { ...engine, listen: () => listening } as unknown as Engine;
  const told: string[] = [];
  Listener.open(LOCAL, early, new FakeClock(), new RecordingLogger(), () => told.push("came"));
  told.push("opened");
  await settled();
  assert.deepEqual(told, ["opened", "came"]);
});

engineTest("an address in use is refused with the address, the code and what would do", async (engine) => {
  const first = Listener.open(LOCAL, engine, new FakeClock(), new RecordingLogger(), () => {});
  const port = portOf(first);
  assert.throws(
    () => Listener.open({ ...LOCAL, port }, engine, new FakeClock(), new RecordingLogger(), () => {}),
    (error) => {
      assert(error instanceof ListenError);
      assert.equal(error.code, "EADDRINUSE");
      assert.equal(error.address.port, port);
      assert(error.cause instanceof Error);
      assert.match(error.message, new RegExp(`^Cannot listen on 127.0.0.1:${port}: .*in use.*choose another, or 0`));
      return true;
    },
  );
  first.close();
  await first.ended;
});

engineTest("an address of another host is refused with what would do", (engine) => {
  assert.throws(
    () => Listener.open({ host: "192.0.2.1", port: 0 }, engine, new FakeClock(), new RecordingLogger(), () => {}),
    (error) => error instanceof ListenError && error.code === "EADDRNOTAVAIL" && /0\.0\.0\.0/.test(error.message),
  );
});

/** What happens at each accept of a listener whose kernel is the test: an error, or a real connection. */
async function withAccepts(
  accepts: Error[],
  fn: (listener: Listener, clock: FakeClock, logger: RecordingLogger, conns: Socket[]) => Promise<void>,
): Promise<void> {
  const failing: Engine = {
    ...portableEngine,
    listen: (address, options) => {
      const real = engine.listen(address, options);
      const accept = () => {
        const error = accepts.shift();
        return error ? Promise.reject(error) : real.accept();
      };
      return { address: real.address, accept, close: () => real.close() };
    },
  };
  const clock = new FakeClock();
  const logger = new RecordingLogger();
  const conns: Socket[] = [];
  const listener = Listener.open(LOCAL, failing, clock, logger, (conn) => conns.push(conn));
  try {
    await fn(listener, clock, logger, conns);
  } finally {
    listener.close();
    await listener.ended;
    for (const conn of conns) conn.close();
  }
}

const exhausted = () => Object.assign(new Error("Too many open files (os error 24)"), { code: "EMFILE" });

test("when descriptors run out, accepting pauses longer and longer, says so, and goes on", async () => {
  await withAccepts(Array.from({ length: 7 }, exhausted), async (listener, clock, logger, conns) => {
    let pause = MIN_ACCEPT_PAUSE_MS;
    for (let n = 1; n <= 7; n++) {
      await settled();
      assert.equal(logger.lines.length, n);
      assert.match(logger.lines.at(-1)!, /^warn .*pauses.*Too many open files.*ulimit/);
      await clock.advance(pause - 1);
      assert.equal(logger.lines.length, n, "it did not pause");
      await clock.advance(1);
      pause = Math.min(MAX_ACCEPT_PAUSE_MS, pause * 2);
    }
    assert.equal(clock.pending, 0);
    using client = await Deno.connect({ hostname: "127.0.0.1", port: portOf(listener) });
    while (conns.length === 0) await settled();
    assert(client);
  });
});

test("a listener that may not take the last descriptors hands over who came, and waits until there are others", async () => {
  await withAccepts([], async (listener, clock, logger, conns) => {
    let isShort = true;
    let asked = 0;
    listener.isShort = () => isShort;
    listener.onExhausted = () => asked++;
    const dial = () => Deno.connect({ hostname: "127.0.0.1", port: portOf(listener) });
    using one = await dial();
    while (clock.pending === 0) await settled();
    using two = await dial();
    await clock.advance(MIN_ACCEPT_PAUSE_MS);
    assert.deepEqual([conns.length, asked, logger.lines.length], [1, 0, 0], "it said so before a moment had passed");
    await clock.advance(MIN_ACCEPT_PAUSE_MS);
    assert.deepEqual([conns.length, asked, logger.lines.length], [1, 1, 1]);
    assert.match(logger.lines.at(-1)!, /^warn .*pauses.*nearly all descriptors.*ulimit/);
    isShort = false;
    await clock.advance(2 * MIN_ACCEPT_PAUSE_MS);
    while (conns.length < 2) await settled();
    assert(one && two);
  });
});

const gone = () => Object.assign(new Error("Transport endpoint is not connected (os error 107)"), { code: "ENOTCONN" });

test("clients that went before they were accepted cost others no time", async () => {
  await withAccepts(Array.from({ length: MAX_FAILED_ACCEPTS - 1 }, gone), async (listener, clock, logger, conns) => {
    using client = await Deno.connect({ hostname: "127.0.0.1", port: portOf(listener) });
    while (conns.length === 0) await settled(); // the clock stands still
    assert.equal(clock.pending, 0);
    assert.equal(logger.lines.length, MAX_FAILED_ACCEPTS - 1);
    assert(logger.lines.every((line) => line.startsWith("debug ")));
    assert(client);
  });
});

test("an accept that fails time and again does not spin: the loop pauses a moment, and not longer each time", async () => {
  await withAccepts(Array.from({ length: 3 * MAX_FAILED_ACCEPTS }, gone), async (listener, clock, logger, conns) => {
    for (let n = 1; n <= 3; n++) {
      while (clock.pending === 0) await settled();
      assert.equal(logger.lines.length, n * MAX_FAILED_ACCEPTS);
      await clock.advance(FAILED_ACCEPTS_PAUSE_MS);
    }
    using client = await Deno.connect({ hostname: "127.0.0.1", port: portOf(listener) });
    while (conns.length === 0) await settled();
    assert(client);
  });
});

test("a listener that is closed during a pause ends at once, and leaves no timer", async () => {
  await withAccepts([exhausted()], async (listener, clock) => {
    await settled();
    assert.equal(clock.pending, 1);
    listener.close();
    await listener.ended;
    assert.equal(clock.pending, 0);
  });
});

engineTest("one connection that cannot be handed over does not end the accept loop", async (engine) => {
  const logger = new RecordingLogger();
  const conns: Socket[] = [];
  let first = true;
  const listener = Listener.open(LOCAL, engine, new FakeClock(), logger, (conn) => {
    if (!first) return void conns.push(conn);
    first = false;
    throw new Error("no room");
  });
  const dial = () => Deno.connect({ hostname: "127.0.0.1", port: portOf(listener) });
  using one = await dial();
  assert.equal(await one.read(new Uint8Array(1)), null);
  using two = await dial();
  while (conns.length === 0) await settled();
  assert(two);
  assert.match(logger.lines.join(), /^error a connection to .*no room/);
  listener.close();
  await listener.ended;
  for (const conn of conns) conn.close();
});
