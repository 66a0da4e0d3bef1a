/**
 * A server's and a device's link joined by pipes in virtual time: whatever users and the network do, each stream arrives
 * as it was sent, and everything comes to an end.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { V2_BULK_PAYLOAD, V2_HEADER_SIZE, V2_SHARED_PAYLOAD } from "./limits.ts";
import type { ChannelEndReason } from "../reasons.ts";
import type { Network } from "../../tests/rig/sim/way.ts";
import { Pair } from "./_simulation_test.ts";
import { User } from "./_users_test.ts";
import { type Cut, cutAndResume } from "./_cuts_test.ts";
import { test } from "../../tests/rig/test.ts";

/** What the two users of a channel do. */
interface Plan {
  readonly at: number;
  readonly up: number;
  readonly down: number;
  readonly piece: number;
  readonly pause: number;
  readonly slow: number;
  readonly dial: number;
  readonly refuse: boolean;
  readonly close: { readonly by: "client" | "service"; readonly after: number; readonly reset: boolean } | undefined;
}

/** What happens in a run. */
interface Run {
  readonly seed: number;
  readonly plans: readonly Plan[];
  readonly network: Network;
  readonly nagle: boolean;
  readonly bound: number;
  readonly lost: number | undefined;
  readonly cuts: readonly Cut[];
}

/** A channel of a run. */
interface Life {
  readonly plan: Plan;
  readonly client: User;
  service: User | undefined;
}

const size = fc.oneof(fc.constant(0), fc.nat(200), fc.nat(40_000), fc.integer({ min: 40_000, max: 250_000 }));
const plan: fc.Arbitrary<Plan> = fc.record({
  at: fc.nat(200),
  up: size,
  down: size,
  piece: fc.constantFrom(20_000, 65_535, 65_535, 3_000),
  pause: fc.constantFrom(0, 0, 3),
  slow: fc.constantFrom(0, 0, 2, 30),
  dial: fc.nat(60),
  refuse: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, fc.constant(true)),
  close: fc.option(
    fc.record({ by: fc.constantFrom("client", "service"), after: fc.nat(300), reset: fc.boolean() }),
    { nil: undefined, freq: 2 },
  ),
});
const network: fc.Arbitrary<Network> = fc.record({
  latency: fc.constantFrom(0.05, 1, 20, 150),
  rate: fc.constantFrom(100, 1_250, 12_500, 1e6),
  late: fc.constantFrom(0, 0.5, 5),
  cuts: fc.boolean(),
});
const cut: fc.Arbitrary<Cut> = fc.record({
  at: fc.nat(1_500),
  ways: fc.constantFrom("both", "up", "down", "none"),
  noticed: fc.constantFrom("both", "server", "device", "nobody"),
  gap: fc.constantFrom(0, 1, 30, 400),
  failures: fc.array(fc.constantFrom("auth-lost", "welcome-lost"), { maxLength: 3 }),
});
const run: fc.Arbitrary<Run> = fc.record({
  seed: fc.nat(0xffff_ffff),
  plans: fc.array(plan, { minLength: 1, maxLength: 12, size: "max" }),
  network,
  nagle: fc.boolean(),
  bound: fc.constantFrom(64 * 1024 * 1024, 300_000, 20_000),
  lost: fc.option(fc.nat(1_500), { nil: undefined, freq: 4 }),
  cuts: fc.array(cut, { maxLength: 6 }),
});

/** Opens a channel and lets its users do what is planned. */
function open(pair: Pair, plan: Plan, number: number, lives: Map<number, Life>): void {
  const { time, random } = pair;
  const channel = pair.server.open(number, "192.0.2.1:5", "0.0.0.0:22");
  if (!channel) return;
  const client = new User(time, random, channel, 2 * number, 2 * number + 1, plan.slow);
  lives.set(number, { plan, client, service: undefined });
  client.send(plan.up, plan.piece, plan.pause);
  if (plan.close?.by === "client") {
    time.after(plan.close.after, () => client.close(plan.close?.reset ? "client-reset" : "client-closed"));
  }
}

/** The device's side of the same. */
function serve(pair: Pair, life: Life, number: number, channel: User["channel"]): void {
  const { plan } = life;
  const service = life.service = new User(pair.time, pair.random, channel, 2 * number + 1, 2 * number, plan.slow);
  pair.time.after(plan.dial, () => {
    if (plan.refuse) return service.close("service-refused");
    pair.device.accept(channel);
    service.send(plan.down, plan.piece, plan.pause);
  });
  if (plan.close?.by === "service") {
    pair.time.after(plan.close.after, () => service.close(plan.close?.reset ? "service-reset" : "service-closed"));
  }
}

async function simulate(run: Run): Promise<Map<number, Life>> {
  const pair = new Pair(run.seed, run.network, run);
  const lives = new Map<number, Life>();
  pair.onOpen = (channel, number) => serve(pair, lives.get(number)!, number, channel);
  for (const [at, plan] of run.plans.entries()) pair.time.after(plan.at, () => open(pair, plan, at + 1, lives));
  if (run.lost !== undefined) pair.time.after(run.lost, () => pair.lose());
  for (const cut of run.cuts) pair.time.after(cut.at, () => cutAndResume(pair, cut, run.network.latency));
  for (let ping = 0; ping < 5; ping++) {
    pair.time.after(pair.random.upTo(1_000), () => pair.random.oneIn(2) ? pair.server.ping() : pair.device.ping());
  }
  await pair.time.run();
  pair.check();
  if (run.lost !== undefined) pair.lose(); // those who came after that find no way
  assert.equal(pair.server.channelCount, 0, "a channel is left on the server");
  assert.equal(pair.device.channelCount, 0, "a channel is left on the device");
  assert.equal(pair.serverBudget.granted, 0, "the server did not get back what it granted");
  assert.equal(pair.deviceBudget.granted, 0, "the device did not get back what it granted");
  pair.server.ping();
  pair.device.ping();
  await pair.time.run();
  assert.equal(pair.serverLog.size, 0, "the server keeps what was acknowledged");
  assert.equal(pair.deviceLog.size, 0, "the device keeps what was acknowledged");
  return lives;
}

/** Ends of this side's own making. */
const OWN: Record<"client" | "service", readonly ChannelEndReason[]> = {
  client: ["client-closed", "client-reset"],
  service: ["service-closed", "service-reset", "service-refused"],
};

function checkLife({ client, service, plan }: Life, lost: boolean): void {
  assert(client.end !== undefined, "a client was never ended");
  assert(client.sendingDone || lost, "a client waits for ever");
  if (!service) {
    // It never came to one: the link was lost, the client went first, or there was nothing to grant.
    return assert(lost || OWN.client.includes(client.end as ChannelEndReason) || client.end === "too-many-channels");
  }
  assert(service.end !== undefined, "a service was never ended");
  assert(service.sendingDone || service.sent === 0 || lost, "a service waits for ever");
  assert(client.received <= service.sent && service.received <= client.sent);
  // Whoever ended in order has all that the other side had to send.
  if (client.end === "in order") assert.equal(client.received, plan.down, "the client lost bytes");
  if (service.end === "in order") assert.equal(service.received, plan.up, "the service lost bytes");
  if (lost) return;
  // Both ended alike, unless a side ended it by itself while the other's own end was on its way.
  const [a, b] = [client.end, service.end!];
  const byClient = OWN.client.includes(a as ChannelEndReason) && [...OWN.service, "in order"].includes(b);
  const byService = OWN.service.includes(b as ChannelEndReason) && [...OWN.client, "in order"].includes(a);
  assert(a === b || byClient || byService, `the client ended as ${a}, the service as ${b}`);
}

test("any users over any network: nothing is lost, doubled or reordered, and everything ends on both sides", async () => {
  await fc.assert(
    fc.asyncProperty(run, async (run) => {
      const lives = await simulate(run);
      for (const life of lives.values()) checkLife(life, run.lost !== undefined);
    }),
    { numRuns: 400 },
  );
});

test("any number of cuts at any byte, noticed or not, also while a link is resumed: still nothing is lost or doubled", async () => {
  await fc.assert(
    fc.asyncProperty(run, fc.array(cut, { minLength: 1, maxLength: 12 }), async (run, cuts) => {
      const lives = await simulate({ ...run, lost: undefined, cuts });
      for (const life of lives.values()) checkLife(life, false);
    }),
    { numRuns: 400 },
  );
});

test("many channels with much to send both ways: all of it arrives, and nobody is left waiting", async () => {
  const network = { latency: 5, rate: 12_500, late: 1, cuts: true };
  const base = { at: 0, piece: 65_535, pause: 0, slow: 2, dial: 5, refuse: false, close: undefined };
  const plans = Array.from({ length: 20 }, (_, at) => ({ ...base, up: 300_000 + at, down: 400_000 - at }));
  const lives = await simulate({ seed: 5, plans, network, nagle: true, bound: 3_000_000, lost: undefined, cuts: [] });
  assert.equal(lives.size, 20);
  for (const life of lives.values()) {
    checkLife(life, false);
    assert.equal(life.client.end, "in order");
  }
});

test("PING tells both sides the round trip of the path, and how far the other's clock is ahead", async () => {
  const network = { latency: 40, rate: 1_250, late: 0, cuts: false };
  const pair = new Pair(1, network, { clockOffset: 90_000 });
  pair.server.ping();
  pair.device.ping();
  await pair.time.run();
  pair.check();
  for (const [link, offset] of [[pair.server, 90_000], [pair.device, -90_000]] as const) {
    assert(Math.abs(link.roundTrip! - 80) < 1, `a round trip of ${link.roundTrip} ms`);
    assert(Math.abs(link.clockOffset! - offset) < 2, `an offset of ${link.clockOffset} ms`);
  }
});

test("a keystroke on a path of 10 Mbit/s waits behind about one round trip of bulk, which keeps the path full", async () => {
  const [latency, rate] = [10, 1_250];
  const pair = new Pair(3, { latency, rate, late: 0.5, cuts: false });
  const { time } = pair;
  const [bulkNumber, typistNumber] = [1, 2];
  let typed = 0;
  const waits: number[] = [];
  pair.onOpen = (channel, number) => {
    pair.device.accept(channel);
    if (number === bulkNumber) return void new User(time, pair.random, channel, 1, 2, 0);
    channel.receiver = {
      onData: (bytes) => {
        waits.push(time.now - typed);
        channel.consumed(bytes.length);
      },
      onEnd: () => {},
    };
  };
  const bulk = new User(time, pair.random, pair.server.open(bulkNumber, "a:1", "b:1")!, 2, 1, 0);
  const typist = pair.server.open(typistNumber, "a:2", "b:1")!;
  bulk.send(1e9, 65_535, 0);
  await time.run(2_000); // the path is known by then
  const before = pair.toDevice.bytes;
  for (let at = 2_000; at < 8_000; at += 173) {
    time.after(at - time.now, () => {
      typed = time.now;
      typist.send(new Uint8Array(9), 1);
    });
  }
  await time.run(8_000);
  const sent = pair.toDevice.bytes - before;
  pair.check();
  assert.equal(waits.length, Math.ceil(6_000 / 173), "a keystroke was lost");
  const longest = Math.max(...waits);
  // One way, one round trip and 5 ms of bulk, one frame in its way, and late turns.
  assert(longest <= latency + (2 * latency + 5) + V2_SHARED_PAYLOAD / rate + 5, `it waited ${longest} ms`);
  assert(sent >= 0.9 * 6_000 * rate, `bulk had ${Math.round(sent / 60 / rate)} % of the path`);
  pair.lose();
});

test("frames of several busy channels are small where one would be long in the way of others, and large where it is not", async () => {
  const longest: number[] = [];
  for (const rate of [20_000, 30 * V2_BULK_PAYLOAD]) {
    const pair = new Pair(3, { latency: 1, rate, late: 0, cuts: false });
    pair.onOpen = (channel, number) => {
      pair.device.accept(channel);
      new User(pair.time, pair.random, channel, number, 9, 0);
    };
    for (const number of [1, 2]) {
      const channel = pair.server.open(number, `a:${number}`, "b:1")!;
      new User(pair.time, pair.random, channel, 9, number, 0).send(1e9, 65_535, 0);
    }
    await pair.time.run(500); // the path is known by then
    const { toDevice } = pair;
    let most = 0;
    const data = toDevice.data.bind(toDevice);
    toDevice.data = (frame, fate) => {
      most = Math.max(most, frame.length - V2_HEADER_SIZE);
      return data(frame, fate);
    };
    await pair.time.run(700);
    pair.check();
    pair.lose();
    longest.push(most);
  }
  assert.equal(longest[0], V2_SHARED_PAYLOAD);
  assert(longest[1]! > V2_BULK_PAYLOAD * 0.9, `${longest[1]}`); // cut to what the path has room for
});
