import assert from "node:assert/strict";
import { SLICE_MS } from "../../base/limits.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { ReadPauses } from "./read_pauses.ts";
import { isSettled, settled } from "../../tests/rig/wait.ts";
import { test } from "../../tests/rig/test.ts";

/** A clock whose turns of the event loop are the test's. */
class TurnClock extends FakeClock {
  readonly turns: (() => void)[] = [];

  override soon(fn: () => void): () => void {
    this.turns.push(fn);
    return () => this.turns.splice(this.turns.indexOf(fn), 1);
  }
}

/** Pauses on such a clock. */
class Fixture {
  readonly clock = new TurnClock();
  readonly turns = this.clock.turns;
  readonly pauses: ReadPauses;

  constructor() {
    this.pauses = new ReadPauses(this.clock);
    this.clock.jump(SLICE_MS); // before that, nothing is due
  }

  /** A read came: what the driver does with the time that it has. */
  read(): Promise<boolean> | false {
    const now = this.clock.now();
    return now >= this.pauses.due && this.pauses.turn(now);
  }

  turn(): void {
    for (const fn of this.turns.splice(0)) fn();
  }
}

test("who reads for longer than a slice without a turn of the event loop waits for one", async () => {
  const fixture = new Fixture();
  const { clock } = fixture;
  assert.equal(fixture.read(), false);
  clock.jump(SLICE_MS - 1);
  assert.equal(fixture.read(), false);
  clock.jump(1);
  const wait = fixture.read();
  assert(wait);
  assert.equal(await isSettled(wait), false);
  fixture.turn();
  assert.equal(await wait, true);
  assert.equal(fixture.read(), false, "it goes on for another slice");
  clock.jump(SLICE_MS);
  assert(fixture.read());
  fixture.pauses.end();
});

test("who waits for bytes anyway never waits for a turn, and asks for one a slice at most", () => {
  const fixture = new Fixture();
  let asked = 0;
  for (let n = 0; n < 100; n++) {
    assert.equal(fixture.read(), false);
    asked += fixture.turns.length;
    fixture.turn();
    fixture.clock.jump(SLICE_MS / 4);
  }
  assert.equal(asked, 25);
});

test("a turn that comes lets nobody read who is held", async () => {
  const fixture = new Fixture();
  fixture.read();
  fixture.pauses.hold();
  const held = fixture.pauses.held();
  fixture.turn();
  assert.equal(await isSettled(held), false);
  fixture.pauses.unhold();
  await held;
});

test("the end lets go of whoever waits for a turn, and of the turn", async () => {
  const fixture = new Fixture();
  fixture.read();
  fixture.clock.jump(SLICE_MS);
  const wait = fixture.read();
  fixture.pauses.end();
  assert.equal(await wait, true);
  assert.equal(fixture.turns.length, 0);
  fixture.pauses.end();
  await settled();
});

test("a read that had to wait is a turn that others had", () => {
  const fixture = new Fixture();
  const { clock, pauses, turns } = fixture;
  for (let n = 0; n < 100; n++) {
    clock.jump(SLICE_MS);
    pauses.waited(clock.now());
    assert.equal(fixture.read(), false);
  }
  assert.equal(turns.length, 0);
});
