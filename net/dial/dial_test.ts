import assert from "node:assert/strict";
import { DIAL_SHARE, DIAL_WAIT_MS, MAX_SHARED_DIALS } from "../limits.ts";
import { dial, DialLimit, DialTimeout } from "./dial.ts";
import { systemClock } from "../../base/clock.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { settled } from "../../tests/rig/wait.ts";
import { test } from "../../tests/rig/test.ts";

async function withListener(
  fn: (port: number, listener: Deno.TcpListener) => Promise<void>,
): Promise<void> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await fn(listener.addr.port, listener);
}

test("a dial gives a connection and leaves no timer", async () => {
  await withListener(async (port, listener) => {
    const clock = new FakeClock();
    using conn = await dial({ host: "localhost", port }, clock, 1_000, new AbortController().signal);
    using peer = await listener.accept();
    assert.equal(await conn.write(Uint8Array.of(7)), 1);
    const into = new Uint8Array(4);
    assert.equal(await peer.read(into), 1);
    assert.equal(into[0], 7);
    assert.equal(clock.pending, 0);
  });
});

test("a dial that takes too long is given up with the time in its text, and its socket is freed", async () => {
  await withListener(async (port) => {
    const clock = new FakeClock();
    const dialled = dial({ host: "127.0.0.1", port }, clock, 10_000, new AbortController().signal);
    clock.jump(10_000);
    await assert.rejects(dialled, (error) => error instanceof DialTimeout && error.message === "no answer within 10 s");
    assert.equal(clock.pending, 0);
  });
});

test("a dial is given up when its signal aborts, with the signal's reason", async () => {
  await withListener(async (port) => {
    const clock = new FakeClock();
    const abort = new AbortController();
    const dialled = dial({ host: "127.0.0.1", port }, clock, 10_000, abort.signal);
    const reason = new Error("enough");
    abort.abort(reason);
    await assert.rejects(dialled, reason);
    assert.equal(clock.pending, 0);
  });
});

test("a dial that is given up is aborted, and a connection that comes all the same is closed", async () => {
  await withListener(async (port) => {
    const { connect } = Deno;
    const opened = Promise.withResolvers<Deno.TcpConn>();
    let signal: AbortSignal | undefined;
    const stubborn = async (options: Deno.ConnectOptions & { signal?: AbortSignal }): Promise<Deno.TcpConn> => {
      signal = options.signal;
      const conn = await connect({ hostname: "127.0.0.1", port: options.port });
      opened.resolve(conn);
      return conn;
    };
    const clock = new FakeClock();
    Object.defineProperty(Deno, "connect", { value: stubborn, configurable: true, writable: true, enumerable: true });
    let dialled: Promise<Deno.TcpConn>;
    try {
      dialled = dial({ host: "127.0.0.1", port }, clock, 1_000, new AbortController().signal);
    } finally {
      Object.defineProperty(Deno, "connect", { value: connect, configurable: true, writable: true, enumerable: true });
    }
    clock.jump(1_000);
    await assert.rejects(dialled, DialTimeout);
    assert.equal(signal?.aborted, true);
    const conn = await opened.promise;
    await settled();
    await assert.rejects(conn.write(Uint8Array.of(1)), "the connection is open");
  });
});

test("a dial beyond the limit waits for its turn, but not for long, also while given-up ones have not been let go", async () => {
  const { connect } = Deno;
  const hanging: (() => void)[] = [];
  const never = () => new Promise<Deno.TcpConn>((_, reject) => hanging.push(() => reject(new Error("gone"))));
  const clock = new FakeClock();
  const begin = (timeout = 1_000) => dial({ host: "127.0.0.1", port: 1 }, clock, timeout, new AbortController().signal);
  Object.defineProperty(Deno, "connect", { value: never, configurable: true, writable: true, enumerable: true });
  try {
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
  } finally {
    Object.defineProperty(Deno, "connect", { value: connect, configurable: true, writable: true, enumerable: true });
  }
});

test("a dial to an address that answers does not wait for any number of those to one that does not", async () => {
  await withListener(async (port, listener) => {
    const { connect } = Deno;
    const hanging: (() => void)[] = [];
    const some = (options: Deno.ConnectOptions) =>
      options.port === port
        ? connect(options)
        : new Promise<Deno.TcpConn>((_, reject) => hanging.push(() => reject(new Error("gone"))));
    const put = (value: unknown) =>
      Object.defineProperty(Deno, "connect", { value, configurable: true, writable: true, enumerable: true });
    const clock = new FakeClock();
    const stop = new AbortController();
    put(some);
    try {
      const silent = Array.from(
        { length: 2_000 },
        () => dial({ host: "127.0.0.1", port: 1 }, clock, 1_000, stop.signal),
      );
      for (let n = 0; n < 20; n++) {
        (await dial({ host: "127.0.0.1", port }, clock, 1_000, stop.signal)).close();
        (await listener.accept()).close();
      }
      stop.abort(new Error("enough"));
      for (const letGo of hanging) letGo();
      for (const { status } of await Promise.allSettled(silent)) assert.equal(status, "rejected");
    } finally {
      put(connect);
    }
  });
});

test("a dial whose signal has aborted does not begin", async () => {
  const clock = new FakeClock();
  await assert.rejects(
    dial({ host: "127.0.0.1", port: 1 }, clock, 1_000, AbortSignal.abort(new Error("before"))),
    /before/,
  );
  assert.equal(clock.timersSet, 0);
});

test("a refused dial rejects with what the runtime says", async () => {
  let free = 0;
  await withListener((port) => {
    free = port;
    return Promise.resolve();
  });
  const dialled = dial({ host: "127.0.0.1", port: free }, systemClock, 10_000, new AbortController().signal);
  await assert.rejects(dialled, Deno.errors.ConnectionRefused);
});
