import assert from "node:assert/strict";
import fc from "fast-check";
import { LEAST_ROUND_TRIP_MS, MAX_ON_THE_WAY, MIN_ON_THE_WAY, PROBE_ON_THE_WAY, START_ON_THE_WAY } from "../limits.ts";
import { ProtocolError } from "../../errors.ts";
import { PathEstimator } from "./path_estimator.ts";
import { type Path, PathSimulation, steady } from "./_path_simulation_test.ts";
import { test } from "../../../tests/rig/test.ts";

/** Numbers from 0 to 1, the same ones for the same seed. */
function randoms(seed: number): () => number {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
}

/** Asserts what the product promises of a path that is known: busy, and without a long queue. */
function assertGood(simulation: PathSimulation, until: number, base: number, slack = 15): void {
  const from = simulation.now;
  const { busy, longestWait } = simulation.run(until);
  const when = `from ${from} to ${until} ms`;
  assert(busy >= 0.95, `busy for ${busy} ${when}`);
  assert(longestWait <= base + slack, `${longestWait} ms in the queue ${when}`);
  assert(!simulation.stuck);
}

test("a link begins with 64 KiB, asks at each quarter, and counts what is on the way", () => {
  const estimator = new PathEstimator(0);
  assert.equal(estimator.limit, START_ON_THE_WAY);
  assert.equal(estimator.leastRoundTrip, Infinity);
  const flags = Array.from({ length: 64 }, (_, at) => estimator.sent(1024, at / 1_000));
  assert.deepEqual(flags.flatMap((flag, at) => flag ? [at] : []), [0, 16, 32, 48]);
  assert.equal(estimator.onTheWay, 64 * 1024);
  assert.equal(estimator.room, 0);
  estimator.acknowledged(1024, 10);
  assert.equal(estimator.onTheWay, 63 * 1024);
  assert.equal(estimator.leastRoundTrip, 10);
});

test("a position beyond what was sent, one that goes back and one that is no number are errors; the same again is not", () => {
  const estimator = new PathEstimator(0);
  estimator.sent(1_000, 0);
  estimator.acknowledged(600, 1);
  estimator.acknowledged(600, 2);
  for (const position of [1_001, 599, NaN]) {
    assert.throws(
      () => estimator.acknowledged(position, 3),
      (error) => error instanceof ProtocolError && error.code === "bad-position",
    );
  }
  estimator.acknowledged(1_000, 3);
});

for (const [mbps, base] of [[10, 0.2], [10, 40], [10, 200], [100, 40], [1, 20], [300, 10]] as const) {
  test(`a path of ${mbps} Mbit/s and ${base} ms becomes and stays busy, with a short queue`, () => {
    const simulation = new PathSimulation(steady(mbps, base));
    const start = Math.max(1_000, 15 * base, 5_000 / mbps);
    simulation.run(start);
    if (mbps > 1) assertGood(simulation, start + 4_000, base);
    // The smallest limit takes longer than that on a slow path, and nothing is to be done about it.
    const wait = Math.max(base, MIN_ON_THE_WAY * 8 / (mbps * 1_000));
    for (let until = start + 30_000; until <= start + 90_000; until += 30_000) assertGood(simulation, until, wait);
  });
}

test("on loopback the limit gets to hundreds of KB within some ms, however late event loops are by up to 1 ms", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = randoms(seed);
    const simulation = new PathSimulation(steady(10_000, 0.1, random));
    simulation.run(15);
    assert(simulation.estimator.limit >= 1_000_000, `${simulation.estimator.limit} with seed ${seed}`);
    simulation.run(30);
    const { busy, least } = simulation.run(400);
    assert(busy > 0.95 && least > 3_000_000, `busy for ${busy}, at least ${least} with seed ${seed}`);
  }
});

test("a first frame that is small shows the round trip at once, so that bulk after it grows without a look", () => {
  const simulation = new PathSimulation(steady(10_000, 0.1));
  simulation.backlog = 200;
  simulation.run(1);
  simulation.backlog = Infinity;
  const { least } = simulation.run(3);
  assert(least >= START_ON_THE_WAY, `${least}`);
  assert(simulation.estimator.limit >= 5_000_000, `${simulation.estimator.limit}`);
});

test("stalls of an event loop do not make the limit collapse", () => {
  const random = randoms(7);
  const simulation = new PathSimulation(steady(10_000, 0.1, () => random() < 0.01 ? 20 : random() / 5));
  simulation.run(30);
  assert(simulation.run(1_000).least >= 1_000_000);
});

test("a first burst that was fast is forgotten, also while credit or the kernel holds the sender below the limit", () => {
  const simulation = new PathSimulation({ mbps: (now) => now < 30 ? 40 : 10, base: () => 1, late: () => 0 });
  simulation.held = 40_000;
  simulation.run(1_000);
  const { most, busy } = simulation.run(5_000);
  assert(most <= 2 * MIN_ON_THE_WAY && busy > 0.95, `up to ${most}, busy for ${busy}`);
});

test("a rate that falls to a tenth, and rises again, is followed within a second or two", () => {
  const path: Path = { mbps: (now) => now >= 9_500 && now < 25_000 ? 10 : 100, base: () => 40, late: () => 0 };
  const simulation = new PathSimulation(path);
  simulation.run(1_000);
  assertGood(simulation, 9_400, 40);
  simulation.run(11_700);
  const { longestWait } = simulation.run(12_500);
  assert(longestWait <= 80, `${longestWait} ms in the queue, three seconds after the fall`);
  for (const until of [16_000, 20_000, 24_900]) assertGood(simulation, until, 40);
  simulation.run(25_600);
  for (const until of [30_000, 40_000]) assertGood(simulation, until, 40);
});

test("a route that becomes longer is learned within seconds, and a shorter one within two more looks", () => {
  for (const longer of [100, 200]) {
    const path: Path = { mbps: () => 20, base: (now) => now >= 5_000 && now < 30_000 ? longer : 40, late: () => 0 };
    const simulation = new PathSimulation(path);
    simulation.run(1_000);
    assertGood(simulation, 5_000, 40);
    simulation.run(10_000);
    assertGood(simulation, 29_000, longer, 20); // for a moment, when the path is filled again after a look
    simulation.run(30_000 + 2 * LEAST_ROUND_TRIP_MS + 100 * longer);
    assertGood(simulation, simulation.now + 20_000, 40);
    assert(simulation.estimator.leastRoundTrip < 45, `${simulation.estimator.leastRoundTrip}`);
  }
});

test("after a silence the first bytes fill the path at once, and not its queue", () => {
  const simulation = new PathSimulation(steady(50, 40));
  simulation.run(3_000);
  for (let start = 4_000; start < 60_000; start += 3_000) {
    simulation.backlog = 0;
    simulation.run(start);
    assert.equal(simulation.estimator.onTheWay < simulation.estimator.limit / 2, true);
    simulation.backlog = Infinity;
    const { busy, longestWait } = simulation.run(start + 1_000);
    assert(longestWait <= 40 + 15, `${longestWait} ms after the silence before ${start}`);
    assert(busy > 0.8, `busy for ${busy} after the silence before ${start}`);
  }
});

test("a sender with little to send does not lower what was learned, and its first burst is not held up", () => {
  const simulation = new PathSimulation(steady(50, 40));
  simulation.run(3_000);
  const { limit } = simulation.estimator;
  simulation.backlog = 0;
  simulation.run(4_000);
  for (let now = 4_000; now < 8_000; now += 20) {
    simulation.backlog += 20_000; // 8 Mbit/s
    simulation.run(now + 20);
    assert.equal(simulation.backlog, 0, `held up at ${now}`);
  }
  simulation.backlog = Infinity;
  simulation.run(8_500);
  assert(simulation.estimator.limit >= 0.9 * limit, `${simulation.estimator.limit} after ${limit}`);
});

test("while it looks for the least round trip, frames that need not ask do not keep it from ending", () => {
  const estimator = new PathEstimator(0);
  let now = 0;
  let sent = 0;
  const held: number[] = [];
  for (; now < 2_000; now += 10) {
    for (const size of [Math.min(16 * 1024, estimator.room), 6_000]) {
      if (size === 0) continue;
      estimator.sent(size, now);
      sent += size;
    }
    const all = sent;
    now += 30;
    if (estimator.limit === PROBE_ON_THE_WAY) held.push(now);
    estimator.acknowledged(all, now);
  }
  assert(held.length < 5, `held at ${held}`);
  assert.equal(estimator.leastRoundTrip, 30);
});

test("PING and PONG keep what is known of an idle path from going stale", () => {
  for (const pings of [false, true]) {
    const estimator = new PathEstimator(0);
    assert.equal(estimator.sent(100, 0), true);
    estimator.acknowledged(100, 20);
    for (let now = 1_000; now < 60_000; now += 1_000) if (pings) estimator.confirm(20.5, now);
    assert.equal(estimator.sent(100, 60_000), !pings, "a frame asks again once it is stale");
  }
});

test("on any path the limit stays in its bounds and the sender never waits without having asked", () => {
  const stretch = fc.record({
    mbps: fc.integer({ min: 1, max: 500 }),
    base: fc.double({ min: 0.05, max: 300, noNaN: true }),
    late: fc.constantFrom(0, 0.5, 5, 50),
    time: fc.integer({ min: 1, max: 1_000 }),
    backlog: fc.constantFrom(0, 1, 3_000, 100_000, Infinity, Infinity),
  });
  const size = fc.constantFrom(700, 16 * 1024, 64 * 1024);
  fc.assert(
    fc.property(fc.array(stretch, { minLength: 1, maxLength: 6 }), size, fc.nat(), (stretches, frame, seed) => {
      const random = randoms(seed);
      let [{ mbps, base, late }] = stretches as [typeof stretches[0] & object];
      const path = { mbps: () => mbps, base: () => base, late: () => late * random() };
      const simulation = new PathSimulation(path, frame);
      for (const next of stretches) {
        ({ mbps, base, late } = next);
        simulation.backlog = next.backlog;
        const { least, most } = simulation.run(simulation.now + next.time);
        assert(!simulation.stuck, "it waits, and nobody was asked");
        assert(least >= PROBE_ON_THE_WAY && most <= MAX_ON_THE_WAY + PROBE_ON_THE_WAY, `${least} to ${most}`);
      }
    }),
    { numRuns: 60 },
  );
});

test("over any order of frames and acknowledgements, also of what was not asked for, there is room or an answer to come", () => {
  const step = fc.record({
    send: fc.integer({ min: 1, max: 70_000 }),
    control: fc.boolean(),
    acknowledge: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
    wait: fc.constantFrom(0, 0, 0.05, 1, 20, 300, 11_000),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const estimator = new PathEstimator(0);
      let [now, sent, acknowledged, asked] = [0, 0, 0, 0]; // asked: the last position that will be answered
      for (const { send, control, acknowledge, wait } of steps) {
        now += wait;
        const size = control ? Math.min(send, 300) : Math.min(send, estimator.room);
        if (size > 0) {
          sent += size;
          if (estimator.sent(size, now)) asked = sent;
        }
        if (acknowledge !== undefined) {
          acknowledged += Math.floor(acknowledge * (sent - acknowledged));
          estimator.acknowledged(acknowledged, now);
        }
        assert.equal(estimator.onTheWay, sent - acknowledged);
        assert(estimator.room > 0 || asked > acknowledged, "it waits, and nobody was asked");
        assert(estimator.limit >= PROBE_ON_THE_WAY && !Number.isNaN(estimator.limit));
      }
    }),
  );
});
