import assert from "node:assert/strict";
import fc from "fast-check";
import { MAX_ALARM_MS, SLICE_MS } from "./limits.ts";
import { systemClock } from "./clock.ts";
import { type Alarm, Timers } from "./timers.ts";
import { test } from "../tests/rig/test.ts";

/** An alarm that goes off when the test says so. */
class TestAlarm implements Alarm {
  time = 0;
  fn: (() => void) | undefined;
  due = Infinity;
  sets = 0;

  now(): number {
    return this.time;
  }

  set(ms: number, fn: () => void): () => void {
    assert.equal(this.fn, undefined, "there is one alarm at a time");
    assert(ms >= 0 && Number.isInteger(ms));
    this.fn = fn;
    this.due = this.time + ms;
    this.sets++;
    return () => {
      this.fn = undefined;
      this.due = Infinity;
    };
  }

  /** Time passes until the alarm, if it is due until then. */
  passTo(time: number): void {
    while (this.due <= time) {
      this.time = Math.max(this.time, this.due);
      const fn = this.fn!;
      this.fn = undefined;
      this.due = Infinity;
      fn();
    }
    this.time = Math.max(this.time, time);
  }
}

test("timers go off in order and never early, those that were cancelled not at all", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("set" as const), ms: fc.double({ min: 0, max: 50, noNaN: true }) }),
    fc.record({ kind: fc.constant("cancel" as const), index: fc.nat(40) }),
    fc.record({ kind: fc.constant("pass" as const), ms: fc.nat(30) }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const alarm = new TestAlarm();
    const timers = new Timers(alarm);
    const set: { due: number; cancel: () => void; isOver: boolean }[] = [];
    const gone: number[] = [];
    for (const step of steps) {
      if (step.kind === "set") {
        const index = set.length;
        const due = alarm.time + step.ms;
        const cancel = timers.after(step.ms, () => {
          assert(alarm.time >= due, "early");
          assert(!set[index]!.isOver, "twice, or after it was cancelled");
          set[index]!.isOver = true;
          gone.push(index);
        });
        set.push({ due, cancel, isOver: false });
      } else if (step.kind === "cancel") {
        const entry = set[step.index];
        entry?.cancel();
        if (entry) entry.isOver = true;
      } else alarm.passTo(alarm.time + step.ms);
      const waiting = set.filter(({ isOver }) => !isOver);
      assert.equal(timers.size, waiting.length);
      assert.equal(alarm.fn === undefined, waiting.length === 0, "an alarm is set while anything waits, and only then");
      assert(waiting.every(({ due }) => Math.ceil(due) >= alarm.time), "late");
    }
    alarm.passTo(alarm.time + 100);
    assert.equal(timers.size, 0);
    assert(set.every(({ isOver }) => isOver));
  }));
});

test("those that are due at the same time go off in the order in which they were set", () => {
  const alarm = new TestAlarm();
  const timers = new Timers(alarm);
  const gone: number[] = [];
  for (let index = 0; index < 20; index++) timers.after(5, () => gone.push(index));
  alarm.passTo(5);
  assert.deepEqual(gone, [...gone.keys()]);
  assert.equal(gone.length, 20);
});

test("a timer that sets another, and cancels a third, leaves the rest as they are", () => {
  const alarm = new TestAlarm();
  const timers = new Timers(alarm);
  const gone: string[] = [];
  const cancel = timers.after(10, () => gone.push("cancelled"));
  timers.after(10, () => gone.push("last"));
  timers.after(5, () => {
    gone.push("first");
    cancel();
    timers.after(0, () => gone.push("at once"));
  });
  alarm.passTo(20);
  assert.deepEqual(gone, ["first", "at once", "last"]);
});

test("one that fails does not keep the others from their turn", () => {
  const alarm = new TestAlarm();
  const timers = new Timers(alarm);
  let isCalled = false;
  timers.after(1, () => {
    throw new Error("as expected");
  });
  timers.after(1, () => isCalled = true);
  assert.throws(() => alarm.passTo(1), /as expected/);
  alarm.passTo(2);
  assert(isCalled);
});

test("thousands that are due at once go off in slices, so that sockets have their turns between", () => {
  const alarm = new TestAlarm();
  const timers = new Timers(alarm);
  const slices: number[] = [];
  let inSlice = 0;
  const setBefore = () => alarm.sets;
  let sets = setBefore();
  for (let index = 0; index < 5_000; index++) {
    timers.after(1, () => {
      if (alarm.sets !== sets) {
        slices.push(inSlice);
        inSlice = 0;
        sets = alarm.sets;
      }
      inSlice++;
      alarm.time += 0.01; // each costs something
    });
  }
  sets = alarm.sets;
  alarm.passTo(1_000);
  assert.equal(timers.size, 0);
  assert(slices.length >= 5, `${slices.length} slices`);
  assert(slices.every((count) => count * 0.01 <= 2 * SLICE_MS), slices.join());
});

test("setting and cancelling does not trouble the alarm while an earlier timer waits", () => {
  const alarm = new TestAlarm();
  const timers = new Timers(alarm);
  timers.after(1, () => {});
  for (let index = 0; index < 100; index++) timers.after(10_000 + index, () => {})();
  assert.equal(alarm.sets, 1);
});

test("a delay that is no number is refused, and the other timers go off as before", () => {
  const alarm = new TestAlarm();
  const timers = new Timers(alarm);
  const gone: string[] = [];
  timers.after(10, () => gone.push("before"));
  assert.throws(() => timers.after(NaN, () => gone.push("never")), TypeError);
  timers.after(5, () => gone.push("after"));
  alarm.passTo(10);
  assert.deepEqual([gone, timers.size], [["after", "before"], 0]);
});

test("a delay that the runtime's timer cannot hold is waited for in parts, and one without end for ever", () => {
  const alarm = new TestAlarm();
  const timers = new Timers(alarm);
  let gone = 0;
  const never = timers.after(Infinity, () => gone++);
  assert.equal(alarm.sets, 0);
  const ms = 3 * MAX_ALARM_MS + 5;
  timers.after(ms, () => gone++);
  assert.equal(alarm.due, MAX_ALARM_MS);
  alarm.passTo(ms - 1);
  assert.deepEqual([gone, alarm.sets], [0, 4]);
  alarm.passTo(ms);
  assert.deepEqual([gone, timers.size], [1, 1]);
  never();
});

test("the runtime's timer holds what a part has at most", async () => {
  let isGone = false;
  const cancel = systemClock.after(10 * MAX_ALARM_MS, () => isGone = true);
  await new Promise<void>((resolve) => systemClock.after(5, resolve));
  cancel();
  assert.equal(isGone, false);
});
