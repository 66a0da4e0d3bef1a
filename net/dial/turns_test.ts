import assert from "node:assert/strict";
import { MAX_DIALS, MAX_SHARED_DIALS, MIN_DIALS_PER_ADDRESS } from "../limits.ts";
import { DialTurns } from "./turns.ts";
import { test } from "../../tests/rig/test.ts";

/** How many of `count` dials to an address begin at once; they stay. */
function enter(turns: DialTurns, address: string, count: number): number {
  let begun = 0;
  for (let n = 0; n < count; n++) turns.enter(address, () => begun++);
  return begun;
}

test("one address that does not answer leaves most of what others need", () => {
  const turns = new DialTurns();
  const silent = enter(turns, "silent:1", 5_000);
  assert.ok(silent >= 100 && silent < MAX_SHARED_DIALS / 2, `${silent}`);
  assert.ok(enter(turns, "good:1", 100) === 100);
});

test("however many addresses do not answer, dials to another begin at once", () => {
  const turns = new DialTurns();
  let all = 0;
  for (let n = 0; n < 255; n++) all += enter(turns, `silent:${n}`, 100);
  assert.ok(all <= MAX_SHARED_DIALS + 255 * MIN_DIALS_PER_ADDRESS);
  assert.equal(enter(turns, "good:1", MIN_DIALS_PER_ADDRESS), MIN_DIALS_PER_ADDRESS);
});

test("those to an address that answers go on, one for each that ends, while others do not answer", () => {
  const turns = new DialTurns();
  for (let n = 0; n < 100; n++) enter(turns, `silent:${n}`, 100);
  let begun = 0;
  for (let n = 0; n < 1_000; n++) turns.enter("good:1", () => begun++);
  for (let ended = 0; ended < 1_000; ended++) {
    assert.ok(begun > ended, `after ${ended}, ${begun} have begun`);
    turns.leave("good:1");
  }
  assert.equal(begun, 1_000);
});

test("addresses for which dials wait have their turns one after the other", () => {
  const turns = new DialTurns();
  const some = MAX_DIALS / MIN_DIALS_PER_ADDRESS;
  let full = 0;
  for (let n = 0; n < some; n++) full += enter(turns, `silent:${n}`, MIN_DIALS_PER_ADDRESS);
  assert.equal(full, MAX_DIALS);
  const order: string[] = [];
  for (const address of ["a", "a", "b", "b", "c"]) turns.enter(address, () => order.push(address));
  for (let n = 0; n < 5; n++) turns.leave(`silent:${n}`);
  assert.deepEqual(order, ["a", "b", "c", "a", "b"]);
});

test("there is a bound on all, and who waits is told what for", () => {
  const turns = new DialTurns();
  let all = 0;
  for (let n = 0; n < MAX_DIALS; n++) all += enter(turns, `a:${n}`, 10);
  assert.equal(all, MAX_DIALS);
  assert.equal(enter(turns, "another:1", 1), 0);
  assert.equal(turns.reason("another:1"), `${MAX_DIALS} others are under way`);
  assert.match(turns.reason("a:0"), /^\d+ others to a:0 are under way$/);
  turns.leave("a:0");
});

test("who waits no more does not begin, and nothing is remembered of it", () => {
  const turns = new DialTurns();
  const silent = enter(turns, "a", 1_000);
  let begun = false;
  const begin = () => begun = true;
  turns.enter("a", begin);
  turns.withdraw("a", begin);
  turns.withdraw("a", begin);
  turns.withdraw("nobody", begin);
  // The thousand that entered first are all those who wait.
  for (let n = 0; n < 1_000; n++) turns.leave("a");
  assert.ok(silent < 1_000);
  assert.equal(begun, false);
  assert.equal(enter(turns, "a", 5_000), silent, "as at first");
});
