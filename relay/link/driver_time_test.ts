import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { SLICE_MS } from "../../base/limits.ts";
import { LOADED_LINK_GRACE_MS, MAX_LINK_CHUNK } from "../limits.ts";
import { V1DeviceLink } from "../../protocol/v1/device_link.ts";
import type { KeepAliveSettings } from "../../protocol/keep_alive.ts";
import { v1Connect } from "../../protocol/v1/codec.ts";
import { LinkDriver } from "./driver.ts";
import type { Prober } from "./silence_watch.ts";
import { FakeDuplex, fakeTransport } from "../_fakes_test.ts";
import { data, LinkFixture, LISTEN, WRITE_TIMEOUT } from "./_fixture_test.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { isSettled, settled } from "../../tests/rig/wait.ts";
import { test } from "../../tests/rig/test.ts";

test("a peer that takes nothing for the write time ends the link", async () => {
  const fixture = new LinkFixture().start();
  fixture.duplex.blocked = true;
  fixture.open();
  await fixture.clock.advance(WRITE_TIMEOUT - 1);
  assert.equal(fixture.driver.done, false);
  await fixture.clock.advance(1);
  const end = await fixture.driver.ended;
  assert.equal(end.reason, "write-timeout");
  assert.match(end.detail!, /60 s/);
  await fixture.finish();
});

test("a peer that takes something now and then keeps the link, and one that stops does not", async () => {
  const fixture = new LinkFixture().start();
  fixture.duplex.blocked = true;
  fixture.open();
  for (let n = 0; n < 4; n++) {
    await fixture.clock.advance(WRITE_TIMEOUT - 1_000);
    assert.equal(fixture.duplex.accept(2), 2);
    assert.equal(fixture.driver.done, false);
  }
  await fixture.clock.advance(2 * WRITE_TIMEOUT);
  assert.equal(fixture.driver.done, true);
  await fixture.finish();
});

test("an idle link has no write time, and a negative one means never", async () => {
  const idle = new LinkFixture().start();
  idle.open();
  await idle.clock.advance(10 * WRITE_TIMEOUT);
  assert.equal(idle.driver.done, false);
  assert.equal(idle.clock.pending, 0);
  await idle.finish();

  const never = new LinkFixture(-1).start();
  never.duplex.blocked = true;
  never.open();
  await never.clock.advance(10 * WRITE_TIMEOUT);
  assert.equal(never.driver.done, false);
  await never.finish();
});

const KEEP_ALIVE: KeepAliveSettings = { idleTimeout: 1_000, probeInterval: 500, probeCount: 2 };

/** Counts probes of a peer that answers them, or is not known to. */
class FakeProber implements Prober {
  readonly patient = true;
  readonly settings = KEEP_ALIVE;
  probes = 0;
  answering: boolean;

  constructor(answering: boolean) {
    this.answering = answering;
  }

  probe(): boolean {
    this.probes++;
    return true;
  }

  answers(): boolean {
    return this.answering;
  }
}

test("a peer that answers probes and falls silent ends the link", async () => {
  const prober = new FakeProber(true);
  const fixture = new LinkFixture().start(LISTEN, prober);
  await fixture.clock.advance(1_999);
  assert.deepEqual([prober.probes, fixture.driver.done], [2, false]);
  await fixture.clock.advance(1);
  assert.equal((await fixture.driver.ended).reason, "keep-alive-timeout");
  await fixture.finish();
});

test("any byte keeps the link", async () => {
  const prober = new FakeProber(true);
  const fixture = new LinkFixture().start(LISTEN, prober);
  for (let n = 0; n < 5; n++) {
    await fixture.clock.advance(1_900);
    fixture.duplex.feed(Uint8Array.of(0));
    await settled();
    assert.equal(fixture.driver.heardAt, fixture.clock.now());
  }
  assert.equal(fixture.driver.done, false);
  await fixture.finish();
});

test("a peer that never answered a probe is not taken for lost", async () => {
  const prober = new FakeProber(false);
  const fixture = new LinkFixture().start(LISTEN, prober);
  await fixture.clock.advance(10_000);
  assert.deepEqual([prober.probes, fixture.driver.done], [10, false]);
  await fixture.finish();
});

test("silence does not count while the link itself does not read", async () => {
  const prober = new FakeProber(true);
  const fixture = new LinkFixture().start(LISTEN, prober);
  fixture.driver.hold();
  fixture.duplex.feed(LISTEN);
  await fixture.clock.advance(10_000);
  assert.equal(fixture.driver.done, false);
  fixture.driver.unhold();
  await fixture.clock.advance(10_000);
  assert.equal((await fixture.driver.ended).reason, "keep-alive-timeout");
  await fixture.finish();
});

test("silence does not count against a server that could not be knocked at, as too many clients are there", async () => {
  const clock = new FakeClock();
  const duplex = new FakeDuplex();
  const driver = new LinkDriver({ transport: fakeTransport(duplex), clock, writeTimeout: WRITE_TIMEOUT });
  const link = new V1DeviceLink(driver, clock, { onOpen: () => {}, onGone: () => {}, onBadConnect: () => {} });
  link.listen();
  driver.start(link, new Uint8Array(0), {
    settings: KEEP_ALIVE,
    probe: () => link.knock(),
    answers: () => link.answersKnocks,
    patient: true,
  });
  await clock.advance(1_000);
  duplex.feed(Uint8Array.of(0, 0, 2, 0));
  await settled();
  assert.equal(link.answersKnocks, true);
  for (let id = 1; id <= 200; id++) duplex.feed(v1Connect(id, { host: "a", port: 1 }));
  await settled();
  assert.equal(link.channelCount, 200);
  duplex.take();
  await clock.advance(60_000);
  assert.equal(duplex.take().length, 0, "it knocked");
  assert.equal(driver.done, false, "200 idle clients were cut off");
  driver.close("shutting-down");
});

test("on a link that sends much, silence proves nothing until a slow path may have carried it", async () => {
  const prober = new FakeProber(true);
  const fixture = new LinkFixture().start(LISTEN, prober);
  const channel = fixture.open();
  for (let n = 0; n < 3; n++) channel.send(new Uint8Array(4 + 30_000), 30_000);
  await fixture.clock.advance(LOADED_LINK_GRACE_MS);
  assert.equal(fixture.driver.done, false);
  await fixture.clock.advance(3 * KEEP_ALIVE.idleTimeout);
  assert.equal((await fixture.driver.ended).reason, "keep-alive-timeout");
  await fixture.finish();
});

test("whoever waits to hear of the peer does so at its next byte", async () => {
  const fixture = new LinkFixture().start();
  await fixture.clock.advance(10);
  const heard = fixture.driver.heardAfter(fixture.clock.now());
  await fixture.clock.advance(10);
  assert.equal(await isSettled(heard), false);
  fixture.duplex.feed(Uint8Array.of(0));
  await heard;
  assert.equal(await isSettled(fixture.driver.heardAfter(fixture.clock.now() - 1)), true);
  await fixture.finish();
});

test("early bytes are refused on time by the driver's one timer", async () => {
  const clock = new FakeClock();
  const duplex = new FakeDuplex();
  const driver = new LinkDriver({ transport: fakeTransport(duplex), clock, writeTimeout: WRITE_TIMEOUT });
  const link = new V1DeviceLink(driver, clock, { onOpen: () => {}, onGone: () => {}, onBadConnect: () => {} });
  driver.start(link, new Uint8Array(0));
  duplex.feed(data(9, Uint8Array.of(1)));
  await clock.advance(499);
  assert.equal(duplex.take().length, 0);
  await clock.advance(1);
  assert.deepEqual([...duplex.take()], [0, 0, 2, 9]);
  driver.close("shutting-down");
  await settled();
  assert.equal(clock.pending, 0);
});

test("a link whose peer makes too much work is read again when that is paid for, and can end meanwhile", async () => {
  const clock = new FakeClock();
  const duplex = new FakeDuplex();
  const driver = new LinkDriver({ transport: fakeTransport(duplex), clock, writeTimeout: -1 });
  const heard: number[] = [];
  let due = 0;
  driver.start({
    atBoundary: true,
    deadline: Infinity,
    receive: (chunk, now) => {
      heard.push(chunk.length);
      due = now + 250;
    },
    pause: (now) => Math.max(0, due - now),
    tick: () => {},
    end: () => {},
  }, new Uint8Array(0));
  duplex.feed(Uint8Array.of(1));
  await settled();
  duplex.feed(Uint8Array.of(2, 3));
  await clock.advance(249);
  assert.deepEqual(heard, [1], "it was read too early");
  await clock.advance(2);
  assert.deepEqual(heard, [1, 2]);
  driver.close("shutting-down");
  await driver.ended;
  await settled();
  assert.equal(clock.pending, 0);
});

test("a peer that sends faster than it is read leaves turns of the event loop to others, and loses none of its own", async () => {
  const clock = new FakeClock();
  const duplex = new FakeDuplex();
  const driver = new LinkDriver({ transport: fakeTransport(duplex), clock, writeTimeout: -1 });
  const most = 100; // reads, a millisecond of work each
  let heard = 0;
  driver.start({
    atBoundary: true,
    deadline: Infinity,
    receive: () => {
      heard++;
      clock.jump(1);
    },
    tick: () => {},
    end: () => {},
  }, new Uint8Array(0));
  await settled();
  for (let n = 0; n < most; n++) duplex.feed(Uint8Array.of(0));
  let turns = 0;
  for (; heard < most; turns++) {
    const before = heard;
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(heard - before <= 3 * SLICE_MS, `it had ${heard - before} ms in one turn`);
  }
  assert.ok(turns >= most / SLICE_MS / 3, `others had ${turns} turns`);
  driver.close("shutting-down");
  await driver.ended;
});

test("a peer whose every frame asks for an answer holds nobody up for long: what comes next is read in small pieces", async () => {
  const fixture = new LinkFixture().start();
  const knocks = new Uint8Array(MAX_LINK_CHUNK); // CLOSE for nobody, again and again
  for (let at = 0; at < knocks.length; at += 4) knocks[at + 2] = 2;
  const most = 8 * MAX_LINK_CHUNK;
  let large = 0;
  for (let fed = 0; fed < most; fed += knocks.length) fixture.duplex.feed(knocks);
  for (let last = 0, first = true; fixture.driver.bytesReceived < most;) {
    await new Promise((resolve) => setImmediate(resolve));
    if (fixture.driver.chunk.bytes.length > MAX_LINK_CHUNK / 4) large++;
    assert.ok(fixture.driver.bytesReceived > last || first, "it stands still");
    [last, first] = [fixture.driver.bytesReceived, false];
  }
  assert.equal(large, 0);
  await fixture.finish();
});
