/**
 * Both ends of v2 sessions in virtual time: `tests/rig/sim`, a short run of it; and proof that it notices what is wrong.
 *
 * @module
 */

import assert from "node:assert/strict";
import { ReceiveWindow } from "../protocol/v2/receive_windows.ts";
import { SendLog } from "../protocol/v2/send/send_log.ts";
import { V2Decoder } from "../protocol/v2/wire/decoder.ts";
import { V2Sender } from "../protocol/v2/send/sender.ts";
import { PathEstimator } from "../protocol/v2/send/path_estimator.ts";
import { Epochs } from "../device/v2/epochs.ts";
import { NewestLink } from "../server/v2/newest_link.ts";
import { type Fault, type Plan, planOf } from "./rig/sim/plan.ts";
import { type Outcome, type Sabotage, simulate } from "./rig/sim/world.ts";
import { test } from "./rig/test.ts";

/** Runs of the short simulation. */
const RUNS = 200;

/** Runs in which a fault of the code has to be noticed; it is within a few, mostly. */
const MUTANT_RUNS = 60;

test("a few hundred sessions through cuts, restarts and expirations: every byte arrives once and in order, and nothing is left", async () => {
  const first = Math.floor(Math.random() * 2 ** 31);
  let resumes = 0;
  for (let seed = first; seed < first + RUNS; seed++) {
    const outcome = await simulate(planOf(seed));
    assert.equal(outcome.failure, undefined, `to repeat it: deno task sim -- --seed ${seed} --trace`);
    resumes += outcome.resumes;
  }
  assert(resumes > RUNS / 4, `${resumes} resumes: nothing was tried`);
});

test("a seed says all that happens in a run: the same again, and another for another", async () => {
  const hashes = new Set<string>();
  for (let seed = 1; seed <= 8; seed++) {
    const [once, again] = [await simulate(planOf(seed)), await simulate(planOf(seed))];
    assert.deepEqual(again.lines, once.lines);
    assert.equal(again.hash, once.hash);
    hashes.add(once.hash);
  }
  assert.equal(hashes.size, 8);
});

/** What the model says first of code that is wrong, in runs of plans that may bring it to light. */
async function caught(
  { sabotage = {}, planned = planOf, broken = (run) => run() }: {
    readonly sabotage?: Sabotage;
    readonly planned?: (seed: number) => Plan;
    /** Runs something with code that is wrong. */
    readonly broken?: (run: () => Promise<Outcome>) => Promise<Outcome>;
  },
): Promise<string> {
  for (let seed = 1; seed <= MUTANT_RUNS; seed++) {
    const { failure } = await broken(() => simulate(planned(seed), sabotage));
    if (failure === undefined) continue;
    assert.equal((await simulate(planned(seed))).failure, undefined, "it is the code that is wrong, not the plan");
    return failure;
  }
  return "nothing";
}

/** The plan of a seed in which this goes wrong again and again, and nothing else. */
function again(fault: Fault): (seed: number) => Plan {
  const faults = Array.from({ length: 20 }, (_, at) => ({ at: 500 + 531 * at, fault }));
  return (seed) => ({ ...planOf(seed), faults, expiration: { server: 15_000, device: 15_000 } });
}

/** The same while a method of a class is another one. */
function caughtWith<T extends object, K extends keyof T>(
  prototype: T,
  name: K,
  other: T[K],
  planned = planOf,
): Promise<string> {
  const own = prototype[name];
  return caught({
    planned,
    broken: async (run) => {
      prototype[name] = other;
      try {
        return await run();
      } finally {
        prototype[name] = own;
      }
    },
  });
}

const SLOW: Plan["network"] = { latency: 1, rate: 100, late: 0, cuts: false };
const BULK: Plan["users"][number] = {
  at: 200,
  client: { total: 0, piece: 1, pause: 0, slow: 0 },
  service: { total: 1_000_000, piece: 65_000, pause: 0, slow: 0 },
  dial: 0,
  refuse: false,
  quit: undefined,
};

const { kept, acknowledged } = SendLog.prototype;
const { attach } = V2Sender.prototype;

test("the simulation notices a replay that drops one byte", async () => {
  const found = await caughtWith(SendLog.prototype, "kept", function* (this: SendLog) {
    let first = true;
    for (const bytes of kept.call(this)) {
      yield first ? bytes.subarray(1) : bytes;
      first = false;
    }
  });
  assert.notEqual(found, "nothing");
});

test("the simulation notices a replay that sends one piece twice", async () => {
  const found = await caughtWith(SendLog.prototype, "kept", function* (this: SendLog) {
    const [first, ...rest] = kept.call(this);
    if (first) yield* [first, first, ...rest];
  });
  assert.notEqual(found, "nothing");
});

test("the simulation notices a decoder that does not forget half a header of the old link", async () => {
  assert.notEqual(await caughtWith(V2Decoder.prototype, "resume", () => {}), "nothing");
});

test("the simulation notices frames of a fenced link that are applied", async () => {
  assert.notEqual(await caught({ sabotage: { noFence: true }, planned: again({ kind: "move" }) }), "nothing");
});

const LATE: readonly Fault[] = [{ kind: "cut", ways: ["up", "down"], noticed: "both" }, { kind: "late-dial", ms: 900 }];

/** The plan of a seed in which links are given up, and their words come late. */
function lateLinks(hasEpochs: boolean): (seed: number) => Plan {
  return (seed) => {
    const plan = again({ kind: "move" })(seed);
    const faults = plan.faults.map(({ at }, turn) => ({ at, fault: LATE[turn % 2]! }));
    return { ...plan, faults, epochs: { server: hasEpochs, device: hasEpochs } };
  };
}

const TAKEN_BY_A_LATE_ONE = /ended on the server \(replaced\): the other side still has it/;

test("the simulation notices an old link that is taken for a new one", async () => {
  const found = await caught({ sabotage: { takesLateLinks: true }, planned: lateLinks(false) });
  assert.match(found, TAKEN_BY_A_LATE_ONE);
});

test("epochs alone tell an old link from a new one, and the simulation notices a server that does not look at them", async () => {
  const sabotage = { takesLateLinks: true };
  assert.equal(await caught({ sabotage, planned: lateLinks(true) }), "nothing");
  const blind = (order: number) => order > 0;
  assert.match(await caughtWith(NewestLink.prototype, "take", blind, lateLinks(true)), TAKEN_BY_A_LATE_ONE);
});

test("the simulation notices a device that does not raise its epoch", async () => {
  const always = () => 1_700_000_000_000;
  assert.notEqual(await caughtWith(Epochs.prototype, "next", always, lateLinks(true)), "nothing");
});

test("a device whose clock was set back comes in, and the simulation notices one that does not heed what the server has seen", async () => {
  const planned = (seed: number): Plan => ({
    ...again({ kind: "restart", who: "device", silent: seed % 2 === 0, pause: 200 })(seed),
    ...{ epochs: { server: true, device: true }, losesClock: true },
  });
  assert.notEqual(await caughtWith(Epochs.prototype, "seen", () => false, planned), "nothing");
});

test("the simulation notices bytes that are never let go of", async () => {
  const found = await caughtWith(SendLog.prototype, "acknowledged", function (this: SendLog, position: number) {
    acknowledged.call(this, Math.max(this.base, position - 1));
  });
  assert.notEqual(found, "nothing");
});

test("the simulation notices a path that is let hold more than it may", async () => {
  const room = Object.getOwnPropertyDescriptor(PathEstimator.prototype, "room")!;
  const found = await caught({
    planned: (seed) => ({ ...planOf(seed), users: Array(8).fill(BULK), network: SLOW, faults: [] }),
    broken: async (run) => {
      Object.defineProperty(PathEstimator.prototype, "room", { ...room, get: () => 65_536 });
      try {
        return await run();
      } finally {
        Object.defineProperty(PathEstimator.prototype, "room", room);
      }
    },
  });
  assert.match(found, /keeps \d+ bytes/);
});

test("the simulation notices credit that is not given back", async () => {
  assert.match(await caughtWith(ReceiveWindow.prototype, "close", () => {}), /granted/);
});

test("the simulation notices a session that gives up what it kept when a link is lost", async () => {
  const found = await caughtWith(V2Sender.prototype, "attach", function (this: V2Sender, path, position) {
    return attach.call(this, path, Math.max(position, this.position - 1));
  });
  assert.notEqual(found, "nothing");
});

test("the simulation notices a session that keeps its bytes beyond its end", async () => {
  assert.match(await caughtWith(V2Sender.prototype, "close", V2Sender.prototype.detach), /kept by|keeps/);
});

test("docs/resume.md names tests that there are", async () => {
  const root = new URL("../", import.meta.url);
  const text = await Deno.readTextFile(new URL("docs/resume.md", root));
  const named = [...text.matchAll(/`([\w/]+_test\.ts)`(?:: "([^"]+)")?/g)];
  assert(named.length > 15, `${named.length} names`);
  for (const [, file = "", name = ""] of named) {
    assert((await Deno.readTextFile(new URL(file, root))).includes(name), `${file} has no test "${name}"`);
  }
});
