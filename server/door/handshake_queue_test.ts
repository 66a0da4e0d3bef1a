import assert from "node:assert/strict";
import { HANDSHAKE_TIMEOUT_MS } from "../../net/limits.ts";
import {
  HANDSHAKES_A_TURN,
  LONG_HANDSHAKE_WAIT_MS,
  MAX_HANDSHAKE_TURN_MS,
  MAX_HANDSHAKES_UNDER_WAY,
  MAX_WAITING_HANDSHAKES,
  MIN_HANDSHAKE_TURN_MS,
  STRANGER_TURN_MS,
} from "./limits.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { HandshakeQueue, type Waiting } from "./handshake_queue.ts";
import { settled } from "../../tests/rig/wait.ts";
import { test } from "../../tests/rig/test.ts";

const BOUNDS = { waiting: MAX_WAITING_HANDSHAKES, underWay: MAX_HANDSHAKES_UNDER_WAY };

/** Somebody whose handshake is over when the test says so. */
class Newcomer implements Waiting {
  readonly over = Promise.withResolvers<boolean>();
  begun = false;
  why: string | undefined;
  constructor(readonly site: string) {}
  begin(): Promise<boolean> {
    this.begun = true;
    return this.over.promise;
  }
  giveUp(why: string): void {
    this.why = why;
  }
}

/** A clock whose turns of the event loop come when the test moves on. */
class TurnClock extends FakeClock {
  override soon(fn: () => void): () => void {
    return this.after(0, fn);
  }
}

function setUp() {
  const clock = new TurnClock();
  const queue = new HandshakeQueue(clock, BOUNDS);
  const come = (count: number, site: string) =>
    Array.from({ length: count }, () => {
      const newcomer = new Newcomer(site);
      queue.enter(newcomer);
      return newcomer;
    });
  /** Turns of the event loop, each with nothing else in it. */
  const turn = (count = 1) => {
    for (let n = 0; n < count; n++) clock.jump(0);
  };
  return { clock, queue, come, turn };
}

const begun = (all: readonly Newcomer[]) => all.filter(({ begun }) => begun).length;

test("one that comes alone begins at once, and a few begin in each turn of a crowd, in order", () => {
  const { come, turn, queue, clock } = setUp();
  const [first] = come(1, "a");
  assert.equal(first!.begun, true);
  turn();
  const crowd = come(2 * HANDSHAKES_A_TURN + 1, "a");
  assert.equal(begun(crowd), HANDSHAKES_A_TURN);
  turn();
  assert.equal(begun(crowd), 2 * HANDSHAKES_A_TURN);
  assert.equal(crowd.at(-1)!.begun, false);
  turn(2);
  assert.deepEqual([begun(crowd), queue.size], [crowd.length, 0]);
  queue.close("");
  assert.equal(clock.pending, 0);
});

test("of one address so many are under way at a time, and each that is over lets another one begin", async () => {
  const { come, turn, queue } = setUp();
  const crowd = come(MAX_HANDSHAKES_UNDER_WAY + 10, "a");
  turn(MAX_HANDSHAKES_UNDER_WAY);
  assert.equal(begun(crowd), MAX_HANDSHAKES_UNDER_WAY);
  for (const newcomer of crowd.slice(0, 3)) newcomer.over.resolve(true);
  await settled();
  turn();
  assert.equal(begun(crowd), MAX_HANDSHAKES_UNDER_WAY + 3);
  queue.close("");
});

test("those who stand still hold up those behind them for a moment, and others from elsewhere not at all", () => {
  const { come, turn, queue, clock } = setUp();
  const silent = come(3 * MAX_HANDSHAKES_UNDER_WAY, "a");
  turn(MAX_HANDSHAKES_UNDER_WAY);
  const [other] = come(1, "b");
  turn();
  assert.equal(other!.begun, true);
  assert.equal(begun(silent), MAX_HANDSHAKES_UNDER_WAY);
  clock.jump(2 * MIN_HANDSHAKE_TURN_MS); // how long others take is not known yet
  turn(MAX_HANDSHAKES_UNDER_WAY);
  assert.equal(begun(silent), 2 * MAX_HANDSHAKES_UNDER_WAY);
  queue.close("");
  assert.equal(clock.pending, 0);
});

test("of many addresses each has its turn, however many come from one", () => {
  const { come, turn, queue } = setUp();
  const crowd = come(1_000, "crowd");
  const few = Array.from({ length: HANDSHAKES_A_TURN }, (_, n) => come(1, `few${n}`)[0]!);
  turn(2);
  assert.equal(begun(few), few.length);
  assert.ok(begun(crowd) <= 3 * HANDSHAKES_A_TURN);
  queue.close("");
});

test("when too many wait, the address with most has no more, and makes room for others", () => {
  const { come, queue } = setUp();
  const crowd = come(MAX_WAITING_HANDSHAKES + HANDSHAKES_A_TURN, "crowd");
  assert.equal(queue.size, MAX_WAITING_HANDSHAKES);
  const [late] = come(1, "crowd");
  assert.match(late!.why!, /2048 others wait for their handshake, most of them from crowd/);
  const [other] = come(1, "elsewhere");
  assert.deepEqual([other!.why, crowd.at(-1)!.why, queue.size], [undefined, late!.why, MAX_WAITING_HANDSHAKES]);
  queue.close("closed");
  assert.equal(other!.why, "closed");
  assert.equal(queue.size, 0);
});

test("whoever waits for too long is given up, and is not begun for nobody", () => {
  const { come, turn, queue, clock } = setUp();
  const crowd = come(MAX_HANDSHAKES_UNDER_WAY + 5, "a");
  turn(MAX_HANDSHAKES_UNDER_WAY);
  clock.jump(HANDSHAKE_TIMEOUT_MS);
  turn(2);
  assert.deepEqual(
    crowd.slice(-5).map(({ begun, why }) => [begun, why]),
    Array(5).fill([false, "its turn did not come within 10 s"]),
  );
  assert.equal(queue.size, 0);
  queue.close("");
});

test("where handshakes that go well take long, others have to take longer before they do not count", async () => {
  const { come, turn, queue, clock } = setUp();
  for (let n = 0; n < 100; n++) {
    const [slow] = come(1, "a");
    turn();
    clock.jump(MAX_HANDSHAKE_TURN_MS);
    slow!.over.resolve(true);
    await settled();
  }
  const silent = come(MAX_HANDSHAKES_UNDER_WAY + 1, "a");
  turn(MAX_HANDSHAKES_UNDER_WAY);
  clock.jump(MAX_HANDSHAKE_TURN_MS - 1);
  turn();
  assert.equal(silent.at(-1)!.begun, false);
  clock.jump(1);
  turn();
  assert.equal(silent.at(-1)!.begun, true);
  queue.close("");
});

test("where a flood of one address waits for long, those who came last have every other turn", () => {
  const { come, turn, queue, clock } = setUp();
  const flood = come(20 * MAX_HANDSHAKES_UNDER_WAY, "a");
  turn(MAX_HANDSHAKES_UNDER_WAY);
  clock.jump(LONG_HANDSHAKE_WAIT_MS + 1);
  const [late] = come(1, "a");
  turn(2);
  assert.equal(late!.begun, true);
  assert.ok(begun(flood) <= MAX_HANDSHAKES_UNDER_WAY + 3 * HANDSHAKES_A_TURN);
  queue.close("");
});

test("where nearly all from an address are silent, each of them holds up others for less and less time", async () => {
  const { come, turn, clock, queue } = setUp();
  const flood = come(8 * MAX_HANDSHAKES_UNDER_WAY, "a");
  for (let ms = 0; ms < 4 * MIN_HANDSHAKE_TURN_MS; ms += STRANGER_TURN_MS) {
    turn(MAX_HANDSHAKES_UNDER_WAY);
    clock.jump(STRANGER_TURN_MS);
  }
  turn(MAX_HANDSHAKES_UNDER_WAY);
  assert.equal(begun(flood), flood.length, "the first ones alone would have taken half of that time");
  queue.close("");
  await settled();
});

test("when descriptors run out, those make room who came last, from the address of which most wait", () => {
  const { come, turn, queue } = setUp();
  turn();
  const device = come(1, "b");
  const crowd = come(MAX_HANDSHAKES_UNDER_WAY + 20, "a");
  const [late] = come(1, "b");
  turn(MAX_HANDSHAKES_UNDER_WAY);
  queue.evict(16, "no room");
  assert.deepEqual(crowd.slice(-16).map(({ why }) => why), Array(16).fill("no room"));
  assert.deepEqual([...device, late!, ...crowd.slice(0, -16)].filter(({ why }) => why !== undefined), []);
  queue.evict(16, "no room");
  assert.equal(queue.size, 0);
  queue.evict(16, "no room");
  queue.close("");
});
