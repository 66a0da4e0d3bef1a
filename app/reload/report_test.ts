import assert from "node:assert/strict";
import { RecordingLogger } from "../../tests/rig/logger.ts";
import { test } from "../../tests/rig/test.ts";
import { PartlyChangedError } from "./change.ts";
import { differing, inForce, oneAtATime, reloadAndTell, ReloadReport } from "./report.ts";

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

test("a reload by a signal tells each change, and a mistake as one", async () => {
  const logger = new RecordingLogger();
  const report = new ReloadReport();
  report.changed.push("log-level debug");
  report.wait(["state"]);
  const none = () => Promise.resolve(new ReloadReport());
  await reloadAndTell(() => Promise.resolve(report), logger, "SIGHUP", true);
  await reloadAndTell(none, logger, "SIGHUP", true);
  await reloadAndTell(none, logger, "gw.toml has changed", false);
  const waiting = new ReloadReport();
  waiting.wait(["engine"]);
  await reloadAndTell(() => Promise.resolve(waiting), logger, "gw.toml has changed", false);
  await reloadAndTell(() => Promise.reject(new Error("no such word\n  6 | wrod = 1\n      ^")), logger, "SIGHUP", true);
  const partly = new PartlyChangedError(["TLS at [::]:443"], new Error("in use"));
  await reloadAndTell(() => Promise.reject(partly), logger, "SIGHUP", true);
  assert.deepEqual(logger.said, [
    "info: reloaded: log-level debug",
    "warn: not changed: state cannot change without a restart",
    "info: reloaded: nothing is different",
    "warn: not changed: engine cannot change without a restart",
    "error: SIGHUP: nothing was changed: no such word",
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
