import assert from "node:assert/strict";
import { SLICE_MS } from "../base/limits.ts";
import { LINGER_MS, STALL_TIMEOUT_MS } from "../net/limits.ts";
import { DRAIN_TIMEOUT_MS, ENDS_AT_ONCE, MAX_LEAVING_CHANNELS } from "./limits.ts";
import { data, LinkFixture } from "./link/_fixture_test.ts";
import { FakeDuplex } from "./_fakes_test.ts";
import { isSettled, settled } from "../tests/rig/wait.ts";
import { test } from "../tests/rig/test.ts";
import type { ChannelPump } from "./channel_pump.ts";
import { Pumps } from "./pumps.ts";

/** The pumps of a server's link whose device is the test. */
class PumpsFixture extends LinkFixture {
  readonly pumps = new Pumps(this.driver, "client", {
    clock: this.clock,
    stallTimeout: STALL_TIMEOUT_MS,
    tcpKeepAlive: -1,
  });

  constructor() {
    super(-1);
    this.start();
  }

  /** A client of a service that takes nothing if it is `blocked`; `ended`: how it went. */
  client(blocked = false, service = "one"): { pump: ChannelPump; client: FakeDuplex; ended: () => string | undefined } {
    const pump = this.pumps.add(this.open(), service);
    const client = new FakeDuplex();
    client.blocked = blocked;
    pump.attach(client);
    let reason: string | undefined;
    pump.done.then((summary) => reason = summary.reason);
    return { pump, client, ended: () => reason };
  }

  /** The same, whose channel the device has ended behind bytes that it has not taken. */
  async leaver(service?: string): Promise<ReturnType<PumpsFixture["client"]>> {
    const made = this.client(true, service);
    this.duplex.feed(data(made.pump.channel.id, Uint8Array.of(1, 2, 3)));
    this.duplex.feed(Uint8Array.of(0, 0, 2, made.pump.channel.id));
    await settled();
    assert.equal(made.pump.channel.open, false);
    return made;
  }
}

test("a pump is among them until its connection is closed, and they are in the order of their coming", async () => {
  const fixture = new PumpsFixture();
  const { pumps } = fixture;
  const first = fixture.client();
  const second = await fixture.leaver();
  const third = fixture.client();
  assert.deepEqual([...pumps], [first.pump, second.pump, third.pump]);
  second.client.unblock();
  await settled();
  second.client.feed(null);
  await settled();
  assert.equal(second.client.closed, true);
  assert.deepEqual([...pumps], [first.pump, third.pump]);
  pumps.abort("shutting-down");
  await pumps.done();
  assert.equal(pumps.size, 0);
  await fixture.finish();
});

test("all end in order: each hears CLOSE at once, and what came for it is delivered before that is done", async () => {
  const fixture = new PumpsFixture();
  const quick = fixture.client();
  const slow = fixture.client(true);
  fixture.duplex.feed(data(slow.pump.channel.id, Uint8Array.of(1, 2, 3)));
  await settled();
  fixture.duplex.take();
  const ended = fixture.pumps.end("shutting-down");
  await settled();
  const ids = [quick, slow].map(({ pump }) => pump.channel.id);
  assert.deepEqual([...fixture.duplex.take()], ids.flatMap((id) => [0, 0, 2, id]));
  quick.client.feed(null);
  assert.equal(await isSettled(ended), false);
  assert.deepEqual([quick.ended(), slow.ended()], ["shutting-down", undefined]);
  slow.client.unblock();
  slow.client.feed(null);
  await ended;
  assert.deepEqual([...slow.client.take()], [1, 2, 3]);
  assert.deepEqual([slow.ended(), fixture.pumps.size], ["shutting-down", 0]);
  await fixture.finish();
});

test("of many that end in order some do in each turn, as others go on meanwhile", async () => {
  const fixture = new PumpsFixture();
  const { pumps, clock } = fixture;
  const all = Array.from({ length: 40 }, () => fixture.client());
  for (const { pump } of all) {
    const end = pump.end.bind(pump);
    pump.end = (reason) => {
      clock.jump(SLICE_MS / 4);
      end(reason);
    };
  }
  const ending = pumps.end("shutting-down");
  const open = all.filter(({ pump }) => pump.channel.open).length;
  assert.ok(open >= all.length - 5, `${open} of ${all.length} are open`);
  while (all.some(({ pump }) => pump.channel.open)) await settled();
  for (const { client } of all) client.feed(null);
  await ending;
  assert.deepEqual(all.map(({ ended }) => ended()), all.map(() => "shutting-down"));
  await fixture.finish();
});

test("no end in order takes longer than a receiver may that takes nothing", async () => {
  const fixture = new PumpsFixture();
  const { client, ended } = await fixture.leaver();
  const done = fixture.pumps.end("shutting-down");
  await fixture.clock.advance(DRAIN_TIMEOUT_MS + LINGER_MS);
  assert.equal(await isSettled(done), true);
  assert.deepEqual([client.closed, ended()], [true, "stalled"]);
  await fixture.finish();
});

test("an end at once cuts an end in order short, and all that wait for it hear", async () => {
  const fixture = new PumpsFixture();
  const all = [fixture.client(true), fixture.client(true), await fixture.leaver()];
  fixture.duplex.feed(data(all[0]!.pump.channel.id, Uint8Array.of(1)));
  await settled();
  const waits = [fixture.pumps.end("shutting-down"), fixture.pumps.done()];
  assert.equal(await isSettled(Promise.race(waits)), false);
  fixture.pumps.abort("link-lost");
  await Promise.all(waits);
  assert.ok(all.every(({ client }) => client.closed));
  assert.deepEqual(all.map(({ ended }) => ended()), ["link-lost", "shutting-down", "link-lost"]);
  await fixture.finish();
});

test("as many as may leave are left alone; beyond, the oldest lose what they have not taken, and no open one does", async () => {
  const fixture = new PumpsFixture();
  const { pumps } = fixture;
  const open = [fixture.client(true)];
  const leaving = [await fixture.leaver()];
  open.push(fixture.client(true));
  while (leaving.length < MAX_LEAVING_CHANNELS) leaving.push(await fixture.leaver());
  pumps.makeRoom(open.length);
  await settled();
  assert.equal(pumps.size, open.length + MAX_LEAVING_CHANNELS);
  for (let more = 0; more < 3; more++) leaving.push(await fixture.leaver());
  pumps.makeRoom(open.length);
  await settled();
  assert.equal(pumps.size, open.length + MAX_LEAVING_CHANNELS);
  assert.deepEqual(leaving.slice(0, 4).map(({ ended }) => ended()), ["stalled", "stalled", "stalled", undefined]);
  assert.deepEqual(open.map(({ ended }) => ended()), [undefined, undefined]);
  pumps.abort("shutting-down");
  await fixture.finish();
});

test("the clients of one service that read nothing do not cost those of another what came for them", async () => {
  const fixture = new PumpsFixture();
  const { pumps } = fixture;
  const slow = [await fixture.leaver("slow"), await fixture.leaver("slow"), await fixture.leaver("slow")];
  const flooded = [];
  while (pumps.size < MAX_LEAVING_CHANNELS + 2) flooded.push(await fixture.leaver("flooded"));
  pumps.makeRoom(0);
  await settled();
  assert.deepEqual(slow.map(({ ended }) => ended()), [undefined, undefined, undefined]);
  assert.deepEqual(flooded.slice(0, 3).map(({ ended }) => ended()), ["stalled", "stalled", undefined]);
  pumps.abort("shutting-down");
  await fixture.finish();
});

test("of many that a rule ends each channel is closed at once, connections in turns, and room for others changes no reason", async () => {
  const fixture = new PumpsFixture();
  const { pumps, clock } = fixture;
  const turns = new Set<() => void>();
  clock.soon = (fn) => (turns.add(fn), () => void turns.delete(fn));
  const all: ReturnType<PumpsFixture["client"]>[] = [];
  while (all.length - ENDS_AT_ONCE <= MAX_LEAVING_CHANNELS) { // in crowds that a link of v1 has room for
    const some = Array.from({ length: 200 }, () => fixture.client(true));
    for (const { pump } of some) fixture.duplex.feed(data(pump.channel.id, Uint8Array.of(1, 2, 3)));
    await settled();
    pumps.abortInTurn("access-closed");
    for (const { pump } of some) fixture.duplex.feed(Uint8Array.of(0, 0, 2, pump.channel.id)); // the device has it, too
    await settled();
    all.push(...some);
  }
  pumps.abortInTurn("outside-hours"); // the first reason stays
  assert.ok(all.every(({ pump }) => !pump.channel.open));
  const closed = () => all.filter(({ client }) => client.closed).length;
  assert.equal(closed(), ENDS_AT_ONCE);
  pumps.makeRoom(0);
  assert.equal(closed(), ENDS_AT_ONCE);
  for (const turn of turns) turn();
  await settled();
  assert.deepEqual(all.map(({ ended }) => ended()), all.map(() => "access-closed"));
  await fixture.finish();
});

test("those that are closed, and wait to be told, take no place from those that are still delivered to", async () => {
  const fixture = new PumpsFixture();
  const { pumps } = fixture;
  const leaving = [];
  for (let n = 0; n < 10; n++) leaving.push(await fixture.leaver());
  const others = Array.from({ length: MAX_LEAVING_CHANNELS - 6 }, () => fixture.client());
  for (const { pump } of others) pump.abort("stalled");
  assert.ok(pumps.size > MAX_LEAVING_CHANNELS);
  pumps.makeRoom(0);
  await settled();
  assert.deepEqual(leaving.map(({ ended }) => ended()), leaving.map(() => undefined));
  pumps.abort("shutting-down");
  await fixture.finish();
});
