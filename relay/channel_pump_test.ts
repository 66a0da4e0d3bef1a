import assert from "node:assert/strict";
import { STALL_TIMEOUT_MS } from "../net/limits.ts";
import { MAX_CHANNEL_BACKLOG } from "./limits.ts";
import { settled } from "../tests/rig/wait.ts";
import { CLOSE, pattern, PumpFixture } from "./_pump_fixture_test.ts";
import { test } from "../tests/rig/test.ts";

test("bytes of the connection go out as DATA, bytes of the channel reach the connection", async () => {
  const fixture = new PumpFixture().attach();
  fixture.client.feed(Uint8Array.of(1, 2, 3));
  fixture.data(Uint8Array.of(4, 5));
  await settled();
  assert.deepEqual([...fixture.device.take()], [0, 3, 3, 1, 1, 2, 3]);
  assert.deepEqual([...fixture.client.take()], [4, 5]);
  await fixture.finish();
});

test("what comes before the connection is there is kept, in order", async () => {
  const fixture = new PumpFixture();
  const bytes = pattern(200_000);
  for (let at = 0; at < bytes.length; at += 50_000) fixture.data(bytes.subarray(at, at + 50_000));
  await settled();
  fixture.attach();
  await settled();
  assert.deepEqual(fixture.client.take(), bytes);
  await fixture.finish();
});

test("a receiver that is too slow holds the link within the bound, and frees it when it reads on", async () => {
  const fixture = new PumpFixture().attach();
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
  const fixture = new PumpFixture().attach();
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
  const fixture = new PumpFixture().attach();
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
  const fixture = new PumpFixture().attach();
  fixture.client.blocked = true;
  await fixture.fill();
  fixture.pump.end("shutting-down");
  await settled();
  assert.equal(fixture.device.isRead, true);
  assert.equal(fixture.summary(), undefined, "what came is still to be delivered");
  await fixture.finish();
});

test("the summary tells the bytes of both ways and the time", async () => {
  const fixture = new PumpFixture({ halfCloseTimeout: 0 }).attach();
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
