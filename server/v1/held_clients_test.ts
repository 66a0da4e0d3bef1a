import assert from "node:assert/strict";
import { HELD_IN_FULL, HELD_IN_FULL_BY_ALL } from "../limits.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { type Held, HeldClients, type HeldCount } from "./held_clients.ts";
import { test } from "../../tests/rig/test.ts";

const TIMEOUT = 5_000;

class Client implements Held {
  quietSince: number;
  ended = false;
  constructor(clock: FakeClock) {
    this.quietSince = clock.now();
  }
  end(): void {
    this.ended = true;
  }
}

class Fixture {
  readonly clock = new FakeClock();
  readonly count: HeldCount = { held: 0 };
  readonly held = new HeldClients(this.clock, TIMEOUT, this.count);

  add(count: number): Client[] {
    return Array.from({ length: count }, () => {
      const client = new Client(this.clock);
      this.held.add(client);
      return client;
    });
  }
}

const ended = (clients: readonly Client[]): number => clients.filter((client) => client.ended).length;

test("a few clients are held for the whole time, which is their own to see to", () => {
  const fixture = new Fixture();
  const clients = fixture.add(HELD_IN_FULL);
  assert.equal(fixture.held.hold, TIMEOUT);
  assert.equal(fixture.clock.pending, 0);
  fixture.clock.jump(TIMEOUT * 2);
  assert.equal(ended(clients), 0);
});

test("of more, each is held for its part of the time, and those that came first go first", async () => {
  const fixture = new Fixture();
  const first = fixture.add(HELD_IN_FULL);
  fixture.clock.jump(TIMEOUT / 2 + 50);
  const later = fixture.add(HELD_IN_FULL - 1);
  assert.equal(ended(first), 0);
  const [last] = fixture.add(1); // twice as many: half the time
  await fixture.clock.advance(10);
  assert.deepEqual([ended(first), ended(later), last!.ended], [1, 0, false]);
  assert.ok(fixture.held.hold > TIMEOUT / 2, "whoever has gone leaves more time to the others");
});

test("one whose service still speaks is not ended, and is seen to once it is quiet", async () => {
  const fixture = new Fixture();
  const clients = fixture.add(HELD_IN_FULL * 4);
  const [busy] = clients;
  busy!.quietSince = Infinity;
  await fixture.clock.advance(TIMEOUT);
  assert.equal(busy!.ended, false);
  assert.equal(ended(clients), HELD_IN_FULL * 3, "as many stay as are held in full");
});

test("clients that come together are looked at together", async () => {
  const fixture = new Fixture();
  let looks = 0;
  const timers = fixture.clock.after.bind(fixture.clock);
  fixture.clock.after = (ms, fn) => timers(ms, () => (looks++, fn()));
  fixture.add(HELD_IN_FULL * 10);
  await fixture.clock.advance(10);
  assert.equal(looks, 1);
  assert.equal(fixture.clock.pending, 1);
});

test("the clients of all links count together", () => {
  const fixture = new Fixture();
  fixture.count.held = HELD_IN_FULL_BY_ALL * 4;
  const [client] = fixture.add(1);
  assert.ok(fixture.held.hold < TIMEOUT / 4 + 1 && fixture.held.hold > TIMEOUT / 5);
  fixture.held.delete(client!);
  fixture.held.delete(client!);
  assert.equal(fixture.count.held, HELD_IN_FULL_BY_ALL * 4);
  assert.equal(fixture.clock.pending, 0, "a timer is left");
});

test("when descriptors run out, all that are quiet are given up, and no others", () => {
  const fixture = new Fixture();
  const clients = fixture.add(5);
  clients[2]!.quietSince = Infinity;
  fixture.held.giveUp();
  assert.deepEqual(clients.map((client) => client.ended), [true, true, false, true, true]);
  assert.equal(fixture.count.held, 1);
});
