import assert from "node:assert/strict";
import { MAX_TAKE_OVERS, TAKE_OVER_WINDOW_MS } from "../limits.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { TakeOvers } from "./take_overs.ts";
import { test } from "../../tests/rig/test.ts";

const [A, B, C] = [1, 2, 3].map((n) => new Uint8Array(16).fill(n)) as [Uint8Array, Uint8Array, Uint8Array];

/** Take-overs by another machine, one right after the other. */
function after(count: number, clock = new FakeClock()): TakeOvers {
  const takeOvers = new TakeOvers(clock);
  for (let n = 0; n < count; n++) n % 2 === 0 ? takeOvers.note(A, B) : takeOvers.note(B, A);
  return takeOvers;
}

test("up to three take-overs between machines are let pass, and no more", () => {
  for (let count = 0; count < MAX_TAKE_OVERS; count++) assert.equal(after(count).tooMany(A, B), false);
  assert.equal(after(MAX_TAKE_OVERS).tooMany(A, B), true);
  assert.equal(after(MAX_TAKE_OVERS).tooMany(A, C), true, "a third machine is one more");
});

test("a machine that comes back to its own link is never one too many, and does not count", () => {
  const takeOvers = after(MAX_TAKE_OVERS - 1);
  for (let n = 0; n < 10; n++) takeOvers.note(A, Uint8Array.from(A));
  assert.equal(takeOvers.tooMany(A, B), false);
  assert.equal(after(MAX_TAKE_OVERS).tooMany(A, Uint8Array.from(A)), false);
});

test("what was a minute ago does not count", () => {
  const clock = new FakeClock();
  const takeOvers = after(MAX_TAKE_OVERS - 1, clock);
  clock.jump(10_000);
  takeOvers.note(A, B);
  clock.jump(TAKE_OVER_WINDOW_MS - 10_001);
  assert.equal(takeOvers.tooMany(A, B), true);
  clock.jump(1);
  assert.equal(takeOvers.tooMany(A, B), false, "two of them are too old");
  takeOvers.note(A, B);
  takeOvers.note(B, A);
  assert.equal(takeOvers.tooMany(A, B), true);
});

test("asking does not count", () => {
  const takeOvers = after(MAX_TAKE_OVERS - 1);
  for (let n = 0; n < 10; n++) assert.equal(takeOvers.tooMany(A, B), false);
});
