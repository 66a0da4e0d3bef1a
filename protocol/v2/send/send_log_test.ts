import assert from "node:assert/strict";
import fc from "fast-check";
import {
  FEWEST_SHARES,
  FRAME_BUFFER_SIZE,
  MAX_KEPT_CONTROL,
  MAX_ON_THE_WAY,
  MIN_KEPT_CONTROL,
  SMALL_LOG_SIZE,
} from "../limits.ts";
import { concat } from "../../bytes.ts";
import { SharedBound } from "./shared_bound.ts";
import { SendLog } from "./send_log.ts";
import { giveFrame, takeFrame } from "./frame_pool.ts";
import { test } from "../../../tests/rig/test.ts";

/** What is done to a log. */
type Step =
  | { readonly kind: "keep" | "copy"; readonly size: number }
  | { readonly kind: "acknowledge"; readonly share: number }
  | { readonly kind: "unpool" | "clear" };

const size = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: FRAME_BUFFER_SIZE }));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("keep" as const), size }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("copy" as const), size }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("acknowledge" as const),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("unpool" as const, "clear" as const) }) },
);

/** The byte at a position: any other shows. */
const byteAt = (position: number): number => Math.imul(position, 0x9e3779b1) >>> 24;

/** Bytes of the stream from `position` on. */
function bytesFrom(position: number, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, at) => byteAt(position + at));
}

/** A log beside what it has to be: an array of bytes from `base` on. */
class Modelled {
  readonly budget = new SharedBound(1e6);
  readonly log = new SendLog(this.budget);
  base = 0;
  end = 0;

  do(step: Step): void {
    const { log } = this;
    switch (step.kind) {
      case "keep": {
        const frame = takeFrame();
        frame.set(bytesFrom(this.end, step.size));
        frame.fill(0xee, step.size); // what is behind it is not kept
        log.keep(frame, step.size);
        this.end += step.size;
        break;
      }
      case "copy": {
        const bytes = bytesFrom(this.end, step.size);
        const copy = log.copy(bytes);
        assert.deepEqual(copy, bytes);
        bytes.fill(0xee); // it is a copy
        this.end += step.size;
        break;
      }
      case "acknowledge":
        this.base += Math.floor((this.end - this.base) * step.share);
        log.acknowledged(this.base);
        break;
      case "unpool":
        log.unpool();
        break;
      case "clear":
        log.acknowledged(log.end);
        this.base = this.end;
    }
  }

  check(): void {
    const { log, base, end } = this;
    assert.deepEqual([log.base, log.end, log.size, this.budget.held], [base, end, end - base, log.held]);
    const buffers = new Set([...log.kept()].map(({ buffer }) => buffer));
    assert.equal([...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0), log.held, "other buffers are held");
    const kept = concat([...log.kept()]);
    assert.equal(kept.length, end - base);
    const wrong = kept.findIndex((byte, at) => byte !== byteAt(base + at));
    assert.equal(wrong, -1, `the byte at ${base + wrong} is another`);
  }
}

test("a log keeps what a plain array of bytes would, whatever is put in and acknowledged", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const modelled = new Modelled();
      for (const step of steps) {
        modelled.do(step);
        modelled.check();
      }
      modelled.log.acknowledged(modelled.log.end);
      assert.equal(modelled.budget.held, 0);
    }),
    { numRuns: 150 },
  );
});

test("buffers that others use again never show in what is kept: only acknowledged ones are given back", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const modelled = new Modelled();
      for (const step of steps) {
        modelled.do(step);
        // Somebody else takes all the buffers that are free, writes to them, and gives them back.
        const taken = Array.from({ length: 4 }, takeFrame);
        for (const buffer of taken) buffer.fill(0xdd);
        for (const buffer of taken) giveFrame(buffer);
        modelled.check();
      }
    }),
    { numRuns: 80 },
  );
});

test("small frames stand together in one buffer, and what is kept of them comes as one piece", () => {
  const log = new SendLog();
  for (let at = 0; at < 10; at++) log.copy(bytesFrom(at * 8, 8));
  const pieces = [...log.kept()];
  assert.deepEqual(pieces, [bytesFrom(0, 80)]);
  assert.equal(pieces[0]!.buffer.byteLength, SMALL_LOG_SIZE);
});

test("a log that is emptied again and again by small frames keeps to one small buffer", () => {
  const log = new SendLog();
  const buffers = new Set<ArrayBufferLike>();
  for (let at = 0; at < 100; at++) {
    buffers.add(log.copy(bytesFrom(log.end, 40)).buffer);
    log.acknowledged(log.end);
  }
  assert.equal(buffers.size, 1);
});

test("what is partly acknowledged stays where it stands, and the next small frame goes behind it", () => {
  const log = new SendLog();
  log.copy(bytesFrom(0, 100));
  log.acknowledged(40);
  log.copy(bytesFrom(100, 20));
  assert.deepEqual([...log.kept()], [bytesFrom(40, 80)]);
});

test("a buffer whose frame is acknowledged is used again; after the link's end it never is", () => {
  for (const ended of [false, true]) {
    const log = new SendLog();
    const frame = new Uint8Array(FRAME_BUFFER_SIZE);
    log.keep(frame, 20_000);
    if (ended) log.unpool();
    log.acknowledged(20_000);
    const next = takeFrame();
    assert.equal(next === frame, !ended, ended ? "it was used again" : "it was not");
    giveFrame(next);
  }
});

test("small frames of one link after the other stand in one buffer, which is never used for anything else", () => {
  const log = new SendLog();
  const before = log.copy(bytesFrom(0, SMALL_LOG_SIZE)).buffer;
  for (let link = 0; link < 100; link++) {
    log.copy(bytesFrom(log.end, 10));
    log.unpool();
  }
  assert.equal(log.held, SMALL_LOG_SIZE + FRAME_BUFFER_SIZE);
  const kept = [...log.kept()];
  assert.deepEqual(concat(kept), bytesFrom(0, SMALL_LOG_SIZE + 1_000));
  log.acknowledged(log.end);
  const next = takeFrame();
  assert(next.buffer !== before && next.buffer !== kept[1]!.buffer);
  giveFrame(next);
});

test("a frame that no buffer has room for cannot be copied", () => {
  assert.throws(() => new SendLog().copy(new Uint8Array(FRAME_BUFFER_SIZE + 1)), RangeError);
});

test("logs share a budget, which counts whole buffers: however much some hold, each may hold its share", () => {
  const budget = new SharedBound(64 * FEWEST_SHARES * FRAME_BUFFER_SIZE);
  const logs = Array.from({ length: 8 }, () => new SendLog(budget));
  const [greedy, ...others] = logs;
  greedy!.keep(new Uint8Array(FRAME_BUFFER_SIZE), 40_000);
  assert.deepEqual([greedy!.size, greedy!.held, budget.held], [40_000, FRAME_BUFFER_SIZE, FRAME_BUFFER_SIZE]);
  assert.equal(greedy!.controlLimit, MAX_KEPT_CONTROL);
  while (!budget.spent) greedy!.keep(new Uint8Array(FRAME_BUFFER_SIZE), 1);
  for (const log of others) assert.equal(log.limit, 32 * FRAME_BUFFER_SIZE);
  assert.equal(greedy!.limit, 32 * FEWEST_SHARES * FRAME_BUFFER_SIZE, "what the others leave of the common half");
  assert.equal(greedy!.controlLimit, 32 * FRAME_BUFFER_SIZE, "what waits for it is ended sooner");
  for (let at = 0; at < 2; at++) for (const log of logs) log.close();
  assert.deepEqual([budget.held, budget.spent], [0, false]);
  assert.equal(new SendLog().limit, MAX_ON_THE_WAY);
});

test("many small sessions that keep little are not held to less than what is least to be kept of control frames", () => {
  const budget = new SharedBound(FRAME_BUFFER_SIZE);
  const logs = Array.from({ length: 100 }, () => new SendLog(budget));
  logs[0]!.keep(new Uint8Array(FRAME_BUFFER_SIZE), 1);
  assert.equal(logs[1]!.controlLimit, MIN_KEPT_CONTROL);
  for (const log of logs) log.close();
});
