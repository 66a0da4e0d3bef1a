import assert from "node:assert/strict";
import type { Channel } from "../protocol/channel.ts";
import { DeviceLink } from "../protocol/device_link.ts";
import type { KeepAliveSettings } from "../protocol/keep_alive.ts";
import { ServerLink } from "../protocol/server_link.ts";
import { v1Codec } from "../protocol/v1_codec.ts";
import { COPY_MAX, LINK_HIGH_WATER, MAX_LINK_CHUNK } from "./limits.ts";
import { LinkDriver, type Prober } from "./link_driver.ts";
import { FakeClock, FakeDuplex, fakeTransport, isSettled, settled, test } from "./_fakes_test.ts";

const WRITE_TIMEOUT = 60_000;
const LISTEN = Uint8Array.of(0, 0, 4, 0);

function data(id: number, payload: Uint8Array): Uint8Array {
  return Uint8Array.of(payload.length >> 8, payload.length & 255, 3, id, ...payload);
}

/** A server's link on a duplex, with a device on the other side that is the test. */
class Fixture {
  readonly clock = new FakeClock();
  readonly duplex = new FakeDuplex();
  readonly driver: LinkDriver;
  readonly link: ServerLink;
  readonly told: string[] = [];
  listenings = 0;

  constructor(writeTimeout = WRITE_TIMEOUT) {
    this.driver = new LinkDriver({ transport: fakeTransport(this.duplex), clock: this.clock, writeTimeout });
    this.link = new ServerLink(v1Codec, this.driver, { onListening: () => this.listenings++ });
  }

  start(opening: Uint8Array = LISTEN, prober?: Prober): this {
    this.driver.start(this.link, opening, prober);
    return this;
  }

  open(): Channel {
    const channel = this.link.open({ host: "a", port: 1 }, this.clock.now());
    assert(channel);
    channel.receiver = {
      onData: (bytes) => this.told.push(`data ${bytes.length}`),
      onEnd: (reason) => this.told.push(`end ${reason}`),
    };
    return channel;
  }

  /** Ends the link and sees that nothing is left of it. */
  async finish(): Promise<void> {
    this.driver.close("closed");
    await this.driver.ended;
    await settled();
    assert.equal(this.duplex.closed, true);
    assert.equal(this.clock.pending, 0, "a timer is left");
  }
}

test("the bytes that were read before the driver started are decoded first", async () => {
  const fixture = new Fixture().start(Uint8Array.of(0, 0, 4));
  fixture.duplex.feed(Uint8Array.of(0));
  await settled();
  assert.equal(fixture.listenings, 1);
  assert.equal(fixture.driver.bytesReceived, 1);
  await fixture.finish();
});

test("frames go out in order, and data reaches its channel", async () => {
  const fixture = new Fixture().start();
  const channel = fixture.open();
  channel.send(Uint8Array.of(0, 0, 0, 0, 7, 8), 2);
  channel.close(fixture.clock.now());
  await fixture.driver.flushed();
  assert.deepEqual([...fixture.duplex.take()], [0, 5, 1, 1, 0, 1, 97, 0, 1, 0, 2, 3, 1, 7, 8, 0, 0, 2, 1]);
  fixture.open();
  fixture.duplex.feed(data(2, Uint8Array.of(1, 2, 3)));
  await settled();
  assert.deepEqual(fixture.told, ["data 3"]);
  await fixture.finish();
});

test("a peer that closes in order ends the link and its channels", async () => {
  const fixture = new Fixture().start();
  fixture.open();
  fixture.duplex.feed(null);
  assert.deepEqual(await fixture.driver.ended, { reason: "peer-closed", detail: undefined });
  assert.deepEqual(fixture.told, ["end link-lost"]);
  await fixture.finish();
});

test("a peer that closes inside a frame is told apart", async () => {
  const fixture = new Fixture().start();
  fixture.duplex.feed(Uint8Array.of(0, 5, 3));
  fixture.duplex.feed(null);
  assert.deepEqual(await fixture.driver.ended, { reason: "peer-closed", detail: "in the middle of a frame" });
  await fixture.finish();
});

test("a read that fails ends the link as lost, with what the system said", async () => {
  const fixture = new Fixture().start();
  fixture.duplex.feed(new Error("Connection reset by peer (os error 104)"));
  assert.deepEqual(await fixture.driver.ended, { reason: "connection-lost", detail: "Connection reset by peer" });
  await fixture.finish();
});

test("a write that fails ends the link as lost", async () => {
  const fixture = new Fixture().start();
  fixture.duplex.blocked = true;
  fixture.open();
  fixture.duplex.fail(new Error("Broken pipe (os error 32)"));
  assert.deepEqual(await fixture.driver.ended, { reason: "connection-lost", detail: "Broken pipe" });
  assert.deepEqual(fixture.told, ["end link-lost"]);
  await fixture.finish();
});

test("a protocol error ends the link and its channels, also in the opening", async () => {
  const fixture = new Fixture().start();
  fixture.open();
  fixture.duplex.feed(Uint8Array.of(0, 1, 99, 0, 0));
  const end = await fixture.driver.ended;
  assert.equal(end.reason, "protocol-error");
  assert.match(end.detail!, /99/);
  assert.deepEqual(fixture.told, ["end link-lost"]);
  await fixture.finish();

  const opening = new Fixture().start(Uint8Array.of(0, 0, 2, 1));
  assert.equal((await opening.driver.ended).reason, "protocol-error");
  await opening.finish();
});

test("the first reason for the end of a link stays, and channels hear of a shutdown", async () => {
  const fixture = new Fixture().start();
  fixture.open();
  fixture.driver.close("shutting-down", "first");
  fixture.driver.close("replaced", "second");
  assert.deepEqual(await fixture.driver.ended, { reason: "shutting-down", detail: "first" });
  assert.deepEqual(fixture.told, ["end shutting-down"]);
  assert.equal(fixture.driver.done, true);
  await fixture.finish();
});

test("what a channel sends after the end of the link goes nowhere, and nobody waits for it", async () => {
  const fixture = new Fixture().start();
  const channel = fixture.open();
  fixture.driver.close("closed");
  assert.equal(channel.send(new Uint8Array(4 + 9_000), 9_000), undefined);
  assert.equal(fixture.driver.data(new Uint8Array(10)), undefined);
  await fixture.driver.data(new Uint8Array(COPY_MAX + 1));
  fixture.driver.control(new Uint8Array(4));
  await fixture.driver.flushed();
  await fixture.finish();
});

test("a peer that takes nothing for the write time ends the link", async () => {
  const fixture = new Fixture().start();
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
  const fixture = new Fixture().start();
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
  const idle = new Fixture().start();
  idle.open();
  await idle.clock.advance(10 * WRITE_TIMEOUT);
  assert.equal(idle.driver.done, false);
  assert.equal(idle.clock.pending, 0);
  await idle.finish();

  const never = new Fixture(-1).start();
  never.duplex.blocked = true;
  never.open();
  await never.clock.advance(10 * WRITE_TIMEOUT);
  assert.equal(never.driver.done, false);
  await never.finish();
});

const KEEP_ALIVE: KeepAliveSettings = { idleTimeout: 1_000, probeInterval: 500, probeCount: 2 };

/** Counts probes of a peer that answers them, or is not known to. */
class FakeProber implements Prober {
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
  const fixture = new Fixture().start(LISTEN, prober);
  await fixture.clock.advance(1_999);
  assert.deepEqual([prober.probes, fixture.driver.done], [2, false]);
  await fixture.clock.advance(1);
  assert.equal((await fixture.driver.ended).reason, "keep-alive-timeout");
  await fixture.finish();
});

test("any byte keeps the link", async () => {
  const prober = new FakeProber(true);
  const fixture = new Fixture().start(LISTEN, prober);
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
  const fixture = new Fixture().start(LISTEN, prober);
  await fixture.clock.advance(10_000);
  assert.deepEqual([prober.probes, fixture.driver.done], [10, false]);
  await fixture.finish();
});

test("silence does not count while the link itself does not read", async () => {
  const prober = new FakeProber(true);
  const fixture = new Fixture().start(LISTEN, prober);
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
  const link = new DeviceLink(v1Codec, driver, { onOpen: () => {}, onBadConnect: () => {} });
  link.listen();
  driver.start(link, new Uint8Array(0), {
    settings: KEEP_ALIVE,
    probe: () => link.knock(),
    answers: () => link.answersKnocks,
  });
  await clock.advance(1_000);
  duplex.feed(Uint8Array.of(0, 0, 2, 0));
  await settled();
  assert.equal(link.answersKnocks, true);
  for (let id = 1; id <= 200; id++) duplex.feed(v1Codec.connect(id, { host: "a", port: 1 }));
  await settled();
  assert.equal(link.channelCount, 200);
  duplex.take();
  await clock.advance(60_000);
  assert.equal(duplex.take().length, 0, "it knocked");
  assert.equal(driver.done, false, "200 idle clients were cut off");
  driver.close("closed");
});

test("whoever waits to hear of the peer does so at its next byte", async () => {
  const fixture = new Fixture().start();
  await fixture.clock.advance(10);
  const heard = fixture.driver.heardAfter(fixture.clock.now());
  await fixture.clock.advance(10);
  assert.equal(await isSettled(heard), false);
  fixture.duplex.feed(Uint8Array.of(0));
  await heard;
  assert.equal(await isSettled(fixture.driver.heardAfter(fixture.clock.now() - 1)), true);
  await fixture.finish();
});

test("reading pauses until every hold is gone", async () => {
  const fixture = new Fixture().start();
  const { driver, duplex } = fixture;
  await settled();
  driver.hold();
  driver.hold();
  duplex.feed(LISTEN); // the read that was under way
  duplex.feed(LISTEN);
  await settled();
  assert.equal(driver.bytesReceived, 4);
  assert.equal(duplex.isRead, false);
  driver.unhold();
  await settled();
  assert.equal(driver.bytesReceived, 4);
  driver.unhold();
  await settled();
  assert.equal(driver.bytesReceived, 8);
  await fixture.finish();
});

test("a held link ends when it is closed", async () => {
  const fixture = new Fixture().start();
  fixture.driver.hold();
  fixture.duplex.feed(LISTEN);
  await settled();
  await fixture.finish();
});

test("a sender waits while more than the high-water mark is pending, and a large frame until it is written", async () => {
  const fixture = new Fixture().start();
  const { driver, duplex } = fixture;
  fixture.duplex.blocked = true;
  let pending = 0;
  let wait: Promise<void> | undefined;
  while (wait === undefined && pending < 4 * LINK_HIGH_WATER) {
    wait = driver.data(new Uint8Array(COPY_MAX));
    pending += COPY_MAX;
  }
  assert(wait, "no sender ever waits");
  assert(pending > LINK_HIGH_WATER && pending <= LINK_HIGH_WATER + COPY_MAX, `${pending}`);
  const large = driver.data(new Uint8Array(COPY_MAX + 1));
  assert(large);
  assert.equal(await isSettled(Promise.race([wait, large])), false);
  duplex.unblock();
  await Promise.all([wait, large]);
  await fixture.finish();
});

test("answers that the peer does not take make the link's reading pause", async () => {
  const fixture = new Fixture().start();
  const { driver, duplex } = fixture;
  duplex.blocked = true;
  const knocks = new Uint8Array(64 * 1024);
  for (let at = 0; at < knocks.length; at += 4) knocks[at + 2] = 2;
  const fed = 64;
  for (let n = 0; n < fed; n++) duplex.feed(knocks);
  for (let n = 0; n < 50; n++) await settled();
  assert.equal(duplex.isRead, false);
  assert(driver.bytesReceived <= 1024 * 1024 + 2 * MAX_LINK_CHUNK, `${driver.bytesReceived} bytes were answered`);
  duplex.unblock();
  for (let n = 0; n < 50; n++) await settled();
  assert.equal(driver.bytesReceived, fed * knocks.length);
  await fixture.finish();
});

test("early bytes are refused on time by the driver's one timer", async () => {
  const clock = new FakeClock();
  const duplex = new FakeDuplex();
  const driver = new LinkDriver({ transport: fakeTransport(duplex), clock, writeTimeout: WRITE_TIMEOUT });
  const link = new DeviceLink(v1Codec, driver, { onOpen: () => {}, onBadConnect: () => {} });
  driver.start(link, new Uint8Array(0));
  duplex.feed(data(9, Uint8Array.of(1)));
  await clock.advance(499);
  assert.equal(duplex.take().length, 0);
  await clock.advance(1);
  assert.deepEqual([...duplex.take()], [0, 0, 2, 9]);
  driver.close("closed");
  await settled();
  assert.equal(clock.pending, 0);
});
