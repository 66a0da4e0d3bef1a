import assert from "node:assert/strict";
import fc from "fast-check";
import { HANDSHAKE_GRACE_MS } from "../limits.ts";
import { MAX_PROVED_ADDRESSES, PROVED_ADDRESS_MS, PROVED_ADDRESS_WEIGHT } from "./limits.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { type Pending, PendingConnections } from "./pending_connections.ts";
import { test } from "../../tests/rig/test.ts";

/** A connection that knows whether it was ended. */
class Newcomer implements Pending {
  evictions = 0;
  constructor(readonly host: string) {}
  evict(): void {
    this.evictions++;
  }
}

const MAX = 64;

/** Numbers in [0, 1) that are the same in each run. */
function chance(seed = 1): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

class Door extends PendingConnections {
  readonly clock: FakeClock;
  constructor(max = MAX) {
    const clock = new FakeClock();
    super(clock, { most: () => max, grace: HANDSHAKE_GRACE_MS }, chance());
    this.clock = clock;
  }

  /** Lets one in. */
  enter(host: string): Newcomer {
    const newcomer = new Newcomer(host);
    assert.equal(this.add(newcomer), undefined);
    return newcomer;
  }

  /** Lets `count` in, from addresses of their own unless `host` is a text. */
  fill(count: number, host: string | ((n: number) => string)): Newcomer[] {
    return Array.from({ length: count }, (_, n) => this.enter(typeof host === "string" ? host : host(n)));
  }
}

const ended = (all: readonly Newcomer[]): number => all.filter(({ evictions }) => evictions > 0).length;
const own = (n: number): string => `10.1.${n >> 8}.${n & 255}`;

test("while there is room, one address may have all of it: a fleet behind one address comes in together", () => {
  const door = new Door();
  const fleet = door.fill(MAX, "192.0.2.1");
  assert.equal(door.add(new Newcomer("192.0.2.1")), "64 others are at the door, 64 of them from 192.0.2.1");
  assert.equal(ended(fleet), 0, "whoever moves on is not pushed out by more of his own address");
  assert.equal(door.size, MAX);
});

test("when there is none, the address that has most makes room for another, at once", () => {
  const door = new Door();
  const crowd = door.fill(MAX - 1, "192.0.2.1");
  const slow = door.enter("192.0.2.2");
  const more = door.fill(20, "192.0.2.3");
  assert.equal(ended(crowd), 20);
  assert.equal(ended([slow, ...more]), 0);
  assert.equal(door.size, MAX);
});

test("addresses that come by the hundreds share what there is, and a slow device beside them is left alone", () => {
  const door = new Door();
  const slow = door.enter("192.0.2.1");
  for (let n = 0; n < MAX * 50; n++) {
    door.clock.jump(HANDSHAKE_GRACE_MS / MAX);
    door.add(new Newcomer(`10.0.0.${n % 8}`));
  }
  assert.equal(slow.evictions, 0);
  assert.equal(door.size, MAX);
});

for (
  const [what, host] of [
    ["a /64 of IPv6", (n: number) => `[fd77::${n + 1}]`],
    ["a /56 of IPv6", (n: number) => `[fd77:0:0:${(n % 256).toString(16)}::${n + 1}]`],
    ["an IPv4 address, written as IPv6 too,", (n: number) => n % 2 ? "[::ffff:192.0.2.9]" : "192.0.2.9"],
  ] as const
) {
  test(`${what} counts as one address`, () => {
    const door = new Door();
    const slow = [door.enter("[fd78::1]"), door.enter("192.0.2.1")];
    const crowd = door.fill(MAX - 2, host);
    const late = door.fill(10, (n) => n % 2 ? own(n) : `[fd79:0:${n}::1]`);
    assert.equal(ended(crowd), 10);
    assert.match(door.add(new Newcomer(host(MAX + 1)))!, /64 others are at the door, 52 of them from /);
    door.clock.jump(HANDSHAKE_GRACE_MS);
    for (let n = 0; n < MAX * 10; n++) {
      assert.equal(typeof door.add(new Newcomer(host(n + MAX))), n < 52 ? "undefined" : "string");
    }
    assert.equal(ended([...slow, ...late]), 0);
  });
}

test("within a /56, the /64 that has most makes room for another", () => {
  const door = new Door();
  const device = door.enter("[fd77:0:0:1::1]");
  const crowd = door.fill(MAX - 1, (n) => `[fd77:0:0:2::${n + 1}]`);
  const late = door.enter("[fd77:0:0:3::1]");
  assert.equal(ended(crowd), 1);
  assert.equal(ended([device, late]), 0);
});

test("of one address, who has stood still for a while makes room; who has just moved on does not", () => {
  const door = new Door();
  const crowd = door.fill(MAX, "192.0.2.1");
  door.clock.jump(HANDSHAKE_GRACE_MS - 1);
  assert.match(door.add(new Newcomer("192.0.2.1"))!, /64 others/);
  for (const each of crowd.slice(0, MAX - 3)) door.progressed(each);
  door.clock.jump(1);
  door.fill(3, "192.0.2.1");
  assert.match(door.add(new Newcomer("192.0.2.1"))!, /64 others/);
  assert.deepEqual([ended(crowd), ended(crowd.slice(MAX - 3))], [3, 3]);
});

test("who has come further in the handshake outlasts a crowd of silent ones from the same address", () => {
  const door = new Door();
  const far = door.enter("192.0.2.1");
  door.progressed(far);
  door.fill(MAX - 1, "192.0.2.1");
  for (let n = 0; n < MAX * 5; n++) {
    door.clock.jump(HANDSHAKE_GRACE_MS);
    door.enter("192.0.2.1");
  }
  assert.equal(far.evictions, 0);
});

test("a slow one from the address of a crowd has its chance: the oldest is not the first to go", () => {
  let survived = 0;
  const door = new Door();
  for (let round = 0; round < 200; round++) {
    const slow = door.enter("192.0.2.1");
    while (door.size < MAX) door.enter("192.0.2.1");
    door.clock.jump(HANDSHAKE_GRACE_MS);
    door.fill(MAX / 2, "192.0.2.1");
    if (slow.evictions === 0) survived++;
    door.evictAll();
  }
  assert.ok(survived > 60 && survived < 160, `${survived} of 200`);
});

test("where each has an address of its own, only who stands still makes room, and never the newest by order", () => {
  const door = new Door();
  const crowd = door.fill(MAX, own);
  assert.equal(door.add(new Newcomer("192.0.2.1")), "64 others are at the door");
  door.clock.jump(HANDSHAKE_GRACE_MS);
  assert.equal(door.add(new Newcomer("192.0.2.1")), undefined);
  assert.equal(ended(crowd), 1);
});

test("an address from which a device proved its key weighs less, for a while", () => {
  for (const [age, pushedOut] of [[0, 0], [PROVED_ADDRESS_MS - 1, 0], [PROVED_ADDRESS_MS, 4]] as const) {
    const door = new Door();
    door.proved(new Newcomer("192.0.2.1"));
    door.clock.jump(age);
    const fleet = door.fill(PROVED_ADDRESS_WEIGHT * 2, "192.0.2.1");
    door.fill(MAX - fleet.length, (n) => own(n >> 2)); // four from each
    door.fill(4, (n) => own(200 + n));
    assert.equal(ended(fleet), pushedOut, `after ${age} ms`);
  }
});

test("not more addresses are remembered as proved than is bounded, the latest ones", () => {
  const door = new Door();
  for (let n = 0; n <= MAX_PROVED_ADDRESSES; n++) door.proved(new Newcomer(own(n)));
  const forgotten = door.fill(2, own(0));
  const known = door.fill(2, own(1));
  door.fill(MAX - 4, (n) => own(10_000 + n));
  door.enter("192.0.2.1");
  assert.deepEqual([ended(forgotten), ended(known)], [1, 0]);
});

test("whoever leaves makes room, and who was ended leaves no trace", () => {
  const door = new Door();
  const [first] = door.fill(MAX, "192.0.2.1");
  door.remove(first!);
  door.remove(first!); // idempotent
  door.progressed(first!);
  door.enter("192.0.2.1");
  assert.match(door.add(new Newcomer("192.0.2.1"))!, /64 others/);
  assert.equal(first!.evictions, 0);
});

test("when all are ended, each is once, and the door is empty", () => {
  const door = new Door();
  const crowd = door.fill(MAX, "192.0.2.1");
  door.evictAll();
  door.evictAll();
  assert.equal(crowd.every(({ evictions }) => evictions === 1), true);
  assert.equal(door.size, 0);
  door.fill(MAX, own);
});

test("whatever comes and goes, the bound holds, nobody is at the door who left, and a lone one is never pushed out", () => {
  const step = fc.record({
    host: fc.nat(5),
    leave: fc.boolean(),
    wait: fc.nat(800),
    count: fc.nat(40),
    proved: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.nat(1_000), (steps, seed) => {
      const clock = new FakeClock();
      const door = new PendingConnections(clock, { most: () => MAX, grace: HANDSHAKE_GRACE_MS }, chance(seed + 1));
      const lone = new Newcomer("192.0.2.1");
      door.add(lone);
      const inside = new Set<Newcomer>();
      for (const { host, leave, wait, count, proved } of steps) {
        clock.jump(wait);
        for (let n = 0; n < count; n++) {
          const newcomer = new Newcomer(host < 3 ? `10.0.0.${host}` : `fd77:0:0:${host}::${n}`);
          if (door.add(newcomer) === undefined) inside.add(newcomer);
          if (n % 3 === 0) door.progressed(newcomer);
        }
        for (const each of inside) if (each.evictions > 0) inside.delete(each);
        const [first] = inside;
        if (first && proved) door.proved(first);
        if (first && leave) {
          door.remove(first);
          inside.delete(first);
        }
        assert.equal(door.size, inside.size + 1);
        assert.ok(door.size <= MAX);
        assert.equal(lone.evictions, 0);
      }
    }),
    { numRuns: 100 },
  );
});

test("when descriptors run out, the addresses that have most make room, and a lone one last", () => {
  const door = new Door();
  const lone = door.enter("192.0.2.9");
  const crowd = door.fill(20, "192.0.2.1");
  const fewer = door.fill(10, "192.0.2.2");
  door.evict(16);
  assert.deepEqual([ended(crowd) > 10, ended(crowd) + ended(fewer), lone.evictions], [true, 16, 0]);
  door.evict(100);
  assert.deepEqual([door.size, lone.evictions], [0, 1]);
  door.evict(1);
});
