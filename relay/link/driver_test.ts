import assert from "node:assert/strict";
import { COPY_MAX, LINK_HIGH_WATER, MAX_LINK_CHUNK } from "../limits.ts";
import type { FrameFate, Sent } from "../../protocol/link.ts";
import { isSettled, settled } from "../../tests/rig/wait.ts";
import { data, LinkFixture, LISTEN } from "./_fixture_test.ts";
import { test } from "../../tests/rig/test.ts";

test("the bytes that were read before the driver started are decoded first", async () => {
  const fixture = new LinkFixture().start(Uint8Array.of(0, 0, 4));
  fixture.duplex.feed(Uint8Array.of(0));
  await settled();
  assert.equal(fixture.listenings, 1);
  assert.equal(fixture.driver.bytesReceived, 1);
  await fixture.finish();
});

test("frames go out in order, and data reaches its channel", async () => {
  const fixture = new LinkFixture().start();
  const channel = fixture.open();
  channel.send(Uint8Array.of(0, 0, 0, 0, 7, 8), 2);
  channel.close();
  await settled();
  assert.deepEqual([...fixture.duplex.take()], [0, 5, 1, 1, 0, 1, 97, 0, 1, 0, 2, 3, 1, 7, 8, 0, 0, 2, 1]);
  fixture.open();
  fixture.duplex.feed(data(2, Uint8Array.of(1, 2, 3)));
  await settled();
  assert.deepEqual(fixture.told, ["data 3"]);
  await fixture.finish();
});

test("a peer that closes in order ends the link and its channels", async () => {
  const fixture = new LinkFixture().start();
  fixture.open();
  fixture.duplex.feed(null);
  assert.deepEqual(await fixture.driver.ended, { reason: "peer-closed", detail: undefined });
  assert.deepEqual(fixture.told, ["end link-lost"]);
  await fixture.finish();
});

test("a peer that closes inside a frame is told apart", async () => {
  const fixture = new LinkFixture().start();
  fixture.duplex.feed(Uint8Array.of(0, 5, 3));
  fixture.duplex.feed(null);
  assert.deepEqual(await fixture.driver.ended, { reason: "peer-closed", detail: "in the middle of a frame" });
  await fixture.finish();
});

test("a read that fails ends the link as lost, with what the system said", async () => {
  const fixture = new LinkFixture().start();
  fixture.duplex.feed(new Error("Connection reset by peer (os error 104)"));
  assert.deepEqual(await fixture.driver.ended, { reason: "connection-lost", detail: "Connection reset by peer" });
  await fixture.finish();
});

test("a write that fails ends the link as lost", async () => {
  const fixture = new LinkFixture().start();
  fixture.duplex.blocked = true;
  fixture.open();
  fixture.duplex.fail(new Error("Broken pipe (os error 32)"));
  assert.deepEqual(await fixture.driver.ended, { reason: "connection-lost", detail: "Broken pipe" });
  assert.deepEqual(fixture.told, ["end link-lost"]);
  await fixture.finish();
});

test("a protocol error ends the link and its channels, also in the opening", async () => {
  const fixture = new LinkFixture().start();
  fixture.open();
  fixture.duplex.feed(Uint8Array.of(0, 1, 99, 0, 0));
  const end = await fixture.driver.ended;
  assert.equal(end.reason, "protocol-error");
  assert.match(end.detail!, /99/);
  assert.deepEqual(fixture.told, ["end link-lost"]);
  await fixture.finish();

  const opening = new LinkFixture().start(Uint8Array.of(0, 0, 2, 1));
  assert.equal((await opening.driver.ended).reason, "protocol-error");
  await opening.finish();
});

test("the first reason for the end of a link stays, and channels hear of a shutdown", async () => {
  const fixture = new LinkFixture().start();
  fixture.open();
  fixture.driver.close("shutting-down", "first");
  fixture.driver.close("replaced", "second");
  assert.deepEqual(await fixture.driver.ended, { reason: "shutting-down", detail: "first" });
  assert.deepEqual(fixture.told, ["end shutting-down"]);
  assert.equal(fixture.driver.done, true);
  await fixture.finish();
});

test("what a channel sends after the end of the link goes nowhere, and nobody waits for it", async () => {
  const fixture = new LinkFixture().start();
  const channel = fixture.open();
  fixture.driver.close("shutting-down");
  assert.equal(channel.send(new Uint8Array(4 + 9_000), 9_000), "copied");
  for (const fate of ["lent", "copied", "logged", "kept"] as const) {
    assert.equal(fixture.driver.data(new Uint8Array(10), fate), fate);
    assert.equal(await fixture.driver.data(new Uint8Array(COPY_MAX + 1), fate), fate);
  }
  fixture.driver.control(new Uint8Array(4));
  await settled();
  await fixture.finish();
});

test("reading pauses until every hold is gone", async () => {
  const fixture = new LinkFixture().start();
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
  const fixture = new LinkFixture().start();
  fixture.driver.hold();
  fixture.duplex.feed(LISTEN);
  await settled();
  await fixture.finish();
});

for (const fate of ["lent", "copied", "logged", "kept"] satisfies FrameFate[]) {
  test(`a sender waits while more than the high-water mark is pending, and then hears that its frame was ${fate}`, async () => {
    const fixture = new LinkFixture().start();
    const { driver, duplex } = fixture;
    fixture.duplex.blocked = true;
    let pending = 0;
    let sent: Sent = fate;
    while (sent === fate && pending < 4 * LINK_HIGH_WATER) {
      sent = driver.data(new Uint8Array(COPY_MAX), fate);
      pending += COPY_MAX;
    }
    assert(sent instanceof Promise, "no sender ever waits");
    assert(pending > LINK_HIGH_WATER && pending <= LINK_HIGH_WATER + COPY_MAX, `${pending}`);
    assert.equal(await isSettled(sent), false);
    duplex.unblock();
    assert.equal(await sent, fate);
    await fixture.finish();
  });
}

test("a large frame that was lent is waited for until it is written, and one that stays as it is not", async () => {
  const fixture = new LinkFixture().start();
  const { driver, duplex } = fixture;
  fixture.duplex.blocked = true;
  for (const fate of ["copied", "logged", "kept"] satisfies FrameFate[]) {
    assert.equal(driver.data(new Uint8Array(COPY_MAX + 1), fate), fate);
  }
  const lent = driver.data(new Uint8Array(COPY_MAX + 1), "lent");
  assert(lent instanceof Promise);
  assert.equal(await isSettled(lent), false);
  duplex.unblock();
  assert.equal(await lent, "lent");
  await fixture.finish();
});

test("answers that the peer does not take make the link's reading pause", async () => {
  const fixture = new LinkFixture().start();
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

test("a link that finishes in order tells its end behind what it sent, and reads on until the peer's end", async () => {
  const fixture = new LinkFixture().start();
  const channel = fixture.open();
  channel.close();
  const finished = fixture.driver.finish("shutting-down");
  await settled();
  assert.equal(fixture.duplex.take().at(-1), 1, "the CLOSE of client 1");
  assert.deepEqual([fixture.duplex.finished, fixture.driver.done], [true, false]);
  fixture.duplex.feed(data(1, Uint8Array.of(1, 2, 3))); // what would make the socket reset if nobody read it
  await settled();
  assert.equal(fixture.driver.done, false);
  fixture.duplex.feed(null);
  await finished;
  assert.equal((await fixture.driver.ended).reason, "shutting-down");
  await fixture.finish();
});
