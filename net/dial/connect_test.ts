import assert from "node:assert/strict";
import { DIAL_STAGGER_MS, MAX_DIAL_ADDRESSES } from "../limits.ts";
import { connect, type Connector, interleaved } from "./connect.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { settled } from "../../tests/rig/wait.ts";
import { test } from "../../tests/rig/test.ts";

const NAME = { host: "dual.example", port: 7443 };
const REFUSED = new Deno.errors.ConnectionRefused("Connection refused (os error 111)");
const UNREACHABLE = new Deno.errors.NetworkUnreachable("Network is unreachable (os error 101)");

/** Connections that stay open until the test says what becomes of them. */
class Scripted implements Connector {
  readonly tried: string[] = [];
  readonly aborted: string[] = [];
  readonly #pending = new Map<string, PromiseWithResolvers<Deno.TcpConn>>();

  constructor(readonly addresses: string[]) {}

  lookup(): Promise<string[]> {
    return Promise.resolve(this.addresses);
  }

  connect({ hostname, signal }: { hostname: string; signal: AbortSignal }): Promise<Deno.TcpConn> {
    this.tried.push(hostname);
    const pending = Promise.withResolvers<Deno.TcpConn>();
    this.#pending.set(hostname, pending);
    signal.addEventListener("abort", () => {
      this.aborted.push(hostname);
      pending.reject(signal.reason);
    });
    return pending.promise;
  }

  async fail(hostname: string, error: Error): Promise<void> {
    this.#pending.get(hostname)!.reject(error);
    await settled();
  }

  async answer(hostname: string, conn: Deno.TcpConn): Promise<void> {
    this.#pending.get(hostname)!.resolve(conn);
    await settled();
  }
}

/** A connection, of which a test asks only whether it is this one. */
async function someConn(fn: (conn: Deno.TcpConn) => Promise<void>): Promise<void> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  using _peer = await listener.accept();
  await fn(conn);
}

const never = new AbortController().signal;

test("an address that is silent is joined by the next a moment later, and let go when that answers", async () => {
  await someConn(async (conn) => {
    const clock = new FakeClock();
    const net = new Scripted(["fd99::9", "10.99.0.1"]);
    const dialled = connect(NAME, clock, never, net);
    await clock.advance(DIAL_STAGGER_MS - 1);
    assert.deepEqual(net.tried, ["fd99::9"]);
    await clock.advance(1);
    assert.deepEqual(net.tried, ["fd99::9", "10.99.0.1"]);
    await net.answer("10.99.0.1", conn);
    assert.equal(await dialled, conn);
    assert(net.aborted.includes("fd99::9"));
    assert.equal(clock.pending, 0);
  });
});

test("an address that refuses gives way at once", async () => {
  await someConn(async (conn) => {
    const net = new Scripted(["::1", "127.0.0.1"]);
    const dialled = connect(NAME, new FakeClock(), never, net);
    await settled();
    await net.fail("::1", REFUSED);
    assert.deepEqual(net.tried, ["::1", "127.0.0.1"]);
    await net.answer("127.0.0.1", conn);
    assert.equal(await dialled, conn);
  });
});

test("where none answers, a refusal says most, whichever it was", async () => {
  for (const order of [[REFUSED, UNREACHABLE], [UNREACHABLE, REFUSED]]) {
    const clock = new FakeClock();
    const net = new Scripted(["::1", "127.0.0.1"]);
    const dialled = connect(NAME, clock, never, net);
    dialled.catch(() => {});
    await settled();
    await net.fail("::1", order[0]!);
    await net.fail("127.0.0.1", order[1]!);
    await assert.rejects(dialled, REFUSED);
    assert.equal(clock.pending, 0);
  }
});

test("a name with any number of addresses costs a bounded number of tries", async () => {
  const clock = new FakeClock();
  const net = new Scripted(Array.from({ length: 100 }, (_, n) => `10.0.0.${n}`));
  const dialled = connect(NAME, clock, never, net);
  dialled.catch(() => {});
  await settled();
  for (const address of net.addresses.slice(0, MAX_DIAL_ADDRESSES)) await net.fail(address, UNREACHABLE);
  await assert.rejects(dialled, UNREACHABLE);
  assert.equal(net.tried.length, MAX_DIAL_ADDRESSES);
});

test("a dial that is aborted lets all addresses go, with the signal's reason", async () => {
  const clock = new FakeClock();
  const abort = new AbortController();
  const net = new Scripted(["fd99::9", "10.99.0.1", "10.99.0.2"]);
  const dialled = connect(NAME, clock, abort.signal, net);
  await clock.advance(DIAL_STAGGER_MS);
  abort.abort(new Error("enough"));
  await assert.rejects(dialled, /enough/);
  assert.deepEqual(net.aborted.sort(), ["10.99.0.1", "fd99::9"]);
  assert.equal(net.tried.length, 2);
  assert.equal(clock.pending, 0);
});

test("families take turns, the best one's address first", () => {
  assert.deepEqual(interleaved(["a::1", "a::2", "a::3", "1.1.1.1"]), ["a::1", "1.1.1.1", "a::2", "a::3"]);
  assert.deepEqual(interleaved(["1.1.1.1", "a::1", "a::2"]), ["1.1.1.1", "a::1", "a::2"]);
  assert.deepEqual(interleaved(["1.1.1.1"]), ["1.1.1.1"]);
});

test("a dial that is aborted does not wait for its name", async () => {
  const clock = new FakeClock();
  const abort = new AbortController();
  const tried: string[] = [];
  const net: Connector = {
    lookup: () => new Promise(() => {}),
    connect: ({ hostname }) => Promise.reject(tried.push(hostname)),
  };
  const dialled = connect(NAME, clock, abort.signal, net);
  abort.abort(new Error("enough"));
  await assert.rejects(dialled, /enough/);
  assert.deepEqual([tried, clock.pending], [[], 0]);
});

test("an address is not looked up", async () => {
  await someConn(async (conn) => {
    for (const host of ["127.0.0.1", "::1"]) {
      const net = new Scripted([]);
      const dialled = connect({ host, port: 1 }, new FakeClock(), never, net);
      assert.deepEqual(net.tried, [host]);
      await net.answer(host, conn);
      assert.equal(await dialled, conn);
    }
  });
});

test("a connection that opens after all while its dial is aborted is closed", async () => {
  await someConn(async (conn) => {
    const abort = new AbortController();
    const opened = Promise.withResolvers<Deno.TcpConn>();
    const net: Connector = { lookup: () => Promise.resolve(["10.0.0.1"]), connect: () => opened.promise };
    const dialled = connect(NAME, new FakeClock(), abort.signal, net);
    await settled();
    abort.abort(new Error("enough"));
    opened.resolve(conn);
    await assert.rejects(dialled, /enough/);
    await assert.rejects(conn.write(Uint8Array.of(1)), "the connection is open");
  });
});
