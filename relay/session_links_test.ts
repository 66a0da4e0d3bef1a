import assert from "node:assert/strict";
import { FRUITLESS_LINKS, FRUITLESS_MS, PATIENT_SILENCE_MS } from "../net/limits.ts";
import { keepAlivePlan } from "../protocol/keep_alive.ts";
import { YIELD_PART } from "../protocol/limits.ts";
import { V2_HEADER_SIZE } from "../protocol/v2/limits.ts";
import { SendLog } from "../protocol/v2/send/send_log.ts";
import { settingsFrame } from "../protocol/v2/wire/messages.ts";
import { WindowBudget } from "../protocol/v2/receive_windows.ts";
import { V2ServerCore } from "../protocol/v2/server_core.ts";
import { FruitlessLinks } from "../net/dial/fruitless_links.ts";
import { SessionLinks } from "./session_links.ts";
import { FakeDuplex, fakeTransport } from "./_fakes_test.ts";
import { FakeClock } from "../tests/rig/clock.ts";
import { isSettled, settled } from "../tests/rig/wait.ts";
import { test } from "../tests/rig/test.ts";

const KEEP_ALIVE = { idleTimeout: 1_000, probeInterval: 1_000, probeCount: 2 };
const SILENCE_MS = 3_000;

/** A server's session whose device is the test. */
class Fixture {
  readonly clock = new FakeClock();
  readonly hints: string[] = [];
  readonly session: V2ServerCore;
  readonly links: SessionLinks;
  duplex = new FakeDuplex();

  constructor() {
    const { clock } = this;
    this.session = new V2ServerCore(
      { time: clock, budget: new WindowBudget(1e6), log: new SendLog() },
      100,
      { onOffers() {}, onUnreachable() {}, onGoodbye() {}, onSettings() {} },
    );
    this.links = new SessionLinks({
      session: this.session,
      clock,
      writeTimeout: -1,
      keepAlive: keepAlivePlan(KEEP_ALIVE),
      leavesProbes: true,
      expiration: 600_000,
      onInterrupted: () => {},
      onFruitless: (hint) => this.hints.push(hint),
    });
  }

  /** Another link comes up, on which the device has received all. */
  attach(): void {
    this.duplex = new FakeDuplex();
    this.links.attach(fakeTransport(this.duplex), new Uint8Array(0), this.session.acknowledged);
  }

  /** How long the link that is up lives if nothing comes, in milliseconds. */
  async life(): Promise<number> {
    const since = this.clock.now();
    while (this.links.online) await this.clock.advance(500);
    return this.clock.now() - since;
  }

  async close(): Promise<void> {
    this.links.close("shutting-down");
    await this.links.ended;
    await settled();
    assert.equal(this.clock.pending, 0, "a timer is left");
  }
}

test("links that come up and carry nothing may be silent for longer after two in a row, and somebody is told of the MTU", async () => {
  const fixture = new Fixture();
  for (let link = 0; link < FRUITLESS_LINKS; link++) {
    assert.deepEqual(fixture.hints, []);
    fixture.attach();
    assert.equal(await fixture.life(), SILENCE_MS);
  }
  assert.equal(fixture.hints.length, 1);
  assert.match(fixture.hints[0]!, /\bMTU\b/);
  fixture.attach();
  assert.equal(await fixture.life(), PATIENT_SILENCE_MS);
  assert.equal(fixture.hints.length, 1, "once is enough");
  await fixture.close();
});

test("as soon as something comes on such a link its silence counts as that of any other", async () => {
  const fixture = new Fixture();
  for (let link = 0; link < FRUITLESS_LINKS; link++) {
    fixture.attach();
    await fixture.life();
  }
  fixture.attach();
  await fixture.clock.advance(10_000);
  assert.equal(fixture.links.online, true);
  fixture.duplex.feed(settingsFrame({}));
  await settled();
  assert.equal(fixture.links.fruitless, 0);
  assert.equal(await fixture.life(), SILENCE_MS);
  fixture.attach();
  assert.equal(await fixture.life(), SILENCE_MS);
  await fixture.close();
});

test("what is said of keep-alive is in force at once, on links to come, and told to the peer", async () => {
  const fixture = new Fixture();
  const { links } = fixture;
  fixture.attach();
  await settled();
  fixture.duplex.take();
  const keepAlive = { idleTimeout: 4_000, probeInterval: 2_000, probeCount: 1 };
  links.setKeepAlive(keepAlivePlan(keepAlive), { wantedMode: "config" });
  await settled();
  const said = settingsFrame({ keepAlive, wantedMode: "config" });
  assert.deepEqual(fixture.duplex.take().subarray(V2_HEADER_SIZE), said.subarray(V2_HEADER_SIZE), "in one frame");
  assert.deepEqual(links.keepAlive, keepAlive);
  assert.equal(await fixture.life(), 6_000);
  fixture.attach();
  fixture.duplex.feed(settingsFrame({})); // it carries something
  await settled();
  links.wantKeepAlive(keepAlivePlan(KEEP_ALIVE));
  assert.deepEqual(links.keepAlive, keepAlive, "what is wanted of the peer is not for this side");
  assert.equal(await fixture.life(), 6_000);
  await fixture.close();
  links.setKeepAlive(keepAlivePlan(KEEP_ALIVE));
});

test("the first probe is left for a moment to a peer that probes as soon, and to no other", async () => {
  for (
    const [peer, isLeft] of [
      [KEEP_ALIVE, true],
      [{ ...KEEP_ALIVE, idleTimeout: 999 }, true],
      [{ ...KEEP_ALIVE, idleTimeout: 1_001 }, false],
      [{ ...KEEP_ALIVE, probeCount: 0 }, false],
      [{ ...KEEP_ALIVE, idleTimeout: -1 }, false],
    ] as const
  ) {
    const fixture = new Fixture();
    fixture.attach();
    fixture.links.hear({ keepAlive: peer });
    await settled();
    fixture.duplex.take();
    await fixture.clock.advance(KEEP_ALIVE.idleTimeout);
    assert.equal(fixture.duplex.take().length === 0, isLeft, JSON.stringify(peer));
    await fixture.clock.advance(KEEP_ALIVE.idleTimeout * YIELD_PART);
    assert.equal(fixture.duplex.take().length > 0, isLeft, JSON.stringify(peer));
    await fixture.clock.advance(SILENCE_MS - KEEP_ALIVE.idleTimeout * (1 + YIELD_PART) - 1);
    assert.equal(fixture.links.online, true);
    await fixture.clock.advance(1);
    assert.equal(fixture.links.online, false, "it is given up when it was");
    await fixture.close();
  }
});

test("a peer that says the same of its keep-alive again does not put off the end of a link that is silent", async () => {
  const fixture = new Fixture();
  fixture.attach();
  fixture.links.hear({ keepAlive: KEEP_ALIVE });
  await fixture.clock.advance(2_000);
  fixture.links.hear({ keepAlive: { ...KEEP_ALIVE } });
  assert.equal(await fixture.life(), SILENCE_MS - 2_000);
  await fixture.close();
});

test("a session is over when no link can come any more, and has ended when the socket of the last one is closed", async () => {
  const fixture = new Fixture();
  const { links } = fixture;
  fixture.attach();
  links.dismiss("replaced");
  assert.equal((await links.over).reason, "replaced");
  assert.equal(links.done, true);
  assert.deepEqual([await isSettled(links.ended), fixture.duplex.closed], [false, false], "its last words are taken");
  fixture.duplex.feed(null);
  assert.equal(await links.ended, await links.over);
  assert.equal(fixture.duplex.closed, true);
  await fixture.close();
});

test("a session without a link ends in order at once, or when its time is up", async () => {
  for (const finish of [true, false]) {
    const fixture = new Fixture();
    fixture.attach();
    fixture.duplex.feed(null);
    await settled();
    assert.equal(fixture.links.interruptedAt, fixture.clock.now());
    if (finish) await fixture.links.finish("shutting-down");
    else await fixture.clock.advance(fixture.links.expiration);
    assert.equal((await fixture.links.ended).reason, finish ? "shutting-down" : "expired");
    assert.equal(fixture.links.interruptedAt, undefined);
    await fixture.close();
  }
});

test("a link that was short, or carried anything, counts for nothing; one that did starts the count over", () => {
  const links = new FruitlessLinks();
  const nothing = { received: 7, acknowledged: 9, roundTrip: undefined };
  const run = (end: typeof nothing | { roundTrip: number }, ms: number) => {
    links.begin(nothing, 0);
    return links.end({ ...nothing, ...end }, ms);
  };
  assert.equal(run(nothing, FRUITLESS_MS - 1), false);
  assert.equal(links.count, 0);
  for (const end of [{ ...nothing, received: 8 }, { ...nothing, acknowledged: 10 }, { ...nothing, roundTrip: 3 }]) {
    assert.equal(run(nothing, FRUITLESS_MS), false);
    assert.equal(links.count, 1);
    run(end, 100_000);
    assert.equal(links.count, 0);
  }
  assert.equal(run(nothing, FRUITLESS_MS), false);
  assert.equal(run(nothing, FRUITLESS_MS), true);
  assert.equal(run(nothing, FRUITLESS_MS), false);
});

test("keep-alive that is off stays off", () => {
  const links = new FruitlessLinks();
  links.count = FRUITLESS_LINKS;
  for (
    const off of [{ ...KEEP_ALIVE, idleTimeout: -1 }, { ...KEEP_ALIVE, probeCount: 0 }, {
      ...KEEP_ALIVE,
      probeInterval: -1,
    }]
  ) {
    assert.deepEqual(links.patient(off), off);
  }
});
