import assert from "node:assert/strict";
import { SLICE_MS } from "./limits.ts";
import { eachInSlices, Turns } from "./slices.ts";
import { FakeClock } from "../tests/rig/clock.ts";
import { test } from "../tests/rig/test.ts";

/** Work that takes time; `turn` counts the turns of the event loop. */
class Fixture {
  readonly clock = new FakeClock();
  readonly turns = new Turns(this.clock);
  readonly done: { turn: number; who: number }[] = [];
  turn = 0;

  constructor() {
    const soon = this.clock.soon.bind(this.clock);
    this.clock.soon = (fn) => soon(() => (this.turn++, fn()));
  }

  async work(who: number, ms: number): Promise<void> {
    const turn = this.turns.take();
    if (turn) await turn;
    this.clock.jump(ms);
    this.done.push({ turn: this.turn, who });
  }
}

test("who comes alone begins at once, and leaves nothing behind", async () => {
  const fixture = new Fixture();
  for (let who = 0; who < 5; who++) {
    assert.equal(fixture.turns.take(), undefined);
    fixture.clock.jump(2 * SLICE_MS);
  }
  await fixture.work(1, SLICE_MS);
  assert.equal(fixture.turn, 0);
});

test("of many that come at once a slice is done in each turn of the event loop, in their order", async () => {
  const fixture = new Fixture();
  await Promise.all(Array.from({ length: 40 }, (_, who) => fixture.work(who, SLICE_MS / 4)));
  assert.deepEqual(fixture.done.map(({ who }) => who), Array.from({ length: 40 }, (_, who) => who));
  for (let turn = 0; turn < 10; turn++) {
    assert.equal(fixture.done.filter((each) => each.turn === turn).length, 4, `turn ${turn}`);
  }
});

test("one that takes long has its turn alone", async () => {
  const fixture = new Fixture();
  await Promise.all(Array.from({ length: 5 }, (_, who) => fixture.work(who, SLICE_MS)));
  assert.deepEqual(fixture.done.map(({ turn }) => turn), [0, 1, 2, 3, 4]);
});

test("at the end nobody is left waiting", async () => {
  const fixture = new Fixture();
  const all = Promise.all(Array.from({ length: 9 }, (_, who) => fixture.work(who, SLICE_MS)));
  fixture.turns.close();
  fixture.turns.close();
  await all;
  assert.equal(fixture.turn, 0);
});

test("what is done with each of many is done a slice at a time, in their order", async () => {
  const { clock } = new Fixture();
  const turns: number[][] = [[]];
  const soon = clock.soon.bind(clock);
  clock.soon = (fn) => soon(() => (turns.push([]), fn()));
  await eachInSlices([1, 2, 3, 4, 5], clock, (each) => {
    clock.jump(SLICE_MS / 2);
    turns.at(-1)!.push(each);
  });
  assert.deepEqual(turns, [[1, 2], [3, 4], [5]]);
});
