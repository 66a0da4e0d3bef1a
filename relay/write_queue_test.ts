import assert from "node:assert/strict";
import fc from "fast-check";
import { JOIN_MAX } from "./limits.ts";
import { WriteQueue, type WriteQueueOptions } from "./write_queue.ts";
import { FakeDuplex } from "./_fakes_test.ts";
import { isSettled, settled } from "../tests/rig/wait.ts";
import { test } from "../tests/rig/test.ts";

const NOTHING = () => {};

function queueOn(duplex: FakeDuplex | undefined, options: Partial<WriteQueueOptions> = {}): WriteQueue {
  return new WriteQueue(duplex, {
    copyMax: 0,
    busyCopyMax: options.copyMax ?? 0,
    onError: (error) => assert.fail(`${error}`),
    ...options,
  });
}

function blockedDuplex(): FakeDuplex {
  const duplex = new FakeDuplex();
  duplex.blocked = true;
  return duplex;
}

type Step =
  | { readonly do: "write"; readonly size: number }
  | { readonly do: "accept"; readonly count: number }
  | { readonly do: "turn" };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("write" as const), size: fc.nat(60) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("accept" as const), count: fc.integer({ min: 1, max: 80 }) }) },
  { weight: 2, arbitrary: fc.constant<Step>({ do: "turn" }) },
);

const behaviour = fc.record({ copyMax: fc.constantFrom(0, 20, 100), busyCopyMax: fc.constantFrom(100, Infinity) });

test("bytes come out exactly once and in order, and what was borrowed is given back exactly once", async () => {
  await fc.assert(
    fc.asyncProperty(
      behaviour,
      fc.array(step, { maxLength: 60 }),
      fc.option(fc.nat(59)),
      async (behaviour, steps, attachAt) => {
        const duplex = blockedDuplex();
        const queue = queueOn(attachAt === null ? duplex : undefined, behaviour);
        const expected: number[] = [];
        const releases: number[] = [];
        let next = 0;
        for (const [at, step] of steps.entries()) {
          if (at === attachAt) queue.attach(duplex);
          if (step.do === "turn") await settled();
          else if (step.do === "accept") duplex.accept(step.count);
          else {
            const bytes = Uint8Array.from({ length: step.size }, () => next++);
            expected.push(...bytes);
            const slot = releases.length;
            const borrowed = queue.write(bytes, () => {
              releases[slot]!++;
              bytes.fill(0); // its owner may do so from here on
            });
            releases.push(borrowed ? 0 : 1);
            if (!borrowed) bytes.fill(0);
          }
        }
        if (attachAt !== null && attachAt >= steps.length) queue.attach(duplex);
        const flushed = queue.flushed();
        duplex.unblock();
        await flushed;
        assert.deepEqual([...duplex.take()], expected.map((byte) => byte & 255));
        assert.equal(queue.pending, 0);
        assert(releases.every((count) => count === 1), `releases: ${releases}`);
      },
    ),
    { numRuns: 60 },
  );
});

test("a failure is told once, and gives back what was borrowed exactly once", async () => {
  await fc.assert(
    fc.asyncProperty(behaviour, fc.array(fc.nat(60), { minLength: 1, maxLength: 20 }), async (behaviour, sizes) => {
      const duplex = blockedDuplex();
      const errors: unknown[] = [];
      const queue = queueOn(duplex, { ...behaviour, onError: (error) => errors.push(error) });
      const releases: number[] = [];
      for (const size of sizes) {
        const slot = releases.push(0) - 1;
        if (!queue.write(new Uint8Array(size), () => releases[slot]!++)) releases[slot] = 1;
      }
      const flushed = queue.flushed();
      const wanted = queue.pending > 0 ? 1 : 0;
      duplex.fail(new Error("reset"));
      await flushed;
      assert.equal(errors.length, wanted);
      assert(releases.every((count) => count === 1), `releases: ${releases}`);
      assert.equal(queue.pending, 0);
      if (wanted === 1) assert.equal(queue.write(new Uint8Array(9), () => assert.fail("released")), false);
    }),
    { numRuns: 40 },
  );
});

test("the first write goes out at once, and what comes while it is pending leaves in the next one", async () => {
  const duplex = blockedDuplex();
  const queue = queueOn(duplex, { copyMax: 100 });
  queue.write(Uint8Array.of(1), NOTHING);
  assert.equal(duplex.isWritten, true);
  for (const byte of [2, 3, 4]) queue.write(Uint8Array.of(byte), NOTHING);
  duplex.accept();
  await settled();
  assert.deepEqual([...duplex.take()], [1]);
  duplex.accept();
  await settled();
  assert.deepEqual([...duplex.take()], [2, 3, 4]);
  assert.equal(duplex.writes, 2);
});

test("a large piece is borrowed until it is written, a small one is copied at once", async () => {
  const duplex = blockedDuplex();
  const queue = queueOn(duplex, { copyMax: 4 });
  let released = false;
  assert.equal(queue.write(Uint8Array.of(1, 2, 3, 4), () => assert.fail("it was copied")), false);
  assert.equal(queue.write(Uint8Array.of(5, 6, 7, 8, 9), () => released = true), true);
  duplex.accept();
  await settled();
  duplex.accept(2);
  await settled();
  assert.equal(released, false);
  duplex.accept();
  await settled();
  assert.equal(released, true);
});

test("when everything is copied while busy, at most one piece is borrowed", () => {
  const duplex = blockedDuplex();
  const queue = queueOn(duplex, { busyCopyMax: Infinity });
  assert.equal(queue.write(new Uint8Array(10), NOTHING), true);
  assert.equal(queue.write(new Uint8Array(100_000), NOTHING), false);
  assert.equal(queueOn(undefined, { busyCopyMax: Infinity }).write(new Uint8Array(10), NOTHING), false);
});

test("pending counts what the kernel has not taken, and progress counts writes that came back", async () => {
  const duplex = blockedDuplex();
  const progress: number[] = [];
  const queue = queueOn(duplex, { onProgress: () => progress.push(queue.pending) });
  queue.write(new Uint8Array(10), NOTHING);
  queue.write(new Uint8Array(5), NOTHING);
  assert.deepEqual([queue.pending, queue.progress], [15, 0]);
  duplex.accept(4);
  await settled();
  assert.deepEqual([queue.pending, queue.progress], [11, 1]);
  duplex.unblock();
  await settled();
  assert.deepEqual([queue.pending, queue.progress], [0, 3]);
  assert.deepEqual(progress, [11, 5, 0]);
});

test("an empty write is nothing", () => {
  const duplex = blockedDuplex();
  const queue = queueOn(duplex);
  assert.equal(queue.write(new Uint8Array(0), NOTHING), false);
  assert.deepEqual([queue.pending, duplex.writes], [0, 0]);
});

test("flushed waits for what came before it, and not for what comes later", async () => {
  const duplex = blockedDuplex();
  const queue = queueOn(duplex);
  assert.equal(await isSettled(queue.flushed()), true);
  queue.write(new Uint8Array(10), NOTHING);
  const first = queue.flushed();
  queue.write(new Uint8Array(10), NOTHING);
  const second = queue.flushed();
  duplex.accept(9);
  assert.equal(await isSettled(first), false);
  duplex.accept(1);
  assert.equal(await isSettled(first), true);
  for (let n = 0; n < 9; n++) {
    queue.write(new Uint8Array(10), NOTHING); // others go on, and nobody waits longer for them
    duplex.accept(1);
    assert.equal(await isSettled(second), false);
  }
  duplex.accept(1);
  assert.equal(await isSettled(second), true);
});

test("abandon drops what waits, wakes whoever waits, and lets go of the write under way when it comes back", async () => {
  const duplex = blockedDuplex();
  const queue = queueOn(duplex);
  const released: string[] = [];
  queue.write(Uint8Array.of(1), () => released.push("under way"));
  queue.write(Uint8Array.of(2), () => released.push("waiting"));
  const waiting = [queue.flushed(), queue.flushed()];
  queue.abandon();
  queue.abandon();
  await Promise.all(waiting);
  assert.deepEqual(released, ["waiting"]);
  assert.equal(queue.pending, 0);
  duplex.close();
  await settled();
  assert.deepEqual(released, ["waiting", "under way"]);
  assert.equal(queue.write(Uint8Array.of(3), NOTHING), false);
});

test("a write that comes back after an abandon changes nothing any more", async () => {
  const duplex = blockedDuplex();
  const queue = queueOn(duplex);
  queue.write(new Uint8Array(10), NOTHING);
  queue.abandon();
  duplex.accept(4);
  await settled();
  assert.deepEqual([queue.pending, duplex.writes], [0, 1]);
});

test("a queue that was abandoned before it was attached writes nothing", async () => {
  const duplex = new FakeDuplex();
  const queue = queueOn(undefined, { busyCopyMax: Infinity });
  queue.write(Uint8Array.of(1), NOTHING);
  queue.abandon();
  queue.attach(duplex);
  await settled();
  assert.equal(duplex.writes, 0);
});

test("large amounts gathered before the attach come out whole", async () => {
  const duplex = new FakeDuplex();
  const queue = queueOn(undefined, { busyCopyMax: Infinity });
  const bytes = Uint8Array.from({ length: 150_000 }, (_, at) => at * 31 >> 3);
  for (let at = 0; at < bytes.length; at += 7_001) queue.write(bytes.slice(at, at + 7_001), NOTHING);
  assert.equal(queue.pending, bytes.length);
  queue.attach(duplex);
  await queue.flushed();
  assert.deepEqual(duplex.take(), bytes);
});

test("what is kept comes out once and in order, and pieces that stand together leave in one write", async () => {
  const duplex = blockedDuplex();
  const queue = queueOn(duplex, { copyMax: 2, busyCopyMax: 4 });
  const log = Uint8Array.from({ length: 40 }, (_, at) => at);
  queue.keep(log.subarray(0, 10)); // goes out at once
  queue.keep(log.subarray(10, 20));
  queue.keep(log.subarray(20, 30)); // right behind it
  queue.write(Uint8Array.of(100, 101), NOTHING); // a small one comes between
  queue.keep(log.subarray(30, 40));
  queue.keep(Uint8Array.of(200, 201, 202)); // of another buffer
  queue.keep(Uint8Array.of(250)); // small: copied
  assert.equal(queue.pending, 46);
  const writes: number[] = [];
  while (queue.pending > 0) {
    const before = queue.pending;
    duplex.accept(1_000);
    await settled();
    writes.push(before - queue.pending);
  }
  assert.deepEqual(writes, [10, 20, 2, 10, 3, 1]);
  assert.deepEqual([...duplex.take()], [...log.subarray(0, 30), 100, 101, ...log.subarray(30), 200, 201, 202, 250]);
});

test("what waits behind a blocked write stands in buffers that fit it, where that is asked for", async () => {
  for (const [fits, expected] of [[false, 65_536], [true, 256]] as const) {
    const duplex = blockedDuplex();
    const sizes: number[] = [];
    const write = duplex.write.bind(duplex);
    duplex.write = (bytes) => {
      sizes.push(bytes.buffer.byteLength);
      return write(bytes);
    };
    const queue = queueOn(duplex, { copyMax: 4096, busyCopyMax: Infinity, fits });
    queue.write(new Uint8Array(5_000), NOTHING); // borrowed, and blocked
    let waiting = 0;
    for (const size of [1, 3, 400, 9_000, 100_000]) {
      queue.write(new Uint8Array(size), NOTHING);
      waiting += size;
    }
    const flushed = queue.flushed();
    duplex.unblock();
    await flushed;
    assert.equal(sizes[1], expected);
    const held = sizes.slice(1).reduce((sum, size) => sum + size, 0);
    assert(held < waiting + 65_536 + (fits ? 0 : 65_536) && (!fits || held < 2 * waiting), `${held} for ${waiting}`);
  }
});

/** A duplex that takes what it can at once: so many bytes, which a test gives it. */
class PromptDuplex extends FakeDuplex {
  room = 0;
  failure: Error | undefined;
  readonly taken: number[] = [];
  /** Writes that were taken at once. */
  prompt = 0;
  /** Whether there is a pass, and what is due at its end. */
  inPass = false;
  #due: (() => void)[] = [];

  afterPass(fn: () => void): boolean {
    if (this.inPass) this.#due.push(fn);
    return this.inPass;
  }

  endPass(): void {
    this.inPass = false;
    for (const fn of this.#due.splice(0)) fn();
  }

  writeNow(bytes: Uint8Array): number {
    if (this.failure) throw this.failure;
    const count = Math.min(bytes.length, this.room);
    this.room -= count;
    if (count > 0) this.prompt++;
    this.taken.push(...bytes.subarray(0, count));
    return count;
  }

  override write(bytes: Uint8Array): Promise<number> {
    return super.write(bytes).then((count) => {
      this.taken.push(...this.take());
      return count;
    });
  }
}

/** A `step`, or what a duplex that takes at once, and its loop, may do in between. */
const loopStep = fc.oneof(
  step,
  fc.record({ do: fc.constant("room" as const), room: fc.nat(80) }),
  fc.record({ do: fc.constant("pass" as const), begins: fc.boolean() }),
  fc.record({ do: fc.constantFrom("keep" as const, "copy" as const), size: fc.nat(60) }),
);

test("what a duplex takes at once is gone at once, and bytes keep their order whatever it takes", async () => {
  const steps = fc.array(loopStep, { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(behaviour, steps, async (behaviour, steps) => {
      const duplex = new PromptDuplex();
      duplex.blocked = true;
      let told = Infinity;
      const onProgress = () => told = queue.pending;
      const queue: WriteQueue = queueOn(duplex, { ...behaviour, joins: true, onProgress });
      const expected: number[] = [];
      const releases: number[] = [];
      for (const each of steps) {
        if (each.do === "turn") await settled();
        else if (each.do === "accept") duplex.accept(each.count);
        else if (each.do === "room") duplex.room = each.room;
        else if (each.do === "pass") each.begins ? duplex.inPass = true : duplex.endPass();
        else {
          const bytes = Uint8Array.from({ length: each.size }, (_, n) => (expected.length + n) & 255);
          expected.push(...bytes);
          if (each.do === "keep") queue.keep(bytes);
          else if (each.do === "copy") (queue.copy(bytes), bytes.fill(0));
          else {
            const slot = releases.push(0) - 1;
            if (!queue.write(bytes, () => (releases[slot]!++, bytes.fill(0)))) (releases[slot] = 1, bytes.fill(0));
          }
        }
      }
      const flushed = queue.flushed();
      duplex.endPass();
      duplex.unblock();
      await flushed;
      assert.deepEqual(duplex.taken, expected);
      assert.deepEqual([queue.pending, queue.written], [0, expected.length]);
      assert(told === 0 || expected.length === 0);
      assert(releases.every((count) => count === 1), `releases: ${releases}`);
    }),
    { numRuns: 60 },
  );
});

test("a write that fails at once is told when whoever wrote has returned, and once", async () => {
  const duplex = new PromptDuplex();
  const errors: unknown[] = [];
  const queue = queueOn(duplex, { copyMax: 100, busyCopyMax: 100, onError: (error) => errors.push(error) });
  const failure = duplex.failure = new Error("reset");
  queue.write(new Uint8Array(10), NOTHING);
  queue.copy(new Uint8Array(10));
  assert.deepEqual(errors, []);
  await queue.flushed();
  assert.deepEqual([errors, queue.pending, duplex.writes], [[failure], 0, 0]);
});

test("small pieces of a pass leave in one write at its end, a large one at once and behind them", async () => {
  const duplex = new PromptDuplex();
  duplex.room = Infinity;
  const queue = queueOn(duplex, { copyMax: 4096, busyCopyMax: 4096, joins: true });
  queue.write(Uint8Array.of(1), NOTHING);
  assert.deepEqual([duplex.taken, duplex.prompt], [[1], 1], "there is no pass: nothing is to be gained");
  duplex.inPass = true;
  queue.write(Uint8Array.of(2), NOTHING);
  queue.copy(Uint8Array.of(3));
  queue.keep(Uint8Array.of(4));
  let isFlushed = false;
  queue.flushed().then(() => isFlushed = true);
  await settled();
  assert.deepEqual([duplex.prompt, queue.pending, isFlushed], [1, 3, false]);
  duplex.endPass();
  await settled();
  assert.deepEqual([duplex.taken, duplex.prompt, queue.pending, isFlushed], [[1, 2, 3, 4], 2, 0, true]);
  duplex.inPass = true;
  queue.write(Uint8Array.of(5), NOTHING);
  queue.write(new Uint8Array(JOIN_MAX + 1).fill(6), NOTHING);
  assert.equal(duplex.taken.length, 5 + JOIN_MAX + 1);
  assert.equal(duplex.taken[4], 5);
  queue.write(Uint8Array.of(7), NOTHING);
  queue.abandon();
  assert.equal(duplex.taken.at(-1), 7, "what waits for this side alone is not lost");
  duplex.endPass();
  assert.equal(duplex.taken.length, 5 + JOIN_MAX + 2);
});

test("what a pass has gathered and the system does not take goes on as any other write", async () => {
  const duplex = new PromptDuplex();
  duplex.room = 1;
  const queue = queueOn(duplex, { copyMax: 4096, busyCopyMax: 4096, joins: true });
  duplex.inPass = true;
  queue.write(Uint8Array.of(1, 2), NOTHING);
  queue.write(Uint8Array.of(3), NOTHING);
  duplex.endPass();
  queue.write(Uint8Array.of(4), NOTHING);
  await queue.flushed();
  assert.deepEqual(duplex.taken, [1, 2, 3, 4]);
});

test("whoever is told of progress, or gets bytes back, may write: it goes behind what was given before", async () => {
  const steps = fc.array(loopStep, { maxLength: 40 });
  const answers = fc.array(fc.nat(40), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(behaviour, steps, answers, async (behaviour, steps, answers) => {
      const duplex = new PromptDuplex();
      duplex.blocked = true;
      const expected: number[] = [];
      const make = (size: number) => {
        const bytes = Uint8Array.from({ length: size }, (_, n) => (expected.length + n) & 255);
        expected.push(...bytes);
        return bytes;
      };
      const answer = () => {
        const size = answers.pop();
        if (size !== undefined) queue.write(make(size), answer);
      };
      const queue: WriteQueue = queueOn(duplex, { ...behaviour, joins: true, onProgress: answer });
      for (const each of steps) {
        if (each.do === "turn") await settled();
        else if (each.do === "accept") duplex.accept(each.count);
        else if (each.do === "room") duplex.room = each.room;
        else if (each.do === "pass") each.begins ? duplex.inPass = true : duplex.endPass();
        else if (each.do === "keep") queue.keep(make(each.size));
        else if (each.do === "copy") queue.copy(make(each.size));
        else queue.write(make(each.size), answer);
        if (queue.pending > 0) queue.whenFlushed(answer);
      }
      duplex.unblock();
      while (queue.pending > 0) {
        duplex.endPass();
        await queue.flushed();
      }
      assert.deepEqual(duplex.taken, expected);
    }),
    { numRuns: 200 },
  );
});
