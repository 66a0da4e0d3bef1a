import assert from "node:assert/strict";
import { FakeClock } from "../../tests/rig/clock.ts";
import { test } from "../../tests/rig/test.ts";
import { OPENING_LOOK_MS } from "../limits.ts";
import { type Opening, Openings } from "./openings.ts";

const HOUR = 3600_000;

/** A clock whose wall clock somebody may set. */
class SetClock extends FakeClock {
  set = 0;

  override wall(): number {
    return super.wall() + this.set;
  }
}

function opening(clock: SetClock): Opening {
  return { device: "gw1", service: "ssh", since: clock.wall(), until: clock.wall() + HOUR };
}

function watched(clock: SetClock, restored: readonly Opening[] = []) {
  const openings = new Openings(clock);
  const closed: string[] = [];
  openings.subscribe((change) => change.open || closed.push(change.opening.service));
  openings.restore(restored);
  return { openings, closed, isOpen: () => openings.get("gw1", "ssh") !== undefined };
}

test("an opening ends by either clock: whoever sets the time back does not make it last longer", () => {
  for (const set of [-24 * HOUR, -365 * 24 * HOUR, 0]) {
    const clock = new SetClock();
    const { openings, closed, isOpen } = watched(clock);
    openings.open(opening(clock));
    clock.set = set;
    clock.tick(HOUR - OPENING_LOOK_MS);
    assert.deepEqual([isOpen(), closed], [true, []]);
    clock.tick(2 * OPENING_LOOK_MS);
    assert.deepEqual([isOpen(), closed], [false, ["ssh"]], `${set}`);
  }
});

test("an opening ends at once where the time is set past its end", () => {
  const clock = new SetClock();
  const { openings, closed, isOpen } = watched(clock);
  openings.open(opening(clock));
  clock.set = 2 * HOUR;
  assert.equal(isOpen(), false);
  clock.tick(OPENING_LOOK_MS);
  assert.deepEqual(closed, ["ssh"]);
});

test("after a start with a clock that was not set yet, an opening lasts no longer than it was meant to at first", () => {
  const clock = new SetClock();
  const before = opening(clock);
  clock.set = -10_000 * 24 * HOUR;
  const { closed, isOpen } = watched(clock, [before]);
  assert.equal(isOpen(), true);
  clock.tick(HOUR + OPENING_LOOK_MS);
  assert.deepEqual([isOpen(), closed], [false, ["ssh"]]);
  clock.set = 0;
  const late = watched(clock, [before]);
  assert.equal(late.isOpen(), false, "and is not there any more once it is set");
});

test("devices that change names with each other, or take one after the other, keep what is open of theirs", () => {
  const clock = new FakeClock();
  const openings = new Openings(clock);
  const open = (device: string, service: string) =>
    openings.open({ device, service, since: clock.wall(), until: clock.wall() + 60_000 });
  const all = () => openings.all.map(({ device, service }) => `${device}/${service}`).sort();
  open("a", "ssh");
  open("b", "web");
  openings.rename([["a", "b"], ["b", "a"]]);
  assert.deepEqual(all(), ["a/web", "b/ssh"]);
  openings.rename([["a", "b"], ["b", "c"]]);
  assert.deepEqual(all(), ["b/web", "c/ssh"]);
  openings.stop();
});
