import assert from "node:assert/strict";
import { HOOK_KILL_MS, HOOK_LAST_MS, HOOK_TIMEOUT_MS } from "../limits.ts";
import { SHUTDOWN_TIMEOUT_MS } from "../../base/limits.ts";
import { test } from "../../tests/rig/test.ts";
import { Bench, turn } from "./_hooks_fixture_test.ts";

test("a hook that takes too long is asked to end, then made to, with one line, and the next has its turn", async () => {
  const bench = new Bench();
  await bench.tell("gw1", "online");
  await bench.tell("gw1", "lost");
  const [hook] = bench.started;
  bench.clock.tick(HOOK_TIMEOUT_MS - 1);
  assert.deepEqual(hook!.signals, []);
  bench.clock.tick(1);
  assert.deepEqual(hook!.signals, ["SIGTERM"]);
  bench.clock.tick(HOOK_KILL_MS);
  assert.deepEqual(hook!.signals, ["SIGTERM", "SIGKILL"]);
  assert.equal(bench.started.length, 1, "its place is taken until it is gone");
  await hook!.exit(137, "SIGKILL");
  assert.equal(bench.order[1], "gw1 lost");
  assert.deepEqual(bench.warnings, ["hook on-online for gw1 is ended after 30 s: /bin/online"]);
});

test("a hook that ends when it is asked to is sent nothing more", async () => {
  const bench = new Bench();
  await bench.tell("gw1", "online");
  bench.clock.tick(HOOK_TIMEOUT_MS);
  await bench.started[0]!.exit(143, "SIGTERM");
  bench.clock.tick(2 * HOOK_KILL_MS);
  assert.deepEqual(bench.started[0]!.signals, ["SIGTERM"]);
});

test("a hook that ends in time is left alone for good", async () => {
  const bench = new Bench();
  await bench.tell("gw1", "online");
  await bench.started[0]!.exit();
  bench.clock.tick(2 * HOOK_TIMEOUT_MS);
  assert.deepEqual([bench.started[0]!.signals, bench.warnings], [[], []]);
});

test("an exit code, a signal and a program that is not there are one line each, without the arguments", async () => {
  const bench = new Bench();
  await bench.tell("gw1", "lost");
  await bench.started[0]!.exit(3);
  await bench.tell("gw1", "lost");
  await bench.started[1]!.exit(139, "SIGSEGV");
  bench.fails = new Deno.errors.NotFound("Failed to spawn '/bin/lost': No such file or directory (os error 2)");
  await bench.tell("gw1", "lost");
  bench.fails = undefined;
  assert.deepEqual(bench.warnings, [
    "hook on-lost for gw1 ended with exit code 3: /bin/lost",
    "hook on-lost for gw1 was ended by SIGSEGV: /bin/lost",
    "hook on-lost for gw1: cannot run /bin/lost: Failed to spawn '/bin/lost': No such file or directory",
  ]);
  await bench.tell("gw1", "online");
  assert.equal(bench.order.at(-1), "gw1 online", "what could not run holds nothing up");
});

/** Closes, and says whether that is done. */
function closing(bench: Bench): { readonly done: boolean } {
  const state = { done: false };
  bench.runner.close().then(() => state.done = true);
  return state;
}

test("at the end hooks that run or wait have the rest of the time, and the end waits no longer than for them", async () => {
  const bench = new Bench();
  await bench.tell("gw1", "online");
  bench.runner.ending();
  await bench.tell("gw1", "lost");
  bench.clock.tick(SHUTDOWN_TIMEOUT_MS - 2_000);
  const close = closing(bench);
  await bench.started[0]!.exit();
  assert.deepEqual([bench.order, close.done], [["gw1 online", "gw1 lost"], false]);
  await bench.started[1]!.exit();
  assert.equal(close.done, true);
  await bench.tell("gw1", "online");
  assert.equal(bench.started.length, 2, "nothing runs after the end");
});

test("at the end of the time hooks are ended, those that wait do not run, and one that cannot be ended is left", async () => {
  const bench = new Bench();
  bench.runner.ending();
  await bench.tell("gw1", "online");
  await bench.tell("gw1", "lost");
  const close = closing(bench);
  bench.clock.tick(SHUTDOWN_TIMEOUT_MS - 1);
  assert.deepEqual(bench.started[0]!.signals, []);
  bench.clock.tick(1);
  assert.deepEqual(bench.started[0]!.signals, ["SIGTERM"]);
  await turn();
  assert.equal(close.done, false);
  bench.clock.tick(HOOK_KILL_MS);
  await turn();
  assert.deepEqual(bench.started[0]!.signals, ["SIGTERM", "SIGKILL"]);
  assert.deepEqual([bench.started.length, close.done], [1, true]);
  assert.match(bench.warnings.join("|"), /^1 hooks are left out/);
});

test("the last hooks have a moment, also when the end took all of its time; with none the end is at once", async () => {
  const bench = new Bench();
  bench.runner.ending();
  bench.clock.tick(SHUTDOWN_TIMEOUT_MS + 100);
  await bench.tell("gw1", "lost");
  closing(bench);
  bench.clock.tick(HOOK_LAST_MS - 1);
  assert.deepEqual(bench.started[0]!.signals, []);
  bench.clock.tick(1);
  assert.deepEqual(bench.started[0]!.signals, ["SIGTERM"]);
  await new Bench().runner.close();
});
