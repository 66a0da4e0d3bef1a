import assert from "node:assert/strict";
import { connectAny, type Connector, explainLookup, interleaved, racesByItself, UnknownHostError } from "./connect.ts";
import { DIAL_STAGGER_MS, MAX_DIAL_ADDRESSES } from "../limits.ts";
import { FakeClock, settled, test } from "../../relay/_fakes_test.ts";

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
    const dialled = connectAny(NAME, clock, never, net);
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
    const dialled = connectAny(NAME, new FakeClock(), never, net);
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
    const dialled = connectAny(NAME, clock, never, net);
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
  const dialled = connectAny(NAME, clock, never, net);
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
  const dialled = connectAny(NAME, clock, abort.signal, net);
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

test("only runtimes that try one address alone are helped", () => {
  assert.equal(racesByItself("2.4.2"), false);
  assert.equal(racesByItself("2.8.9"), false);
  for (const version of ["2.9.0", "2.9.6", "2.10.0", "3.0.0"]) assert.equal(racesByItself(version), true);
});

test("a name that has no address is told with what to check, whoever looked it up; anything else is passed on", () => {
  const said = (error: Error) => {
    const explained = explainLookup("relay.example", error);
    assert.ok(explained instanceof UnknownHostError);
    return explained.message;
  };
  const check = "check the name, and the DNS of this machine";
  const ours = Object.assign(new Error("getaddrinfo ENOTFOUND relay.example"), { code: "ENOTFOUND" });
  assert.equal(said(ours), `cannot resolve relay.example (ENOTFOUND); ${check}`);
  const runtimes = new Error("failed to lookup address information: Name or service not known");
  assert.equal(said(runtimes), `cannot resolve relay.example (Name or service not known); ${check}`);
  const refused = new Deno.errors.ConnectionRefused("Connection refused (os error 111)");
  assert.equal(explainLookup("relay.example", refused), refused);
});
