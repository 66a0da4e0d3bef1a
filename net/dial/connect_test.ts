import assert from "node:assert/strict";
import { DIAL_STAGGER_MS, MAX_DIAL_ADDRESSES } from "../limits.ts";
import { connect, type ConnectToOptions, interleaved } from "./connect.ts";
import type { Address } from "../../protocol/address.ts";
import type { ConnectOptions, Socket } from "../socket.ts";
import { FakeSocket } from "../../relay/_fakes_test.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { settled } from "../../tests/rig/wait.ts";
import { test } from "../../tests/rig/test.ts";

const NAME = { host: "dual.example", port: 7443 };
const REFUSED = new Deno.errors.ConnectionRefused("Connection refused (os error 111)");
const UNREACHABLE = new Deno.errors.NetworkUnreachable("Network is unreachable (os error 101)");

/** Connections that stay open until the test says what becomes of them. */
class Scripted {
  readonly tried: string[] = [];
  readonly uplinks: (string | undefined)[] = [];
  readonly aborted: string[] = [];
  readonly #pending = new Map<string, PromiseWithResolvers<Socket>>();

  constructor(readonly addresses: string[]) {}

  options(clock: FakeClock, signal = never): ConnectToOptions {
    return { engine: this, clock, signal, lookup: () => Promise.resolve(this.addresses) };
  }

  connect({ host }: Address, { signal, uplink }: ConnectOptions): Promise<Socket> {
    this.tried.push(host);
    this.uplinks.push(uplink);
    const pending = Promise.withResolvers<Socket>();
    this.#pending.set(host, pending);
    signal.addEventListener("abort", () => {
      this.aborted.push(host);
      pending.reject(signal.reason);
    });
    return pending.promise;
  }

  async fail(host: string, error: Error): Promise<void> {
    this.#pending.get(host)!.reject(error);
    await settled();
  }

  async answer(host: string, conn: Socket): Promise<void> {
    this.#pending.get(host)!.resolve(conn);
    await settled();
  }
}

const never = new AbortController().signal;

test("an address that is silent is joined by the next a moment later, and let go when that answers", async () => {
  const conn = new FakeSocket();
  const clock = new FakeClock();
  const net = new Scripted(["fd99::9", "10.99.0.1"]);
  const dialled = connect(NAME, net.options(clock));
  await clock.advance(DIAL_STAGGER_MS - 1);
  assert.deepEqual(net.tried, ["fd99::9"]);
  await clock.advance(1);
  assert.deepEqual(net.tried, ["fd99::9", "10.99.0.1"]);
  await net.answer("10.99.0.1", conn);
  assert.equal(await dialled, conn);
  assert(net.aborted.includes("fd99::9"));
  assert.equal(clock.pending, 0);
});

test("an address that refuses gives way at once", async () => {
  const conn = new FakeSocket();
  const net = new Scripted(["::1", "127.0.0.1"]);
  const dialled = connect(NAME, net.options(new FakeClock()));
  await settled();
  await net.fail("::1", REFUSED);
  assert.deepEqual(net.tried, ["::1", "127.0.0.1"]);
  await net.answer("127.0.0.1", conn);
  assert.equal(await dialled, conn);
});

test("where none answers, a refusal says most, whichever it was", async () => {
  for (const order of [[REFUSED, UNREACHABLE], [UNREACHABLE, REFUSED]]) {
    const clock = new FakeClock();
    const net = new Scripted(["::1", "127.0.0.1"]);
    const dialled = connect(NAME, net.options(clock));
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
  const dialled = connect(NAME, net.options(clock));
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
  const dialled = connect(NAME, net.options(clock, abort.signal));
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
  const net = new Scripted([]);
  const lookup = () => new Promise<string[]>(() => {});
  const dialled = connect(NAME, { ...net.options(clock, abort.signal), lookup });
  abort.abort(new Error("enough"));
  await assert.rejects(dialled, /enough/);
  assert.deepEqual([net.tried, clock.pending], [[], 0]);
});

test("an address is not looked up", async () => {
  const conn = new FakeSocket();
  for (const host of ["127.0.0.1", "::1"]) {
    const net = new Scripted([]);
    const dialled = connect({ host, port: 1 }, net.options(new FakeClock()));
    assert.deepEqual(net.tried, [host]);
    await net.answer(host, conn);
    assert.equal(await dialled, conn);
  }
});

test("a connection that opens after all while its dial is aborted is closed", async () => {
  const conn = new FakeSocket();
  const abort = new AbortController();
  const opened = Promise.withResolvers<Socket>();
  const net = new Scripted(["10.0.0.1"]);
  const engine = { connect: () => opened.promise };
  const dialled = connect(NAME, { ...net.options(new FakeClock(), abort.signal), engine });
  await settled();
  abort.abort(new Error("enough"));
  opened.resolve(conn);
  await assert.rejects(dialled, /enough/);
  assert.equal(conn.closed, true);
});

test("from an address only those of its family are dialled; from an interface, all", async () => {
  const all = ["fd99::9", "10.99.0.1"];
  for (
    const [uplink, wanted] of [["192.0.2.7", ["10.99.0.1"]], ["2001:db8::7", ["fd99::9"]], ["wwan0", all]] as const
  ) {
    const clock = new FakeClock();
    const net = new Scripted(all);
    const dialled = connect(NAME, { ...net.options(clock), uplink });
    dialled.catch(() => {});
    await clock.advance(DIAL_STAGGER_MS);
    assert.deepEqual(net.tried, wanted);
    assert.deepEqual(net.uplinks, wanted.map(() => uplink));
    for (const host of wanted) await net.fail(host, UNREACHABLE);
    await assert.rejects(dialled, UNREACHABLE);
  }
  const options = { ...new Scripted(["fd99::9"]).options(new FakeClock()), uplink: "192.0.2.7" };
  await assert.rejects(connect(NAME, options), /^Error: dual\.example has no IPv4 address, and 192\.0\.2\.7 is one$/);
});
