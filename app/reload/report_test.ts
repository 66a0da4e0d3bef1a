import assert from "node:assert/strict";
import { RecordingLogger } from "../../tests/rig/logger.ts";
import { test } from "../../tests/rig/test.ts";
import { PartlyChangedError } from "./change.ts";
import { differing, inForce, oneAtATime, ReloadReport, Reloads } from "./report.ts";

test("what differs is named, whatever it is, and what waits stays as it was", () => {
  const before = { a: 1, b: ["x"], c: new Uint8Array([1]), d: Infinity, gone: true };
  const after = { a: 1, b: ["y"], c: new Uint8Array([2]), d: null, more: 2 };
  assert.deepEqual(differing(before, after), ["b", "c", "d", "gone", "more"]);
  assert.deepEqual(inForce<object>(before, after, ["b", "more", "gone"]), {
    a: 1,
    b: ["x"],
    c: new Uint8Array([2]),
    d: null,
    gone: true,
  });
});

test("each reload tells the log what came of it, whoever asked; a mistake is one line, or the answer to who asked", async () => {
  const logger = new RecordingLogger();
  const outcomes: (Partial<ReloadReport> | Error)[] = [];
  const reloads = new Reloads(() => {
    const next = outcomes.shift()!;
    return next instanceof Error ? Promise.reject(next) : Promise.resolve(Object.assign(new ReloadReport(), next));
  }, logger);
  const by = async (outcome: Partial<ReloadReport> | Error, tellsAlways?: boolean) => {
    outcomes.push(outcome);
    if (tellsAlways === undefined) await reloads.now();
    else await reloads.because(tellsAlways ? "SIGHUP" : "gw.toml has changed", tellsAlways);
    return logger.said.splice(0);
  };
  const waits = (name: string) => [`${name} cannot change without a restart`];
  assert.deepEqual(await by({ changed: ["log-level debug"], restart: waits("state") }), [
    "info: reloaded: log-level debug",
    "warn: not changed: state cannot change without a restart",
  ]);
  assert.deepEqual(await by({ restart: waits("state") }, false), [], "the command has told that");
  assert.deepEqual(await by({ restart: waits("state") }, true), [
    "warn: not changed: state cannot change without a restart",
  ]);
  assert.deepEqual(await by({}), []);
  assert.deepEqual(await by({}, false), []);
  assert.deepEqual(await by({}, true), ["info: reloaded: nothing is different"]);
  assert.deepEqual(await by({ restart: waits("engine") }, false), [
    "warn: not changed: engine cannot change without a restart",
  ]);
  await assert.rejects(by(new Error("no such word")), /no such word/);
  assert.deepEqual(await by(new Error("no such word\n  6 | wrod = 1\n      ^"), true), [
    "error: SIGHUP: nothing was changed: no such word",
  ]);
  assert.deepEqual(await by(new PartlyChangedError(["TLS at [::]:443"], new Error("in use")), true), [
    "error: SIGHUP: in use; what had changed before that stays: TLS at [::]:443",
  ]);
});

test("of two reloads the second begins when the first has ended, also badly", async () => {
  const told: string[] = [];
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let at = 0;
  const reload = oneAtATime(async () => {
    const n = at++;
    told.push(`begins ${n}`);
    await gates[n]!.promise;
    told.push(`ends ${n}`);
  });
  const [first, second] = [reload(), reload()];
  await Promise.resolve();
  gates[1]!.resolve();
  gates[0]!.reject(new Error("no"));
  await assert.rejects(first);
  await second;
  assert.deepEqual(told, ["begins 0", "begins 1", "ends 1"]);
});
