import assert from "node:assert/strict";
import { ServerLink } from "../protocol/server_link.ts";
import { v1Codec } from "../protocol/v1_codec.ts";
import type { Channel } from "../protocol/channel.ts";
import { ChannelPump, type ChannelPumpOptions, type ChannelSummary } from "./channel_pump.ts";
import { DRAIN_TIMEOUT_MS, HALF_CLOSE_TIMEOUT_MS, LINGER_MS, MAX_CHANNEL_BACKLOG, STALL_TIMEOUT_MS } from "./limits.ts";
import { LinkDriver } from "./link_driver.ts";
import { FakeClock, FakeDuplex, fakeTransport, isSettled, settled, test } from "./_fakes_test.ts";

/** A client's pump on a server's link; the device, the client and the time are the test. */
class Fixture {
  readonly clock = new FakeClock();
  /** The device's end of the link. */
  readonly device = new FakeDuplex();
  /** The client's end of its connection. */
  readonly client = new FakeDuplex();
  readonly driver = new LinkDriver({ transport: fakeTransport(this.device), clock: this.clock, writeTimeout: -1 });
  readonly link = new ServerLink(v1Codec, this.driver, { onListening: () => {} });
  readonly channel: Channel;
  readonly pump: ChannelPump;
  #summary: ChannelSummary | undefined;

  constructor(options: Partial<ChannelPumpOptions> = {}) {
    this.driver.start(this.link, Uint8Array.of(0, 0, 4, 0));
    const channel = this.link.open({ host: "a", port: 1 }, this.clock.now());
    assert(channel);
    this.channel = channel;
    this.pump = new ChannelPump({
      channel,
      driver: this.driver,
      clock: this.clock,
      end: "client",
      stallTimeout: STALL_TIMEOUT_MS,
      halfCloseTimeout: HALF_CLOSE_TIMEOUT_MS,
      ...options,
    });
    this.pump.done.then((summary) => this.#summary = summary);
    this.device.take();
  }

  /** How the channel went, if it is over. */
  summary(): ChannelSummary | undefined {
    return this.#summary;
  }

  attach(): this {
    this.pump.attach(this.client);
    return this;
  }

  /** The device sends DATA. */
  data(payload: Uint8Array): void {
    const { length } = payload;
    const frame = new Uint8Array(4 + length);
    frame.set([length >> 8, length & 255, 3, this.channel.id]);
    frame.set(payload, 4);
    this.device.feed(frame);
  }

  /** The device sends CLOSE. */
  close(): void {
    this.device.feed(v1Codec.close(this.channel.id));
  }

  /** Fills the client's backlog until the link no longer reads. @returns what was sent. */
  async fill(): Promise<number> {
    let sent = 0;
    for (; sent < 2 * MAX_CHANNEL_BACKLOG && this.device.isRead; sent += 60_000) {
      this.data(pattern(60_000));
      await settled();
    }
    return sent;
  }

  /** Ends the link, and sees that nothing is left. */
  async finish(): Promise<void> {
    this.driver.close("closed");
    await settled();
    if (!this.client.closed) this.pump.abort("shutting-down");
    await this.pump.done;
    await settled();
    assert.equal(this.clock.pending, 0, "a timer is left");
    assert.equal(this.driver.chunk.pinned, false, "a chunk is pinned");
  }
}

function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => at * 13 + (at >> 8));
}

const CLOSE = [0, 0, 2, 1];

test("bytes of the connection go out as DATA, bytes of the channel reach the connection", async () => {
  const fixture = new Fixture().attach();
  fixture.client.feed(Uint8Array.of(1, 2, 3));
  fixture.data(Uint8Array.of(4, 5));
  await settled();
  assert.deepEqual([...fixture.device.take()], [0, 3, 3, 1, 1, 2, 3]);
  assert.deepEqual([...fixture.client.take()], [4, 5]);
  await fixture.finish();
});

test("what comes before the connection is there is kept, in order", async () => {
  const fixture = new Fixture();
  const bytes = pattern(200_000);
  for (let at = 0; at < bytes.length; at += 50_000) fixture.data(bytes.subarray(at, at + 50_000));
  await settled();
  fixture.attach();
  await settled();
  assert.deepEqual(fixture.client.take(), bytes);
  await fixture.finish();
});

test("what came before a close is delivered before the close, however slowly it is taken", async () => {
  const fixture = new Fixture().attach();
  fixture.client.blocked = true;
  const bytes = pattern(50_000);
  fixture.data(bytes);
  fixture.close();
  await settled();
  assert.deepEqual([...fixture.device.take()], CLOSE);
  while (fixture.client.accept(7_000) > 0) {
    assert.equal(fixture.client.finished, false);
    await settled();
  }
  await settled();
  assert.deepEqual(fixture.client.take(), bytes);
  assert.deepEqual([fixture.client.finished, fixture.client.closed], [true, false]);
  fixture.client.feed(null);
  const summary = await fixture.pump.done;
  assert.equal(summary.reason, "service-closed");
  assert.equal(summary.bytesReceived, 50_000);
  assert.equal(fixture.client.closed, true);
  await fixture.finish();
});

test("what came before a close is delivered also to a service that is still being dialled", async () => {
  const fixture = new Fixture({ end: "service", halfCloseTimeout: 0 });
  fixture.data(Uint8Array.of(1, 2, 3));
  fixture.close();
  await settled();
  fixture.attach();
  await settled();
  assert.deepEqual([...fixture.client.take()], [1, 2, 3]);
  fixture.client.feed(null);
  await fixture.finish();
});

test("a channel that ends without bytes before its connection is there is over at once, and closes it", async () => {
  const fixture = new Fixture();
  fixture.close();
  assert.equal((await fixture.pump.done).reason, "service-closed");
  fixture.attach();
  assert.equal(fixture.client.closed, true);
  await fixture.finish();
});

test("a peer that does not close after the last byte is closed when its time is up", async () => {
  const fixture = new Fixture().attach();
  fixture.close();
  await settled();
  assert.equal(fixture.client.finished, true);
  fixture.client.feed(Uint8Array.of(9)); // read, and dropped: the channel is over
  await fixture.clock.advance(LINGER_MS - 1);
  assert.equal(fixture.summary(), undefined);
  await fixture.clock.advance(1);
  assert.equal(fixture.summary()!.reason, "service-closed");
  assert.equal(fixture.summary()!.bytesSent, 0);
  await fixture.finish();
});

test("a connection that takes nothing of what came before a close loses it when its time is up", async () => {
  const fixture = new Fixture().attach();
  fixture.client.blocked = true;
  fixture.data(pattern(1_000));
  fixture.close();
  await fixture.clock.advance(DRAIN_TIMEOUT_MS - 1);
  assert.equal(fixture.client.accept(10), 10);
  await fixture.clock.advance(DRAIN_TIMEOUT_MS - 1);
  assert.equal(fixture.summary(), undefined, "it was taking bytes");
  await fixture.clock.advance(DRAIN_TIMEOUT_MS + 1);
  assert.equal(fixture.summary()?.reason, "stalled");
  assert.equal(fixture.client.closed, true);
  await fixture.finish();
});

test("a receiver that is too slow holds the link within the bound, and frees it when it reads on", async () => {
  const fixture = new Fixture().attach();
  fixture.client.blocked = true;
  const sent = await fixture.fill();
  assert.equal(fixture.device.isRead, false);
  assert(sent <= MAX_CHANNEL_BACKLOG, `${sent} bytes wait for one receiver`);
  while (!fixture.device.isRead && fixture.client.accept() > 0) await settled();
  assert.equal(fixture.device.isRead, true);
  assert.equal(fixture.summary(), undefined);
  fixture.client.unblock();
  await settled();
  assert.equal(fixture.channel.bytesReceived, sent);
  await fixture.finish();
});

test("bytes that wait for a slow receiver stay as they came while the link reads on", async () => {
  const fixture = new Fixture().attach();
  fixture.client.blocked = true;
  for (const byte of [1, 2, 3, 4]) {
    fixture.data(new Uint8Array(5_000).fill(byte));
    await settled();
  }
  fixture.client.unblock();
  await settled();
  const expected = new Uint8Array(20_000).map((_, at) => 1 + Math.floor(at / 5_000));
  assert.deepEqual(fixture.client.take(), expected);
  await fixture.finish();
});

test("a receiver that holds the link for the stall time is closed, and the link goes on", async () => {
  const fixture = new Fixture().attach();
  fixture.client.blocked = true;
  await fixture.fill();
  fixture.device.take();
  await fixture.clock.advance(STALL_TIMEOUT_MS - 1);
  assert.equal(fixture.summary(), undefined);
  await fixture.clock.advance(1);
  assert.equal(fixture.summary()?.reason, "stalled");
  assert.deepEqual([...fixture.device.take()], CLOSE);
  assert.equal(fixture.client.closed, true);
  assert.equal(fixture.device.isRead, true);
  await fixture.finish();
});

test("a channel that ends while it holds the link lets it go on", async () => {
  const fixture = new Fixture().attach();
  fixture.client.blocked = true;
  await fixture.fill();
  fixture.pump.end("shutting-down");
  await settled();
  assert.equal(fixture.device.isRead, true);
  assert.equal(fixture.summary(), undefined, "what came is still to be delivered");
  await fixture.finish();
});

test("a client that finished writing gets its reply, and is ended when nothing came for the half-close time", async () => {
  const fixture = new Fixture().attach();
  fixture.client.feed(Uint8Array.of(1));
  fixture.client.feed(null);
  await settled();
  assert.equal(fixture.pump.halfClosed, true);
  assert.deepEqual([...fixture.device.take()], [0, 1, 3, 1, 1]);
  await fixture.clock.advance(HALF_CLOSE_TIMEOUT_MS - 1);
  fixture.data(Uint8Array.of(7));
  await fixture.clock.advance(HALF_CLOSE_TIMEOUT_MS - 1);
  assert.equal(fixture.summary(), undefined);
  assert.deepEqual([...fixture.client.take()], [7]);
  assert.equal(fixture.device.take().length, 0);
  await fixture.clock.advance(2);
  assert.equal(fixture.summary()!.reason, "client-finished");
  assert.deepEqual([...fixture.device.take()], CLOSE);
  await fixture.finish();
});

test("a client that finished writing is ended by the service's close, as closed by the client", async () => {
  const fixture = new Fixture().attach();
  fixture.client.feed(null);
  await settled();
  fixture.data(Uint8Array.of(7));
  fixture.close();
  await settled();
  assert.deepEqual([...fixture.client.take()], [7]);
  assert.equal(fixture.summary()!.reason, "client-closed");
  await fixture.finish();
});

test("with a half-close time of 0 the end of reading is the end of the channel", async () => {
  const fixture = new Fixture({ halfCloseTimeout: 0 }).attach();
  fixture.client.feed(Uint8Array.of(1));
  fixture.client.feed(null);
  await settled();
  assert.deepEqual([...fixture.device.take()], [0, 1, 3, 1, 1, ...CLOSE]);
  assert.equal(fixture.summary()!.reason, "client-closed");
  await fixture.finish();
});

test("a half-closed client that takes nothing is not polled, and does not live for ever", async () => {
  const fixture = new Fixture().attach();
  fixture.client.blocked = true;
  fixture.data(pattern(1_000));
  fixture.client.feed(null);
  await fixture.clock.advance(HALF_CLOSE_TIMEOUT_MS);
  const before = fixture.clock.timersSet;
  await fixture.clock.advance(100);
  const polls = fixture.clock.timersSet - before;
  fixture.clock.jump(HALF_CLOSE_TIMEOUT_MS + 2 * DRAIN_TIMEOUT_MS);
  await settled();
  fixture.clock.jump(2 * DRAIN_TIMEOUT_MS);
  await settled();
  const ended = fixture.summary() !== undefined;
  await fixture.finish();
  assert(polls <= 10, `${polls} timers in 100 ms`);
  assert(ended, "it took nothing for minutes, and holds its id");
});

test("a connection that breaks ends its channel", async () => {
  for (const [end, reason] of [["client", "client-reset"], ["service", "service-reset"]] as const) {
    const fixture = new Fixture({ end }).attach();
    fixture.client.feed(new Error("Connection reset by peer"));
    assert.equal((await fixture.pump.done).reason, reason);
    await settled();
    assert.deepEqual([...fixture.device.take()], CLOSE);
    await fixture.finish();
  }
});

test("a write that fails ends its channel and nothing else", async () => {
  const fixture = new Fixture().attach();
  fixture.client.blocked = true;
  fixture.data(pattern(10));
  await settled();
  fixture.client.fail(new Error("Broken pipe"));
  assert.equal((await fixture.pump.done).reason, "client-reset");
  assert.equal(fixture.driver.done, false);
  assert.equal(fixture.device.isRead, true);
  await fixture.finish();
});

test("when the link is lost, what came is still delivered", async () => {
  const fixture = new Fixture().attach();
  fixture.client.blocked = true;
  const bytes = pattern(10_000);
  fixture.data(bytes);
  await settled();
  fixture.driver.close("connection-lost");
  await settled();
  assert.equal(fixture.client.closed, false);
  fixture.client.unblock();
  await settled();
  assert.deepEqual(fixture.client.take(), bytes);
  fixture.client.feed(null);
  assert.equal((await fixture.pump.done).reason, "link-lost");
  await fixture.finish();
});

test("when the link is lost, an idle connection is closed at once", async () => {
  const fixture = new Fixture().attach();
  fixture.driver.close("connection-lost");
  assert.equal((await fixture.pump.done).reason, "link-lost");
  assert.equal(fixture.client.closed, true);
  await fixture.finish();
});

test("an abort drops what waits, closes at once, and the first reason stays", async () => {
  const fixture = new Fixture().attach();
  fixture.client.blocked = true;
  fixture.data(pattern(10));
  await settled();
  fixture.pump.abort("shutting-down");
  fixture.pump.abort("stalled");
  fixture.pump.end("client-closed");
  assert.equal((await fixture.pump.done).reason, "shutting-down");
  assert.equal(fixture.client.closed, true);
  assert.equal(await isSettled(fixture.driver.ended), false);
  await fixture.finish();
});

test("the summary tells the bytes of both ways and the time", async () => {
  const fixture = new Fixture({ halfCloseTimeout: 0 }).attach();
  fixture.client.feed(pattern(5));
  fixture.data(pattern(7));
  await fixture.clock.advance(1_234);
  fixture.client.feed(null);
  assert.deepEqual(await fixture.pump.done, {
    reason: "client-closed",
    bytesSent: 5,
    bytesReceived: 7,
    duration: 1_234,
  });
  await fixture.finish();
});
