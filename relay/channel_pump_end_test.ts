import assert from "node:assert/strict";
import { LINGER_MS } from "../net/limits.ts";
import { DRAIN_TIMEOUT_MS, ENDS_AT_ONCE, TOLD_END_LINGER_MS, TOLD_END_TIMEOUT_MS } from "./limits.ts";
import { HALF_CLOSE_TIMEOUT_MS } from "../server/limits.ts";
import { isSettled, settled } from "../tests/rig/wait.ts";
import { EndPace } from "./ending/end_pace.ts";
import { CLOSE, pattern, PumpFixture } from "./_pump_fixture_test.ts";
import { test } from "../tests/rig/test.ts";

test("what came before a close is delivered before the close, however slowly it is taken", async () => {
  const fixture = new PumpFixture().attach();
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
  const fixture = new PumpFixture({ end: "service", halfCloseTimeout: 0 });
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
  const fixture = new PumpFixture();
  fixture.close();
  assert.equal((await fixture.pump.done).reason, "service-closed");
  fixture.attach();
  assert.equal(fixture.client.closed, true);
  await fixture.finish();
});

test("a peer that does not close after the last byte is closed when its time is up", async () => {
  const fixture = new PumpFixture().attach();
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

test("a peer that still sends after the last byte is waited for, up to the drain time", async () => {
  const fixture = new PumpFixture().attach();
  fixture.close();
  await settled();
  for (let waited = 0; waited + LINGER_MS - 1 < DRAIN_TIMEOUT_MS; waited += LINGER_MS - 1) {
    await fixture.clock.advance(LINGER_MS - 1);
    assert.equal(fixture.summary(), undefined, `closed after ${waited} ms`);
    fixture.client.feed(Uint8Array.of(9));
    await settled();
  }
  await fixture.clock.advance(LINGER_MS);
  assert.equal(fixture.summary()!.reason, "service-closed");
  await fixture.finish();
});

for (const resets of [true, false]) {
  const how = resets
    ? "reset when it has what came"
    : "told its end, and read on from until its own: nothing is taken back";
  test(`at an end that nobody meant, a peer that ${resets ? "can" : "cannot"} be reset is ${how}`, async () => {
    const fixture = new PumpFixture().attach();
    const { client } = fixture;
    client.resets = resets;
    client.blocked = true;
    const bytes = pattern(50_000);
    fixture.data(bytes);
    await settled();
    fixture.pump.end("shutting-down");
    await settled();
    assert.deepEqual([client.finished, client.closed], [false, false]);
    client.unblock();
    await settled();
    assert.deepEqual(client.take(), bytes);
    assert.deepEqual([client.finished, client.closed], [!resets, resets]);
    if (!resets) {
      client.feed(Uint8Array.of(9)); // a close with that unread would take back what it has not read itself
      client.feed(null);
    }
    assert.equal((await fixture.pump.done).reason, "shutting-down");
    assert.deepEqual([client.closed, client.wasReset], [true, true], "as far as it can");
    await fixture.finish();
  });
}

test("a peer that cannot be reset and never ends is closed when its time is up", async () => {
  const fixture = new PumpFixture().attach();
  fixture.client.resets = false;
  fixture.pump.end("shutting-down");
  await settled();
  await fixture.clock.advance(TOLD_END_LINGER_MS - 1);
  assert.equal(fixture.client.closed, false);
  await fixture.clock.advance(1);
  assert.equal(fixture.client.closed, true);
  await fixture.finish();
});

test("a peer that cannot be reset and sends on is closed when its time is up, so that the system resets it", async () => {
  const fixture = new PumpFixture().attach();
  fixture.client.resets = false;
  fixture.pump.end("shutting-down");
  await settled();
  for (let left = TOLD_END_TIMEOUT_MS; left > 0; left -= 250) {
    assert.equal(fixture.client.closed, false, `${left} ms before`);
    fixture.client.feed(Uint8Array.of(9));
    await fixture.clock.advance(250);
  }
  assert.equal(fixture.client.closed, true);
  await fixture.finish();
});

test("a connection that takes nothing of what came before a close loses it when its time is up", async () => {
  const fixture = new PumpFixture().attach();
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

test("a client that finished writing gets its reply, and is ended when nothing came for the half-close time", async () => {
  const fixture = new PumpFixture().attach();
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
  const fixture = new PumpFixture().attach();
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
  const fixture = new PumpFixture({ halfCloseTimeout: 0 }).attach();
  fixture.client.feed(Uint8Array.of(1));
  fixture.client.feed(null);
  await settled();
  assert.deepEqual([...fixture.device.take()], [0, 1, 3, 1, 1, ...CLOSE]);
  assert.equal(fixture.summary()!.reason, "client-closed");
  await fixture.finish();
});

test("a half-closed client that takes nothing is not polled, and does not live for ever", async () => {
  const fixture = new PumpFixture().attach();
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
    const fixture = new PumpFixture({ end }).attach();
    fixture.client.feed(new Error("Connection reset by peer"));
    assert.equal((await fixture.pump.done).reason, reason);
    await settled();
    assert.deepEqual([...fixture.device.take()], CLOSE);
    await fixture.finish();
  }
});

test("a write that fails ends its channel and nothing else", async () => {
  const fixture = new PumpFixture().attach();
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
  const fixture = new PumpFixture().attach();
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
  const fixture = new PumpFixture().attach();
  fixture.driver.close("connection-lost");
  assert.equal((await fixture.pump.done).reason, "link-lost");
  assert.equal(fixture.client.closed, true);
  await fixture.finish();
});

test("an abort drops what waits, closes at once, and the first reason stays", async () => {
  const fixture = new PumpFixture().attach();
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

test("an end that waits for its turn is one, whatever else ends the connection meanwhile", async () => {
  for (const other of ["its own end", "an abort"]) {
    const fixture = new PumpFixture().attach();
    fixture.close();
    await settled();
    const pace = EndPace.of(fixture.clock);
    for (let n = 0; n <= ENDS_AT_ONCE; n++) pace.tell(() => {}); // others go first
    fixture.clock.jump(LINGER_MS);
    assert.equal(fixture.summary(), undefined, "it waits for its turn");
    if (other === "an abort") fixture.pump.abort("stalled");
    else fixture.client.feed(null);
    await fixture.pump.done;
    assert.equal(fixture.clock.pending, 0, `${other}: something of it is left`);
    await fixture.finish();
  }
});

test("of a connection that is closed amid its last wait nothing waits for a turn, though its read fails then", async () => {
  const fixture = new PumpFixture().attach();
  fixture.close();
  await settled();
  const pace = EndPace.of(fixture.clock);
  for (let n = 0; n <= ENDS_AT_ONCE; n++) pace.tell(() => {}); // others go first
  fixture.pump.abort("shutting-down");
  await fixture.pump.done;
  assert.equal(fixture.clock.pending, 0, "something of it is left");
  await fixture.finish();
});
