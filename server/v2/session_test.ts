/**
 * A session with a device whose links and clients are the test: no socket, and virtual time.
 *
 * @module
 */

import assert from "node:assert/strict";
import { SHUTDOWN_TIMEOUT_MS } from "../../base/limits.ts";
import { keepAlivePlan } from "../../protocol/keep_alive.ts";
import { goodbye } from "../../protocol/v2/wire/goodbye.ts";
import { v2Frame } from "../../protocol/v2/wire/codec.ts";
import { V2Command } from "../../protocol/v2/wire/commands.ts";
import { resultFrame } from "../../protocol/v2/wire/messages.ts";
import { WindowBudget } from "../../protocol/v2/receive_windows.ts";
import { SharedBound } from "../../protocol/v2/send/shared_bound.ts";
import { FakeDuplex, fakeTransport } from "../../relay/_fakes_test.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { isSettled, settled } from "../../tests/rig/wait.ts";
import { test } from "../../tests/rig/test.ts";
import type { LinkEnd } from "../../relay/link/end.ts";
import { serverSettings } from "../options.ts";
import { V2Session } from "./session.ts";

class Fixture {
  readonly clock = new FakeClock();
  readonly session: V2Session;
  readonly ends: string[] = [];
  readonly interruptions: LinkEnd[] = [];
  link = new FakeDuplex();

  constructor() {
    this.session = new V2Session({
      id: new Uint8Array(16),
      expiration: 60_000,
      logBudget: new SharedBound(1e6),
      budget: new WindowBudget(1e9),
      settings: serverSettings({ listen: [], clock: this.clock, tcpKeepAlive: -1 }),
      keepAlive: keepAlivePlan({ idleTimeout: -1, probeInterval: -1, probeCount: 0 }),
      adapts: false,
      wanted: () => undefined,
      onOffers: () => [],
      onSettings: () => {},
      onInterrupted: (end) => this.interruptions.push(end),
    });
    this.session.start(fakeTransport(this.link), new Uint8Array(0));
  }

  client(): FakeDuplex {
    const duplex = new FakeDuplex();
    this.session.serve({
      duplex,
      address: "192.0.2.1:5",
      hostAddress: "127.0.0.1:22",
      service: 0,
      onEnd: ({ reason }) => this.ends.push(reason),
    });
    return duplex;
  }

  /** A client that takes nothing yet of what its service has sent. */
  async slowClient(): Promise<FakeDuplex> {
    const duplex = this.client();
    duplex.blocked = true;
    this.link.feed(resultFrame(1, "connected", 1_000));
    this.link.feed(v2Frame(V2Command.DATA, 1, Uint8Array.of(1, 2, 3)));
    await this.said();
    return duplex;
  }

  /** What the device was told since the last call, as text. */
  async said(): Promise<string> {
    await settled();
    return new TextDecoder().decode(this.link.take());
  }

  async finish(): Promise<void> {
    this.session.close("shutting-down");
    await this.session.ended();
    await settled();
    assert.equal(this.clock.pending, 0, "a timer is left");
  }
}

test("a session that ends in order ends its clients, then tells the device and waits for it", async () => {
  const fixture = new Fixture();
  const client = await fixture.slowClient();
  const down = fixture.session.shutdown();
  assert.doesNotMatch(await fixture.said(), /the server is shutting down/);
  client.unblock();
  client.feed(null);
  assert.match(await fixture.said(), /the server is shutting down/);
  assert.deepEqual([fixture.ends, await isSettled(down)], [["shutting-down"], false]);
  fixture.link.feed(null);
  await down;
  assert.deepEqual(await fixture.session.links.over, { reason: "shutting-down", detail: undefined, clients: 0 });
  await fixture.finish();
});

test("a session that ends at once, or whose time to end in order is up, says why it did", async () => {
  for (const inTime of [true, false]) {
    const fixture = new Fixture();
    const client = await fixture.slowClient();
    if (inTime) fixture.session.close("shutting-down");
    else {
      const down = fixture.session.shutdown();
      await fixture.clock.advance(SHUTDOWN_TIMEOUT_MS);
      await down;
    }
    const { reason, detail } = await fixture.session.links.over;
    assert.deepEqual([reason, detail], ["shutting-down", "the server is shutting down"]);
    await settled();
    assert.match(await fixture.said(), /the server is shutting down/);
    assert.deepEqual([fixture.ends, client.closed, fixture.link.closed], [["shutting-down"], true, true]);
    await fixture.finish();
  }
});

test("a session that is dismissed tells the device why, and clients of a revoked one are cut off", async () => {
  for (const reason of ["replaced", "revoked"] as const) {
    const fixture = new Fixture();
    const client = await fixture.slowClient();
    fixture.session.dismiss(reason, goodbye(reason, `it is ${reason}`));
    assert.deepEqual(await fixture.session.links.over, { reason, detail: `it is ${reason}`, clients: 1 });
    assert.match(await fixture.said(), new RegExp(`it is ${reason}`));
    assert.deepEqual([client.closed, fixture.link.closed], [reason === "revoked", false]);
    fixture.link.feed(null);
    const ended = fixture.session.ended();
    assert.equal(await isSettled(ended), reason === "revoked", "who is not cut off gets what came");
    if (reason === "replaced") {
      client.unblock();
      client.feed(null);
      await ended;
      assert.deepEqual([...client.take()], [1, 2, 3]);
    }
    assert.deepEqual(fixture.ends, ["link-lost"]);
    await fixture.finish();
  }
});

test("a client that comes where the link is gone, and nobody has noticed, is served over the next", async () => {
  const fixture = new Fixture();
  fixture.link.feed(null);
  await settled();
  assert.deepEqual(fixture.interruptions.map(({ reason }) => reason), ["peer-closed"]);
  const client = fixture.client();
  const { position, fences } = fixture.session.fence();
  assert.equal(position, 0);
  fixture.link = new FakeDuplex();
  assert.equal(typeof fixture.session.resume(fakeTransport(fixture.link), new Uint8Array(0), 0, fences), "number");
  assert.match(await fixture.said(), /192\.0\.2\.1:5/);
  assert.deepEqual([client.closed, fixture.ends], [false, []]);
  await fixture.finish();
});

test("a session that somebody else has fenced meanwhile is not gone on with, nor one that is over", async () => {
  const fixture = new Fixture();
  const { fences } = fixture.session.fence();
  fixture.session.fence();
  const resume = (fences: number) =>
    fixture.session.resume(fakeTransport(new FakeDuplex()), new Uint8Array(0), 0, fences);
  assert.equal(resume(fences), undefined);
  fixture.session.close("shutting-down");
  assert.equal(resume(fixture.session.links.fences), undefined);
  assert.equal(fixture.client().closed, true);
  assert.deepEqual(fixture.ends, ["link-lost"]);
  await fixture.finish();
});
