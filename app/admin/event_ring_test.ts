import assert from "node:assert/strict";
import { test } from "../../tests/rig/test.ts";
import { EventRing } from "./event_ring.ts";

const event = (device: string) => ({ type: "mode", device, mode: "run" });

test("the last events are kept, older ones are gone, and a cursor says how many", () => {
  const ring = new EventRing<ReturnType<typeof event>>(1_000, 4);
  assert.deepEqual([ring.next, ring.oldest], [1, 1]);
  for (let at = 1; at <= 6; at++) ring.add(at, event(`gw${at}`));
  assert.deepEqual([ring.next, ring.oldest], [7, 3]);
  assert.deepEqual([ring.get(2), ring.get(7)], [undefined, undefined]);
  assert.equal(ring.get(3)!.time, 3);
  assert.deepEqual(ring.placeOf(ring.cursorAt(6)), { next: 7, missed: 0 });
  assert.deepEqual(ring.placeOf(ring.cursorAt(3)), { next: 4, missed: 0 });
  assert.deepEqual(ring.placeOf(ring.cursorAt(0)), { next: 3, missed: 2 });
});

test("a cursor of another run leads to the oldest, and what is no cursor leads nowhere", () => {
  const before = new EventRing<ReturnType<typeof event>>(1_000);
  const ring = new EventRing<ReturnType<typeof event>>(2_000);
  ring.add(1, event("gw1"));
  assert.deepEqual(ring.placeOf(before.cursorAt(17)), { next: 1, missed: -1 });
  assert.deepEqual(ring.placeOf(ring.cursorAt(17)), { next: 1, missed: -1 });
  for (const text of ["", "x", "rs-", "-1", "rs-1.5", "rs-1e9", "RS-1", `rs-${"9".repeat(20)}`]) {
    assert.equal(ring.placeOf(text), undefined, text);
  }
});

test("who waits is woken once by the next event, unless that was called off", () => {
  const ring = new EventRing<ReturnType<typeof event>>(0);
  const woken: string[] = [];
  ring.whenMore(() => woken.push("a"));
  ring.whenMore(() => woken.push("b"))();
  ring.add(1, event("gw1"));
  ring.add(2, event("gw1"));
  assert.deepEqual(woken, ["a"]);
});
