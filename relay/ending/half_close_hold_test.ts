import assert from "node:assert/strict";
import { HalfCloseHold } from "./half_close_hold.ts";
import { HALF_CLOSE_LOOK_MS } from "../limits.ts";
import { FakeDuplex } from "../_fakes_test.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { settled } from "../../tests/rig/wait.ts";
import { test } from "../../tests/rig/test.ts";

const TIME = 5_000;

/** A connection whose engine tells of its reset when the test does. */
class Told extends FakeDuplex {
  tellReset: () => void = () => {};

  whenReset(fn: () => void): void {
    this.tellReset = fn;
  }
}

function held(conn: FakeDuplex, paused = false) {
  const clock = new FakeClock();
  const seen = { quiet: 0, gone: 0, writing: false };
  const hold = new HalfCloseHold({
    ...{ conn, clock, timeout: TIME },
    isWriting: () => seen.writing,
    onQuiet: () => seen.quiet++,
    onGone: () => {
      seen.gone++;
      hold.cancel();
    },
  }, paused);
  return { clock, hold, seen };
}

test("a hold is up when nothing came for its time, and what comes starts it over", async () => {
  const { clock, hold, seen } = held(new Told());
  assert.equal(hold.quietSince, clock.now());
  await clock.advance(4_000);
  hold.heard();
  assert.equal(hold.quietSince, clock.now());
  await clock.advance(TIME - 1);
  assert.equal(seen.quiet, 0);
  await clock.advance(1);
  assert.deepEqual([seen.quiet, seen.gone, clock.pending], [1, 0, 0]);
});

test("while a hold is paused, silence does not count", async () => {
  const { clock, hold, seen } = held(new Told(), true);
  await clock.advance(2 * TIME);
  assert.deepEqual([seen.quiet, hold.quietSince, clock.pending], [0, Infinity, 0]);
  hold.heard();
  hold.resume();
  await clock.advance(TIME - 1);
  hold.pause();
  await clock.advance(TIME);
  assert.equal(seen.quiet, 0);
  hold.resume();
  assert.equal(seen.quiet, 1);
  hold.cancel();
  assert.equal(clock.pending, 0);
});

test("where the engine tells of a reset, nobody looks for it, and it is known at once", () => {
  const conn = new Told();
  const { clock, hold, seen } = held(conn);
  assert.equal(clock.pending, 1, "the time alone");
  conn.tellReset();
  assert.deepEqual([seen.gone, conn.writes, clock.pending], [1, 0, 0]);
  hold.cancel();
  conn.tellReset();
  assert.equal(seen.gone, 1);
});

test("where it does not, a write of nothing shows it, unless a write is under way", async () => {
  const conn = new FakeDuplex();
  const { clock, seen } = held(conn);
  await clock.advance(HALF_CLOSE_LOOK_MS);
  assert.deepEqual([seen.gone, conn.writes], [0, 1]);
  seen.writing = true;
  await clock.advance(HALF_CLOSE_LOOK_MS);
  assert.equal(conn.writes, 1);
  seen.writing = false;
  conn.close();
  await clock.advance(HALF_CLOSE_LOOK_MS);
  await settled();
  assert.deepEqual([seen.gone, clock.pending], [1, 0]);
});
