import assert from "node:assert/strict";
import fc from "fast-check";
import { MAX_WINDOW, START_WINDOW, V2_EARLY_CREDIT, V2_MAX_CHANNELS } from "./limits.ts";
import { ProtocolError } from "../errors.ts";
import { ReceiveWindow, WindowBudget } from "./receive_windows.ts";
import { test } from "../../tests/rig/test.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const LINK_WINDOWS = 64 * MIB;

/** Sends all that credit allows and takes it at once, again and again, `every` milliseconds. @returns the time after. */
function rush(window: ReceiveWindow, every: number, times: number, now = 0, roundTrip = every): number {
  for (let time = 0; time < times; time++) {
    now += every;
    const size = window.credit;
    assert(size > 0, "the sender is stuck");
    window.received(size);
    window.consumed(size, now, roundTrip);
  }
  return now;
}

test("a budget gives no more than it and its parent have, and has again what is given back", () => {
  const parent = new WindowBudget(100);
  const [a, b] = [new WindowBudget(80, parent), new WindowBudget(80, parent)];
  assert.deepEqual([a.take(90), b.take(90), b.take(1)], [80, 20, 0]);
  assert.deepEqual([a.granted, b.granted, parent.granted], [80, 20, 100]);
  a.give(30);
  assert.deepEqual([b.take(90), a.granted, parent.granted], [30, 50, 100]);
});

test("a channel begins with 64 KiB while little is granted, and there is some for 65,536 channels", () => {
  const process = new WindowBudget(256 * MIB);
  const budget = new WindowBudget(LINK_WINDOWS, process);
  const sizes = new Map<number, number>();
  for (let at = 0; at < V2_MAX_CHANNELS; at++) {
    const { initial } = new ReceiveWindow(budget, 0);
    sizes.set(initial, (sizes.get(initial) ?? 0) + 1);
  }
  const first = [[64 * KIB, 128], [16 * KIB, 512], [4 * KIB, 2048], [2 * KIB, 4096], [KIB, 8192]];
  assert.deepEqual([...sizes].slice(0, 5), first);
  assert.deepEqual([...sizes.keys()].slice(5), [128]);
  assert(budget.granted <= LINK_WINDOWS);
});

test("a channel for which nothing is left has to be refused", () => {
  const window = new ReceiveWindow(new WindowBudget(0), 0);
  assert.deepEqual([window.reserved, window.initial], [0, 0]);
});

test("more than was granted is an error, to the byte", () => {
  const window = new ReceiveWindow(new WindowBudget(LINK_WINDOWS), 0);
  window.received(START_WINDOW - 1);
  window.received(1);
  assert.throws(
    () => window.received(1),
    (error) => error instanceof ProtocolError && error.code === "credit-exceeded",
  );
});

test("credit goes back when the sink has taken half a window, and not on arrival", () => {
  const window = new ReceiveWindow(new WindowBudget(LINK_WINDOWS), 0);
  window.received(START_WINDOW);
  assert.equal(window.credit, 0);
  assert.equal(window.consumed(START_WINDOW / 2 - 1, 1_000, 1), 0);
  assert.equal(window.consumed(1, 1_000, 1), START_WINDOW / 2);
  assert.equal(window.credit, START_WINDOW / 2);
});

test("a window that is used up within two round trips doubles, up to 8 MiB", () => {
  for (const roundTrip of [0.1, 40, 200]) {
    const budget = new WindowBudget(LINK_WINDOWS);
    const window = new ReceiveWindow(budget, 0);
    const sizes: number[] = [];
    for (let time = 1; time <= 8; time++) {
      rush(window, roundTrip, 1, time * roundTrip);
      sizes.push(window.size / START_WINDOW);
    }
    assert.deepEqual(sizes, [2, 4, 8, 16, 32, 64, 128, 128]);
    assert.equal(window.size, MAX_WINDOW);
    assert.equal(budget.granted, MAX_WINDOW);
  }
});

test("a round trip that is not known counts as short", () => {
  const window = new ReceiveWindow(new WindowBudget(LINK_WINDOWS), 0);
  rush(window, 10, 20, 0, Infinity);
  assert.equal(window.size, START_WINDOW);
  rush(window, 1, 1, 200, Infinity);
  assert.equal(window.size, 2 * START_WINDOW);
});

test("a window grows in a few round trips to what rate and round trip need, and not far beyond", () => {
  for (const [mbps, roundTrip] of [[10, 40], [100, 40], [100, 100], [10, 200], [1_000, 1]] as const) {
    const rate = mbps * 125; // bytes per ms
    const window = new ReceiveWindow(new WindowBudget(LINK_WINDOWS), 0);
    // Credit comes to the sender half a round trip after it was given; what it sends is there as long after, at `rate`.
    const credits: [number, number][] = [[roundTrip / 2, window.initial]];
    const step = roundTrip / 50;
    let credit = 0;
    let full = 0;
    const arriving: [number, number][] = [];
    const end = 60 * roundTrip;
    for (let now = 0; now < end; now += step) {
      while (credits.length > 0 && credits[0]![0] <= now) credit += credits.shift()![1];
      const size = Math.min(credit, Math.floor(rate * step));
      credit -= size;
      if (now > 12 * roundTrip) full += size;
      if (size > 0) arriving.push([now + roundTrip / 2, size]);
      while (arriving.length > 0 && arriving[0]![0] <= now) {
        const [, bytes] = arriving.shift()!;
        window.received(bytes);
        const more = window.consumed(bytes, now, roundTrip);
        if (more > 0) credits.push([now + roundTrip / 2, more]);
      }
    }
    const possible = rate * 48 * roundTrip;
    assert(full >= 0.97 * possible, `${mbps} Mbit/s, ${roundTrip} ms: ${full / possible} of the rate`);
    const needed = Math.max(START_WINDOW, rate * (2 * roundTrip + 5));
    assert(window.size <= 2 * needed, `${window.size} for ${needed} bytes`);
  }
});

test("a slow sink holds its own sender back, with no more held than was granted", () => {
  const budget = new WindowBudget(LINK_WINDOWS);
  const window = new ReceiveWindow(budget, 0);
  rush(window, 1, 10);
  let held = window.credit;
  window.received(held);
  for (let now = 1_000; now < 60_000; now += 1_000) {
    const size = Math.min(10_000, held);
    window.consumed(size, now, 1);
    held -= size;
    assert(budget.granted >= held + window.credit);
    held += window.credit;
    window.received(window.credit);
  }
});

test("a window that is idle or slow returns to 64 KiB, and the budget has the rest again", () => {
  const budget = new WindowBudget(LINK_WINDOWS);
  const window = new ReceiveWindow(budget, 0);
  let now = rush(window, 1, 12);
  assert.equal(budget.granted, MAX_WINDOW);
  while (window.credit > START_WINDOW) {
    now += 1_000;
    const size = Math.min(START_WINDOW, window.credit);
    window.received(size);
    assert.equal(window.consumed(size, now, 1), 0, "no credit beyond what it is to be");
  }
  for (let time = 0; time < 4; time++) {
    now += 1_000;
    window.received(START_WINDOW / 2);
    window.consumed(START_WINDOW / 2, now, 1);
  }
  assert.equal(window.size, START_WINDOW);
  assert(budget.granted <= START_WINDOW);
});

test("channels that all want all share the budget evenly, and leave room for the next", () => {
  const budget = new WindowBudget(LINK_WINDOWS);
  const windows = Array.from({ length: 40 }, () => new ReceiveWindow(budget, 0));
  for (let now = 1; now < 40; now++) for (const window of windows) rush(window, 0, 1, now, 1);
  const sizes = windows.map((window) => window.size);
  assert(Math.max(...sizes) <= 1.5 * Math.min(...sizes), `${Math.min(...sizes)} to ${Math.max(...sizes)}`);
  assert(Math.min(...sizes) >= MIB, `${Math.min(...sizes)} bytes`);
  assert(budget.granted < LINK_WINDOWS * 7 / 8);
  assert(new ReceiveWindow(budget, 0).initial > 0);
});

test("a window that began small grows when the budget recovers", () => {
  const budget = new WindowBudget(LINK_WINDOWS);
  const others = Array.from({ length: 5_000 }, () => new ReceiveWindow(budget, 0));
  while (budget.granted < LINK_WINDOWS * 7 / 8) others.push(new ReceiveWindow(budget, 0));
  const window = new ReceiveWindow(budget, 0);
  assert.equal(window.initial, 128);
  rush(window, 1, 20);
  assert.equal(window.size, 128);
  for (const other of others) {
    other.close();
    other.close();
  }
  assert.equal(budget.granted, 128);
  rush(window, 1, 20, 2_000);
  assert.equal(window.size, MAX_WINDOW);
});

test("what a window began with stays its own, whatever others take meanwhile", () => {
  const budget = new WindowBudget(4 * START_WINDOW);
  const window = new ReceiveWindow(budget, 0);
  window.received(START_WINDOW);
  assert.equal(window.consumed(START_WINDOW / 4, 1_000, 1), 0);
  budget.take(4 * START_WINDOW);
  assert.equal(window.consumed(START_WINDOW / 4, 2_000, 1), START_WINDOW / 2);
  assert.equal(window.consumed(START_WINDOW / 2, 3_000, 1), START_WINDOW / 2);
  assert.equal(window.credit, START_WINDOW);
});

test("what comes before the peer has heard of its window is taken, and given back when it is consumed", () => {
  const ample = new WindowBudget(LINK_WINDOWS);
  const window = new ReceiveWindow(ample, 0, V2_EARLY_CREDIT);
  assert.equal(window.initial, START_WINDOW);
  assert.equal(window.credit, V2_EARLY_CREDIT, "no more before it is told");
  window.received(V2_EARLY_CREDIT);
  assert.throws(() => window.received(1), /Cannot take/);
  window.tell();
  assert.equal(window.credit, START_WINDOW - V2_EARLY_CREDIT);

  const short = new WindowBudget(4 * KIB);
  const small = new ReceiveWindow(short, 0, V2_EARLY_CREDIT);
  assert(small.initial > 0 && small.initial < V2_EARLY_CREDIT);
  assert.equal(small.credit, V2_EARLY_CREDIT);
  small.received(10_000);
  small.tell();
  assert.equal(small.credit, V2_EARLY_CREDIT - 10_000, "what was on its way is taken");
  let credit = small.initial - 10_000; // what the peer makes of it when it hears of the window
  credit += small.consumed(4_000, 1, 1);
  credit += small.consumed(6_000, 1, 1);
  assert(credit > 0, `the peer is left with ${credit}`);
  assert(short.granted <= 4 * KIB);
  assert.throws(() => small.received(V2_EARLY_CREDIT), /Cannot take/);
});

test("however much one link's channels take, another link has its share: windows that begin and grow as ever", () => {
  const process = new WindowBudget(512 * MIB);
  const greedy = Array.from({ length: 12 }, () => new WindowBudget(LINK_WINDOWS, process));
  for (let now = 1; now < 40; now++) {
    for (const link of greedy) for (let at = 0; at < 40; at++) rush(new ReceiveWindow(link, now), 0, 12, now, 1);
  }
  assert(process.granted <= 512 * MIB);
  const link = new WindowBudget(LINK_WINDOWS, process);
  const window = new ReceiveWindow(link, 0);
  assert.equal(window.initial, START_WINDOW);
  rush(window, 1, 20);
  assert(window.size >= 2 * MIB, `${window.size} bytes`);
  assert(new ReceiveWindow(link, 0).initial >= 2 * KIB);
  for (const each of [...greedy, link, link]) each.close();
});

test("what is held beyond the windows counts against them, bound or not, until it is given back", () => {
  const process = new WindowBudget(512 * MIB);
  const link = new WindowBudget(LINK_WINDOWS, process);
  link.charge(80 * MIB);
  assert.deepEqual([link.granted, process.granted, link.largest, link.take(1)], [80 * MIB, 80 * MIB, 0, 0]);
  link.give(80 * MIB);
  assert.equal(link.first, START_WINDOW);
});

test("over any schedule of any channels: the bounds hold, honest senders pass, and nobody comes to a stand", () => {
  const step = fc.record({
    who: fc.integer({ min: 0, max: 11 }),
    act: fc.constantFrom("send", "send", "take", "take", "take", "close"),
    part: fc.double({ min: 0, max: 1, noNaN: true }),
    wait: fc.constantFrom(0, 0, 0.1, 1, 30, 1_000),
  });
  const bounds = fc.constantFrom(100_000, MIB, 20 * MIB);
  fc.assert(
    fc.property(bounds, bounds, fc.array(step, { maxLength: 400 }), fc.boolean(), (own, whole, steps, early) => {
      const process = new WindowBudget(whole);
      const budgets = [new WindowBudget(own, process), new WindowBudget(own, process)];
      const open = new Map<number, { window: ReceiveWindow; credit: number; held: number; deaf: boolean }>();
      let now = 0;
      for (const { who, act, part, wait } of steps) {
        now += wait;
        let side = open.get(who);
        if (!side) {
          const ahead = early ? V2_EARLY_CREDIT : 0;
          const window = new ReceiveWindow(budgets[who % 2]!, now, ahead);
          if (window.reserved === 0) {
            window.close();
            continue;
          }
          side = { window, credit: early ? ahead : window.initial, held: 0, deaf: early };
          open.set(who, side);
        }
        const { window } = side;
        if (act === "send") {
          const size = Math.ceil(part * Math.max(0, side.credit));
          side.credit -= size;
          side.held += size;
          window.received(size);
        } else if (act === "take") {
          const size = Math.ceil(part * side.held);
          side.held -= size;
          if (side.deaf) side.credit += window.initial - V2_EARLY_CREDIT; // now it hears of its window
          if (side.deaf) window.tell();
          side.deaf = false;
          side.credit += window.consumed(size, now, 10);
          if (side.held === 0) assert(side.credit > 0, "all was consumed and the sender is stuck");
        } else {
          window.close();
          open.delete(who);
        }
        let granted = 0;
        let ahead = 0;
        for (const each of open.values()) {
          assert(each.window.credit >= each.credit);
          if (!early) assert.equal(each.window.credit, each.credit);
          granted += Math.max(0, each.credit) + each.held;
          if (early) ahead += V2_EARLY_CREDIT;
        }
        assert(granted <= process.granted + ahead, "more is granted than the budgets know of");
        assert(process.granted <= whole);
        assert.equal(process.granted, budgets[0]!.granted + budgets[1]!.granted);
        for (const budget of budgets) assert(budget.granted <= own);
      }
      for (const { window } of open.values()) window.close();
      assert.equal(process.granted, 0);
    }),
  );
});
