import assert from "node:assert/strict";
import fc from "fast-check";
import { FakeClock, test } from "../net/_fakes_test.ts";
import { HANDSHAKE_GRACE_MS, MAX_HANDSHAKES, MAX_HANDSHAKES_PER_ADDRESS } from "../net/limits.ts";
import { type Pending, PendingConnections } from "./pending.ts";

/** A connection that knows whether it was ended. */
class Newcomer implements Pending {
  evictions = 0;
  constructor(readonly host: string) {}
  evict(): void {
    this.evictions++;
  }
}

/** Lets `count` in, each from an address of its own, or all from one. */
function fill(pending: PendingConnections, count: number, host?: string): Newcomer[] {
  return Array.from({ length: count }, (_, n) => {
    const newcomer = new Newcomer(host ?? `10.0.${n >> 8}.${n & 255}`);
    assert.equal(pending.add(newcomer), undefined);
    return newcomer;
  });
}

test("one address has its share and no more, and others still get in", () => {
  const pending = new PendingConnections(new FakeClock());
  const crowd = fill(pending, MAX_HANDSHAKES_PER_ADDRESS, "10.0.0.1");
  assert.equal(pending.add(new Newcomer("10.0.0.1")), "256 others from 10.0.0.1 are in their handshake");
  assert.equal(pending.add(new Newcomer("10.0.0.2")), undefined);
  assert.equal(pending.size, MAX_HANDSHAKES_PER_ADDRESS + 1);
  assert.equal(crowd.some(({ evictions }) => evictions > 0), false);
});

test("all addresses together have their share and no more", () => {
  const pending = new PendingConnections(new FakeClock());
  fill(pending, MAX_HANDSHAKES);
  assert.equal(pending.add(new Newcomer("192.0.2.1")), "1024 others are in their handshake");
  assert.equal(pending.size, MAX_HANDSHAKES);
});

test("whoever leaves, or has proved who it is, makes room", () => {
  const pending = new PendingConnections(new FakeClock());
  const [first] = fill(pending, MAX_HANDSHAKES_PER_ADDRESS, "10.0.0.1");
  pending.remove(first!);
  pending.remove(first!); // idempotent
  assert.equal(pending.add(new Newcomer("10.0.0.1")), undefined);
  assert.match(pending.add(new Newcomer("10.0.0.1"))!, /256 others/);
  assert.equal(first!.evictions, 0);
});

test("after a moment the oldest of the same address makes room, one for each that comes", () => {
  const clock = new FakeClock();
  const pending = new PendingConnections(clock);
  const other = new Newcomer("10.0.0.9");
  pending.add(other);
  const crowd = fill(pending, MAX_HANDSHAKES_PER_ADDRESS, "10.0.0.1");
  clock.jump(HANDSHAKE_GRACE_MS - 1);
  assert.match(pending.add(new Newcomer("10.0.0.1"))!, /256 others/);
  clock.jump(1);
  for (let n = 0; n < 3; n++) assert.equal(pending.add(new Newcomer("10.0.0.1")), undefined);
  assert.deepEqual(crowd.slice(0, 4).map(({ evictions }) => evictions), [1, 1, 1, 0]);
  assert.equal(other.evictions, 0, "who comes from elsewhere is left alone, though older");
  assert.equal(pending.size, MAX_HANDSHAKES_PER_ADDRESS + 1);
});

test("when the door is full, the oldest of all makes room once it has been there for a moment", () => {
  const clock = new FakeClock();
  const pending = new PendingConnections(clock);
  const crowd = fill(pending, MAX_HANDSHAKES);
  clock.jump(HANDSHAKE_GRACE_MS);
  assert.equal(pending.add(new Newcomer("192.0.2.1")), undefined);
  assert.deepEqual([crowd[0]!.evictions, crowd[1]!.evictions], [1, 0]);
  assert.equal(pending.size, MAX_HANDSHAKES);
});

test("when all are ended, each is once, and the door is empty", () => {
  const pending = new PendingConnections(new FakeClock());
  const crowd = fill(pending, 100, "10.0.0.1");
  pending.evictAll();
  assert.equal(crowd.every(({ evictions }) => evictions === 1), true);
  assert.equal(pending.size, 0);
  pending.evictAll();
  assert.equal(crowd.every(({ evictions }) => evictions === 1), true);
});

test("whatever comes and goes, the bounds hold, and nobody is at the door who was ended or has left", () => {
  const step = fc.record({ host: fc.nat(3), leave: fc.boolean(), wait: fc.nat(400), count: fc.nat(200) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const clock = new FakeClock();
      const pending = new PendingConnections(clock);
      const inside = new Set<Newcomer>();
      for (const { host, leave, wait, count } of steps) {
        clock.jump(wait);
        for (let n = 0; n < count; n++) {
          const newcomer = new Newcomer(`10.0.0.${host}`);
          if (pending.add(newcomer) === undefined) inside.add(newcomer);
        }
        const [first] = inside;
        if (leave && first) {
          pending.remove(first);
          inside.delete(first);
        }
        for (const each of inside) if (each.evictions > 0) inside.delete(each);
        assert.equal(pending.size, inside.size);
        assert.ok(pending.size <= MAX_HANDSHAKES);
        const sameHost = [...inside].filter((each) => each.host === `10.0.0.${host}`);
        assert.ok(sameHost.length <= MAX_HANDSHAKES_PER_ADDRESS);
      }
    }),
    { numRuns: 50 },
  );
});
