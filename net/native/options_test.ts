import assert from "node:assert/strict";
import { connectedEnds, engineTest, writeAll } from "../_engines_fixture_test.ts";
import { NativeEngine, nativeEngine } from "./engine.ts";
import { FakeKernel } from "./_kernel_fixture_test.ts";
import type { SocketCalls } from "./calls.ts";
import { keepAliveOf, setKeepAlive, signsOf, tcpFactsOf } from "./options.ts";
import { poll } from "../../tests/rig/wait.ts";
import { test } from "../../tests/rig/test.ts";

const native = nativeEngine();
const ignore = !native;
const PACE = { idle: 60, interval: 10, probes: 6 };

test("keep-alive is read back as it was set, and off when it was put off", async () => {
  using ends = await connectedEnds(native!);
  for (const end of [ends.client, ends.server]) {
    assert(end.keepAlive(), "the system's own pace from the start");
    for (const pace of [PACE, { idle: 2, interval: 1, probes: 1 }, undefined, PACE]) {
      end.setKeepAlive(pace);
      assert.deepEqual(end.keepAlive(), pace ?? "off");
      end.setKeepAlive(pace);
      assert.deepEqual(end.keepAlive(), pace ?? "off");
    }
  }
}, { ignore });

test("who is accepted has the keep-alive of its listening socket, and may have another one", async () => {
  for (const [keepAlive, wanted] of [[PACE, PACE], ["off", undefined]] as const) {
    using ends = await connectedEnds(native!, native, { listen: { keepAlive } });
    assert.deepEqual(ends.server.keepAlive(), keepAlive);
    ends.server.setKeepAlive(wanted);
    assert.deepEqual(ends.server.keepAlive(), keepAlive);
    for (const other of [{ ...PACE, idle: 7 }, undefined]) {
      ends.server.setKeepAlive(other);
      assert.deepEqual(ends.server.keepAlive(), other ?? "off");
    }
  }
}, { ignore });

test("segments are no larger than was asked for, either way", async () => {
  using ends = await connectedEnds(native!, native, { connect: { maxSegment: 1_000 } });
  await writeAll(ends.client, new Uint8Array(10_000));
  await writeAll(ends.server, new Uint8Array(10_000));
  for (const end of [ends.client, ends.server]) assert(end.tcp()!.segment <= 1_000 && end.tcp()!.segment > 900);
  using others = await connectedEnds(native!);
  assert(others.client.tcp()!.segment > 1_500, "on the loopback interface");
}, { ignore });

test("what the peer has not acknowledged is counted, and its end too", async () => {
  using ends = await connectedEnds(native!);
  const { client, server } = ends;
  assert.equal(client.unacknowledged(), 0);
  let taken = 0;
  for (let count = -1; count !== 0; taken += count) count = client.writeNow!(new Uint8Array(1024 * 1024));
  assert(client.unacknowledged() > 0 && client.unacknowledged() < taken, "a part of it stands in the peer's system");
  const into = new Uint8Array(1024 * 1024);
  for (let left = taken; left > 0;) left -= (await server.read(into))!;
  await client.closeWrite();
  await poll(() => client.unacknowledged() === 0, () => `${client.unacknowledged()} are left`);
  assert.equal(await server.read(into), null);
}, { ignore });

test("what the system has seen of a peer is that it answers, and since when it is silent", async () => {
  using ends = await connectedEnds(native!);
  await writeAll(ends.server, Uint8Array.of(1));
  await ends.client.read(new Uint8Array(1));
  const { unanswered, silent } = ends.client.signs()!;
  assert.equal(unanswered, 0);
  assert(silent < 5_000);
  await poll(() => ends.client.signs()!.silent >= 20, () => "it is silent, and that is not seen");
  await writeAll(ends.server, Uint8Array.of(1));
  await poll(() => ends.client.signs()!.silent < 20, () => "it has spoken, and that is not seen");
}, { ignore });

test("what the system says of a connection: its round trip, its segments, and what it had to send again", async () => {
  using ends = await connectedEnds(native!);
  await writeAll(ends.client, new Uint8Array(100_000));
  for (let left = 100_000; left > 0;) left -= (await ends.server.read(new Uint8Array(100_000)))!;
  await poll(() => ends.client.tcp()!.unacknowledged === 0, () => "it is not acknowledged");
  const { roundTrip, roundTripVariation, retransmits, segment, pathMtu, deliveryRate } = ends.client.tcp()!;
  assert(roundTrip > 0 && roundTrip < 1_000 && roundTripVariation < 1_000);
  assert.equal(retransmits, 0);
  assert(segment > 1_500 && pathMtu > segment, "on the loopback interface");
  assert(deliveryRate! > 0);
  ends.client.close();
  assert.equal(ends.client.tcp(), undefined);
}, { ignore });

test("a connection that nobody reads any more tells of a reset, and of nothing else, once", async () => {
  using ends = await connectedEnds(native!);
  const { client, server } = ends;
  await client.closeWrite();
  assert.equal(await server.read(new Uint8Array(1)), null);
  const told = Promise.withResolvers<void>();
  let times = 0;
  server.whenReset!(() => {
    times++;
    told.resolve();
  });
  await writeAll(server, Uint8Array.of(1));
  assert.equal(await client.read(new Uint8Array(1)), 1);
  assert.equal(times, 0, "it has only finished writing");
  client.reset();
  await told.promise;
  assert.equal(times, 1);
  const again = Promise.withResolvers<void>();
  server.whenReset!(again.resolve);
  await again.promise; // it is so already
  server.whenReset!(() => assert.fail("it is closed"));
  server.close();
}, { ignore });

/** Calls of a kernel that has filled `length` bytes of a `struct tcp_info`. */
function oldKernel(length: number): SocketCalls {
  const kernel = new FakeKernel();
  return Object.assign(kernel, {
    getsockopt: (_fd: number, _level: number, _option: number, into: Uint8Array, size: Uint32Array) => {
      into.fill(1, 0, length);
      size[0] = length;
      return 0;
    },
  });
}

test("a kernel that says less of a connection is believed as far as it goes", () => {
  const all = tcpFactsOf(oldKernel(168), 3)!;
  assert.deepEqual([all.segment, all.retransmits], [0x01010101, 0x01010101]);
  assert.equal(all.roundTrip, 0x01010101 / 1_000);
  assert.equal(all.deliveryRate, 0x0101010101010101);
  assert.equal(tcpFactsOf(oldKernel(160), 3)!.deliveryRate, undefined);
  const old = tcpFactsOf(oldKernel(100), 3)!;
  assert.deepEqual([old.pathMtu, old.retransmits], [0x01010101, undefined]);
  assert.equal(tcpFactsOf(oldKernel(72), 3), undefined);
  assert.equal(signsOf(oldKernel(56), 3), undefined);
  assert.deepEqual(signsOf(oldKernel(60), 3), { unanswered: 1, silent: 0x01010101 });
});

const SOL_SOCKET = 1;
const KEEP_ALIVE_OPTIONS = [[SOL_SOCKET, 9], [6, 4], [6, 5], [6, 6]] as const; // SO_KEEPALIVE; TCP_KEEPIDLE, INTVL, CNT

test("a pace that the system did not take as a whole is set again, whichever part it was", async () => {
  for (const [level, option] of KEEP_ALIVE_OPTIONS) {
    const kernel = new FakeKernel();
    const engine = new NativeEngine(kernel);
    using ends = await connectedEnds(engine);
    const given: string[] = [];
    let fails = true;
    Object.assign(kernel, {
      setsockopt: (_fd: number, ...[ofLevel, name]: [number, number]) => {
        given.push(`${ofLevel}:${name}`);
        return fails && ofLevel === level && name === option ? -1 : 0;
      },
    });
    ends.client.setKeepAlive(PACE);
    const all = KEEP_ALIVE_OPTIONS.map(([level, name]) => `${level}:${name}`);
    assert.deepEqual(given.splice(0), all, "what can be set is");
    fails = false;
    ends.client.setKeepAlive(PACE);
    assert.deepEqual(given.splice(0), all);
    ends.client.setKeepAlive(PACE);
    assert.deepEqual(given, []);
    ends.client.close();
    ends.server.close();
    await engine.quiet();
  }
});

test("a pace that the system does not tell is not made up", () => {
  for (const [level, option] of KEEP_ALIVE_OPTIONS) {
    const calls = Object.assign(new FakeKernel(), {
      getsockopt: (_fd: number, ofLevel: number, name: number, into: Uint8Array) => {
        new Int32Array(into.buffer)[0] = 1;
        return ofLevel === level && name === option ? -1 : 0;
      },
    });
    assert.equal(keepAliveOf(calls, 3), undefined);
  }
  assert.equal(setKeepAlive(Object.assign(new FakeKernel(), { setsockopt: () => -1 }), 3, undefined), false);
});

engineTest("what an engine cannot tell, it does not make up", async (engine) => {
  if (engine.name !== "portable") return;
  using ends = await connectedEnds(engine, engine, { connect: { maxSegment: 1_000 }, listen: { keepAlive: PACE } });
  const { server } = ends;
  server.setKeepAlive(PACE);
  assert.deepEqual([server.keepAlive(), server.signs(), server.tcp(), server.unacknowledged()], [
    undefined,
    undefined,
    undefined,
    0,
  ]);
});
