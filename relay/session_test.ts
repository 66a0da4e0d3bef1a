import assert from "node:assert/strict";
import { STALL_TIMEOUT_MS } from "../net/limits.ts";
import { SHUTDOWN_TIMEOUT_MS } from "../base/limits.ts";

import { FakeDuplex } from "./_fakes_test.ts";
import { isSettled, settled } from "../tests/rig/wait.ts";
import { test } from "../tests/rig/test.ts";
import { data, LinkFixture } from "./link/_fixture_test.ts";
import type { LinkDriver } from "./link/driver.ts";
import { Session } from "./session.ts";

/** A session of a link whose peer is the test. */
class OneLink extends Session<LinkDriver> {
  readonly fixture: LinkFixture;
  /** What was there when the peer was told: open clients, and whether the link was up. */
  readonly farewells: { readonly clients: number; readonly up: boolean }[] = [];

  constructor() {
    const fixture = new LinkFixture(-1).start();
    const { clock, driver } = fixture;
    super(driver, "client", { clock, stallTimeout: STALL_TIMEOUT_MS, tcpKeepAlive: -1 });
    this.fixture = fixture;
  }

  /** A client that takes nothing if it is `blocked`, and for which some bytes have come. */
  async client(blocked = false): Promise<{ readonly duplex: FakeDuplex; readonly id: number }> {
    const channel = this.fixture.open();
    const pump = this.pumps.add(channel, "service");
    const duplex = new FakeDuplex();
    duplex.blocked = blocked;
    pump.attach(duplex);
    this.fixture.duplex.feed(data(channel.id, Uint8Array.of(1, 2, 3)));
    await settled();
    return { duplex, id: channel.id };
  }

  get takesLeave(): boolean {
    return this.leaving;
  }

  protected override sayFarewell(): void {
    this.farewells.push({ clients: this.pumps.size, up: !this.done });
  }
}

/** Nothing is left of it. */
async function isGone(session: OneLink): Promise<void> {
  await session.ended();
  await session.fixture.finish();
}

test("an end in order gives clients what came, then tells the peer, then ends the link, and is done when that is", async () => {
  const session = new OneLink();
  const link = session.fixture.duplex;
  const { duplex: client, id } = await session.client(true);
  link.take();
  const down = session.shutdown();
  await settled();
  assert.deepEqual([...link.take()], [0, 0, 2, id], "the device hears at once that the channel has ended");
  assert.equal(session.takesLeave, true);
  assert.deepEqual([session.farewells, link.finished, session.done], [[], false, false]);
  client.unblock();
  client.feed(null);
  await settled();
  assert.deepEqual([...client.take()], [1, 2, 3]);
  assert.deepEqual([session.farewells, link.finished, session.done], [[{ clients: 0, up: true }], true, false]);
  assert.equal(await isSettled(down), false, "the peer's own end is awaited");
  link.feed(null);
  await down;
  assert.deepEqual(await session.links.ended, { reason: "shutting-down", detail: undefined });
  await isGone(session);
});

for (const slow of ["a client that takes nothing", "a peer that does not close"]) {
  test(`an end in order is one at once when its time is up: ${slow}`, async () => {
    const session = new OneLink();
    const { duplex: client } = await session.client(slow.includes("client"));
    const down = session.shutdown();
    if (!slow.includes("client")) client.feed(null);
    await session.fixture.clock.advance(SHUTDOWN_TIMEOUT_MS - 1);
    assert.deepEqual([await isSettled(down), session.fixture.duplex.closed], [false, false]);
    await session.fixture.clock.advance(1);
    await down;
    assert.deepEqual([client.closed, session.fixture.duplex.closed], [true, true]);
    assert.equal((await session.links.ended).reason, "shutting-down");
    assert.equal(session.farewells.at(-1)!.up, true);
    await isGone(session);
  });
}

test("an end at once because of a shutdown tells the peer, and cuts clients off; once", async () => {
  const session = new OneLink();
  const { duplex: client } = await session.client(true);
  session.close("shutting-down", "now");
  session.close("shutting-down", "again");
  assert.deepEqual(session.farewells, [{ clients: 1, up: true }]);
  assert.deepEqual([session.done, client.closed], [true, true]);
  assert.deepEqual(await session.links.ended, { reason: "shutting-down", detail: "now" });
  await isGone(session);
});

test("after any other end clients still get what came for them, and it is not over before", async () => {
  const session = new OneLink();
  const { duplex: client } = await session.client(true);
  session.close("replaced", "its device is back");
  await session.links.ended;
  const ended = session.ended();
  assert.equal(session.done, true);
  assert.deepEqual([await isSettled(ended), client.closed], [false, false]);
  client.unblock();
  await settled();
  client.feed(null);
  await ended;
  assert.deepEqual([...client.take()], [1, 2, 3]);
  assert.deepEqual(session.farewells, [], "nobody is there to be told");
  await isGone(session);
});

test("a shutdown of a session whose link has gone waits for its clients alone, and no longer than any", async () => {
  for (const patient of [true, false]) {
    const session = new OneLink();
    const { duplex: client } = await session.client(true);
    session.fixture.duplex.feed(null);
    await session.links.ended;
    const down = session.shutdown();
    assert.deepEqual([await isSettled(down), client.closed], [false, false]);
    if (patient) await session.fixture.clock.advance(SHUTDOWN_TIMEOUT_MS);
    else session.close("shutting-down");
    await down;
    assert.deepEqual([client.closed, session.farewells], [true, []]);
    assert.equal((await session.links.ended).reason, "peer-closed");
    await isGone(session);
  }
});
