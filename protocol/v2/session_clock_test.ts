import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "../../tests/rig/test.ts";
import { LAG_JUMP_MS, LAG_PERIOD_MS } from "./limits.ts";
import { SessionClock } from "./session_clock.ts";

const MAX_AGE = 200;

/** Two sides whose clocks have nothing in common but their pace, and a path between them. */
class Pair {
  now = 0;
  /** Milliseconds that the path takes. */
  path = 10;
  /** By how much the sender's clock is off, beside its beginning. */
  drift = 0;
  roundTrip = 20;
  readonly #sender = new SessionClock({ now: () => this.now + 5e6 + this.drift, wall: () => 0 }, () => Infinity);
  readonly #receiver: SessionClock;

  constructor() {
    this.now += 10; // the WELCOME is on its way
    this.#receiver = new SessionClock({ now: () => this.now, wall: () => 0 }, () => this.roundTrip);
  }

  /** Whether what was sent `age` milliseconds ago, beyond the path, is late now. */
  isLate(age: number): boolean {
    return this.#receiver.isLate(this.#sender.stamp(this.now + 5e6 + this.drift - this.path - age), MAX_AGE);
  }

  /** A datagram in time every 20 ms. @returns how many of them were late. */
  run(ms: number): number {
    let late = 0;
    for (const end = this.now + ms; this.now < end; this.now += 20) if (this.isLate(0)) late++;
    return late;
  }
}

test("what is older than it may be is late, from the first datagram on, and nothing else is", () => {
  const pair = new Pair();
  assert.equal(pair.isLate(MAX_AGE + 31), true);
  assert.equal(pair.isLate(0), false);
  assert.equal(pair.isLate(MAX_AGE), false);
  assert.equal(pair.run(60_000), 0);
  for (const age of [MAX_AGE + 31, 5_000, 3_600_000]) assert.equal(pair.isLate(age), true);
});

test("what comes out of a cut is late, however long that was, and what follows is not", () => {
  fc.assert(
    fc.property(fc.integer({ min: 300, max: 3_600_000 }), fc.integer({ min: 1, max: 500 }), (cut, burst) => {
      const pair = new Pair();
      pair.run(3_000);
      pair.now += cut;
      for (let n = 0; n < burst; n++) assert.equal(pair.isLate(cut - n % 50), true);
      assert.equal(pair.run(LAG_PERIOD_MS * 3), 0);
    }),
    { numRuns: 50 },
  );
});

test("a burst that comes out of a cut slowly is late to its end", () => {
  const pair = new Pair();
  pair.run(1_000);
  pair.now += 60_000;
  for (let age = 60_000; age > MAX_AGE + 50; age -= 30) {
    assert.equal(pair.isLate(age), true, `${age} ms`);
    pair.now += 10;
  }
});

test("clocks that drift apart lose nothing", () => {
  for (const drift of [-0.01, 0.01]) { // in 20 ms: 500 parts in a million
    const pair = new Pair();
    for (let n = 0; n < 180_000; n++) { // an hour
      pair.now += 20;
      pair.drift += drift;
      assert.equal(pair.isLate(0), false, `after ${n * 20} ms`);
    }
  }
});

test("a path that becomes slower by up to its new round trip loses nothing", () => {
  const pair = new Pair();
  pair.run(30_000);
  pair.path = 400;
  pair.roundTrip = 800;
  assert.equal(pair.run(60_000), 0);
});

test("a clock that stood still for an hour costs two periods at most", () => {
  const pair = new Pair();
  pair.run(30_000);
  pair.drift -= 3_600_000; // the sender's machine slept: what it sends looks old
  const late = pair.run(3 * LAG_PERIOD_MS);
  assert.ok(late > 0 && late <= 2 * LAG_PERIOD_MS / 20, `${late} were late`);
  assert.equal(pair.run(60_000), 0);
  pair.drift += 3_600_000; // and the other way round: what it sends looks young
  assert.equal(pair.run(60_000), 0);
  assert.equal(pair.isLate(MAX_AGE + LAG_JUMP_MS), true);
});
