/**
 * Keep-alive by whether somebody waits, in virtual time: how often a session probes, and how soon a dead link is found.
 *
 * @module
 */

import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import {
  ADAPTIVE_KEEP_ALIVE,
  type KeepAlivePlan,
  keepAlivePlan,
  METERED_KEEP_ALIVE,
  V2_KEEP_ALIVE,
} from "../protocol/keep_alive.ts";
import { RESUMED_WATCH_MS } from "../protocol/limits.ts";
import { V2_HEADER_SIZE } from "../protocol/v2/limits.ts";
import { SendLog } from "../protocol/v2/send/send_log.ts";
import { V2Command } from "../protocol/v2/wire/commands.ts";
import { pongFrame } from "../protocol/v2/wire/codec.ts";
import { readSettings, type Settings } from "../protocol/v2/wire/messages.ts";
import { WindowBudget } from "../protocol/v2/receive_windows.ts";
import { V2ServerCore } from "../protocol/v2/server_core.ts";
import { SessionLinks } from "./session_links.ts";
import { FakeDuplex, fakeTransport } from "./_fakes_test.ts";
import { FakeClock } from "../tests/rig/clock.ts";
import { test } from "../tests/rig/test.ts";

/** Silence after which a link is found dead while somebody waits, and while nobody does. */
const FAST_MS = 3_000;
const SLOW_MS = 35_000;

/** What passes before the device has answered. */
const STEP_MS = 250;

/** Lets everything run that is ready to. */
function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** A server's session whose device answers as long as its link is alive. */
class Fixture {
  readonly clock = new FakeClock();
  readonly session: V2ServerCore;
  readonly links: SessionLinks;
  readonly said: Settings[] = [];
  duplex = new FakeDuplex();
  pings = 0;
  /** Whether what is sent arrives, and is answered. */
  alive = true;

  constructor(plan: KeepAlivePlan = keepAlivePlan("adaptive"), adapts = true, leavesProbes = false) {
    const { clock } = this;
    this.session = new V2ServerCore(
      { time: clock, budget: new WindowBudget(1e6), log: new SendLog(), adapts },
      100,
      { onOffers() {}, onUnreachable() {}, onGoodbye() {}, onSettings() {} },
    );
    this.links = new SessionLinks({
      session: this.session,
      clock,
      writeTimeout: -1,
      keepAlive: plan,
      leavesProbes,
      expiration: 600_000,
      onInterrupted: () => {},
    });
    this.attach();
  }

  attach(): void {
    if (this.links.online) this.links.fence();
    this.duplex = new FakeDuplex();
    this.links.attach(fakeTransport(this.duplex), new Uint8Array(0), this.session.acknowledged);
  }

  /** Lets time pass; the device answers. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= STEP_MS) {
      this.clock.tick(Math.min(STEP_MS, left));
      await turn();
      this.#answer();
      await turn();
    }
  }

  /** How many probes there are in so many milliseconds. */
  async probesIn(ms: number): Promise<number> {
    const before = this.pings;
    await this.pass(ms);
    return this.pings - before;
  }

  /** How long the link that is up lives when nothing arrives any more. */
  async life(): Promise<number> {
    this.alive = false;
    const since = this.clock.now();
    while (this.links.online) {
      this.clock.tick(100);
      await turn();
    }
    this.alive = true;
    return this.clock.now() - since;
  }

  /** A client comes. @returns what lets it go. */
  open(): () => void {
    const channel = this.session.open(1, "192.0.2.1:5", "192.0.2.2:6")!;
    this.links.rouse();
    channel.receiver = { onData: () => {}, onEnd: () => {}, onLost: () => {} } as unknown as typeof channel.receiver;
    return () => channel.close("client-closed");
  }

  async close(): Promise<void> {
    this.links.close("shutting-down");
    await this.links.ended;
    await turn();
    assert.equal(this.clock.pending, 0, "a timer is left");
  }

  #answer(): void {
    const bytes = this.duplex.take();
    for (let at = 0; at < bytes.length;) {
      const size = (bytes[at]! << 8) | bytes[at + 1]!;
      const payload = bytes.slice(at + V2_HEADER_SIZE, at + V2_HEADER_SIZE + size);
      const command = bytes[at + 2];
      at += V2_HEADER_SIZE + size;
      if (command === V2Command.SETTINGS) this.said.push(readSettings(payload, true));
      if (command !== V2Command.PING) continue;
      this.pings++;
      if (this.alive) this.duplex.feed(pongFrame(payload.length > 0 ? this.position : 0, payload.subarray(8), 0));
    }
  }

  /** All that was sent has arrived. */
  get position(): number {
    return this.session.acknowledged + this.session.onTheWay;
  }
}

test("while nobody waits a session probes every 25 s, and with metered every 240 s", async () => {
  for (const [way, gap] of [["adaptive", 25], ["metered", 240], ["fast", 1]] as const) {
    const fixture = new Fixture(keepAlivePlan(way));
    await fixture.pass(1_000);
    const count = await fixture.probesIn(10 * gap * 1_000);
    assert.ok(Math.abs(count - 10) <= 1, `${way}: ${count} probes`);
    await fixture.close();
  }
});

test("a link that dies while nobody waits is found when a slow probe has been asked for in vain", async () => {
  const fixture = new Fixture();
  await fixture.pass(60_000);
  const life = await fixture.life();
  assert.ok(life > 10_000 && life <= SLOW_MS, `${life} ms`);
  await fixture.close();
});

test("a client that comes to a dead link finds it dead within 3 s, however long nobody waited", async () => {
  for (const way of ["adaptive", "metered"] as const) {
    for (const silence of [1_000, 20_000, 24_900]) {
      const fixture = new Fixture(keepAlivePlan(way));
      await fixture.pass(60_000);
      fixture.alive = false;
      await fixture.pass(silence);
      if (!fixture.links.online) continue;
      fixture.open();
      assert.deepEqual(fixture.links.keepAlive, V2_KEEP_ALIVE);
      const life = await fixture.life();
      assert.ok(life <= FAST_MS, `${way} after ${silence}: ${life} ms`);
      assert.equal(fixture.session.channelCount, 1, "the client waits for the next link");
      await fixture.close();
    }
  }
});

test("a client who comes while a slow probe is not answered yet has its 3 s, and no more", async () => {
  const fixture = new Fixture(keepAlivePlan("metered"));
  await fixture.pass(240_000);
  fixture.alive = false;
  await fixture.pass(242_000);
  fixture.open();
  const life = await fixture.life();
  assert.ok(life <= FAST_MS, `${life} ms`);
  await fixture.close();
});

test("probes are fast as long as a client is there, and slow again when the last one has gone", async () => {
  const fixture = new Fixture();
  await fixture.pass(30_000);
  const leave = [fixture.open(), fixture.open()];
  assert.ok(await fixture.probesIn(10_000) >= 9);
  leave[0]!();
  assert.ok(await fixture.probesIn(10_000) >= 9);
  leave[1]!();
  await fixture.pass(2_000);
  assert.deepEqual(fixture.links.keepAlive, ADAPTIVE_KEEP_ALIVE);
  assert.ok(await fixture.probesIn(100_000) <= 4);
  await fixture.close();
});

test("a crowd of short clients costs no word on the wire but its own", async () => {
  const fixture = new Fixture();
  await fixture.pass(30_000);
  const before = fixture.said.length;
  for (let n = 0; n < 50; n++) fixture.open()();
  await fixture.pass(5_000);
  assert.equal(fixture.said.length, before);
  await fixture.close();
});

test("a session that has resumed is watched for a while, and then as before", async () => {
  const fixture = new Fixture();
  await fixture.pass(30_000);
  fixture.attach();
  assert.deepEqual(fixture.links.keepAlive, V2_KEEP_ALIVE);
  await fixture.pass(RESUMED_WATCH_MS - 5_000);
  assert.ok(await fixture.life() <= FAST_MS);
  fixture.attach();
  await fixture.pass(RESUMED_WATCH_MS + 2_000);
  assert.deepEqual(fixture.links.keepAlive, ADAPTIVE_KEEP_ALIVE);
  await fixture.close();
});

test("an operator who looks has both sides probe as for a client, told once, until he looks away", async () => {
  const fixture = new Fixture();
  await fixture.pass(30_000);
  fixture.said.length = 0;
  for (let n = 0; n < 10; n++) fixture.links.attend(10_000);
  assert.deepEqual(fixture.links.keepAlive, V2_KEEP_ALIVE);
  await fixture.pass(100);
  assert.deepEqual(fixture.said.map(({ attention }) => attention), [10_000], "told once");
  await fixture.pass(6_000);
  fixture.links.attend(10_000);
  await fixture.pass(100);
  assert.equal(fixture.said.length, 2, "told again when half of the time has gone");
  assert.ok(await fixture.probesIn(8_000) >= 7);
  await fixture.pass(5_000);
  assert.deepEqual(fixture.links.keepAlive, ADAPTIVE_KEEP_ALIVE);
  await fixture.close();
});

test("a side that hears that somebody waits at the other probes fast for that time, an hour at most", async () => {
  const fixture = new Fixture();
  await fixture.pass(30_000);
  fixture.links.hear({ attention: 10_000 });
  assert.deepEqual(fixture.links.keepAlive, V2_KEEP_ALIVE);
  await fixture.pass(12_000);
  assert.deepEqual(fixture.links.keepAlive, ADAPTIVE_KEEP_ALIVE);
  fixture.links.hear({ attention: 0xffff_ffff });
  await fixture.pass(3_600_000 - 2_000);
  assert.deepEqual(fixture.links.keepAlive, V2_KEEP_ALIVE);
  await fixture.pass(5_000);
  assert.deepEqual(fixture.links.keepAlive, ADAPTIVE_KEEP_ALIVE);
  await fixture.close();
});

test("with a peer that does not adapt it is the old way, and no word that it would not know", async () => {
  for (const way of ["adaptive", "metered"] as const) {
    const fixture = new Fixture(keepAlivePlan(way), false);
    assert.deepEqual(fixture.links.keepAlive, V2_KEEP_ALIVE);
    fixture.links.introduce();
    fixture.links.attend(10_000);
    fixture.links.wantKeepAlive(keepAlivePlan("metered"));
    await fixture.pass(60_000);
    assert.ok(await fixture.probesIn(10_000) >= 9);
    const strange = fixture.said.some((each) => each.attention ?? each.idleKeepAlive ?? each.wantedIdleKeepAlive);
    assert.equal(strange, false);
    assert.ok(await fixture.life() <= FAST_MS);
    await fixture.close();
  }
});

test("a server leaves slow probes to a device that probes as soon, and makes its own where the device does later", async () => {
  for (const [device, leaves] of [["adaptive", true], ["fast", true], ["metered", false]] as const) {
    const fixture = new Fixture(keepAlivePlan("adaptive"), true, true);
    const { waiting, idle } = keepAlivePlan(device);
    fixture.links.hear({ keepAlive: waiting, idleKeepAlive: idle });
    await fixture.pass(5_000);
    fixture.duplex.feed(pongFrame(fixture.position, new Uint8Array(8), 0));
    const before = fixture.pings;
    for (let n = 0; n < 10; n++) { // the device's PINGs come every 25 s
      await fixture.pass(25_000);
      if (leaves) fixture.duplex.feed(pongFrame(fixture.position, new Uint8Array(8), 0));
      await turn();
    }
    const own = fixture.pings - before;
    assert.ok(leaves ? own === 0 : own >= 9, `${device}: ${own} probes`);
    await fixture.close();
  }
});

test("what is set while nobody waits holds at once", async () => {
  const fixture = new Fixture();
  await fixture.pass(30_000);
  fixture.links.setKeepAlive(keepAlivePlan("metered"));
  await fixture.pass(3_000); // it was said, and has to be acknowledged
  assert.deepEqual(fixture.links.keepAlive, METERED_KEEP_ALIVE);
  fixture.links.setKeepAlive(keepAlivePlan("fast"));
  assert.ok(await fixture.probesIn(10_000) >= 9);
  fixture.links.setKeepAlive(keepAlivePlan("adaptive"));
  await fixture.pass(3_000);
  assert.ok(await fixture.probesIn(50_000) <= 2);
  await fixture.close();
});
