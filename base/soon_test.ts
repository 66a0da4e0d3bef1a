import assert from "node:assert/strict";
import { SLICE_MS } from "./limits.ts";
import { Soon } from "./soon.ts";
import { settled } from "../tests/rig/wait.ts";
import { test } from "../tests/rig/test.ts";

/** An event loop whose turns come when the test says so. */
class Fixture {
  time = 0;
  alarms: (() => void)[] = [];
  readonly soon = new Soon({
    now: () => this.time,
    set: (ms, fn) => {
      assert.equal(ms, 0);
      this.alarms.push(fn);
      return () => this.alarms = this.alarms.filter((each) => each !== fn);
    },
  });
  readonly done: string[] = [];

  /** Puts off work that takes `ms`. */
  put(name: string, ms = 0): () => void {
    return this.soon.call(() => {
      this.time += ms;
      this.done.push(name);
    });
  }

  /** A turn. @returns what was done in it. */
  async turn(): Promise<string> {
    for (const fn of this.alarms.splice(0)) fn();
    await settled();
    return this.done.splice(0).join();
  }
}

test("what is put off is done in the next turn, in order, and what it puts off in the one after that", async () => {
  const fixture = new Fixture();
  fixture.put("a");
  fixture.soon.call(() => fixture.put("c"));
  fixture.put("b");
  assert.deepEqual([await fixture.turn(), await fixture.turn(), await fixture.turn()], ["a,b", "c", ""]);
  assert.equal(fixture.alarms.length, 0);
});

test("all that is put off has a slice of a turn together, with what waited for it, and one of them at least", async () => {
  const fixture = new Fixture();
  for (const name of ["a", "b", "c"]) fixture.put(name, SLICE_MS / 2);
  fixture.put("long", 10 * SLICE_MS);
  new Promise<void>((resolve) => fixture.soon.call(resolve)).then(() => fixture.time += SLICE_MS);
  fixture.put("d");
  const turns: string[] = [];
  for (let n = 0; n < 5; n++) turns.push(await fixture.turn());
  assert.deepEqual(turns, ["a,b", "c,long", "", "d", ""]);
});

test("what is cancelled does not come, and keeps nothing alive", async () => {
  const fixture = new Fixture();
  const [cancelA, cancelB] = [fixture.put("a"), fixture.put("b")];
  cancelA();
  assert.equal(fixture.alarms.length, 1);
  cancelB();
  cancelB();
  assert.equal(fixture.alarms.length, 0);
  fixture.soon.call(() => cancelD());
  const cancelD = fixture.put("d");
  fixture.put("e");
  assert.equal(await fixture.turn(), "e");
  assert.equal(fixture.alarms.length, 0);
});

test("one that throws takes nothing from the others", async () => {
  const fixture = new Fixture();
  fixture.put("b");
  fixture.soon.call(() => {
    throw new Error("no");
  });
  fixture.put("c");
  const failed = Promise.withResolvers<string>();
  const listen = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    failed.resolve(event.reason.message);
  };
  addEventListener("unhandledrejection", listen);
  assert.equal(await fixture.turn(), "b");
  assert.equal(await failed.promise, "no");
  removeEventListener("unhandledrejection", listen);
  assert.equal(await fixture.turn(), "c");
});
