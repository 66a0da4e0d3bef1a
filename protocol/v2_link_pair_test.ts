/**
 * A server's and a device's link joined by pipes in virtual time: whatever users and the network do, each stream arrives
 * as it was sent, and everything comes to an end.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { ChannelEndReason } from "./reasons.ts";
import { type Network, Pair, User } from "./_v2_simulation_test.ts";
import { test } from "./_fakes_test.ts";

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
}

/** A channel of a run. */
interface Life {
  readonly plan: Plan;
  readonly client: User;
  service: User | undefined;
}

const size = fc.oneof(fc.constant(0), fc.nat(200), fc.nat(40_000), fc.nat(250_000));
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
const run: fc.Arbitrary<Run> = fc.record({
  seed: fc.nat(0xffff_ffff),
  plans: fc.array(plan, { minLength: 1, maxLength: 12 }),
  network,
  nagle: fc.boolean(),
  bound: fc.constantFrom(64 * 1024 * 1024, 300_000, 20_000),
  lost: fc.option(fc.nat(1_500), { nil: undefined, freq: 4 }),
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
  assert(service.end !== undefined || plan.refuse, "a service was never ended");
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
    { numRuns: 150 },
  );
});
