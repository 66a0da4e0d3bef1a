import assert from "node:assert/strict";
import { never } from "../_engines_fixture_test.ts";
import { dialUplinks } from "./uplinks.ts";
import { RecordingLogger } from "../../tests/rig/logger.ts";
import { test } from "../../tests/rig/test.ts";

/** Dials that fail, but for those by `working`. */
function rig(...working: (string | undefined)[]) {
  const tried: (string | undefined)[] = [];
  const dial = (uplink: string | undefined) => {
    tried.push(uplink);
    return working.includes(uplink) ? Promise.resolve(`by ${uplink}`) : Promise.reject(new Error(`${uplink} is down`));
  };
  return { tried, dial, logger: new RecordingLogger() };
}

test("uplinks are tried in their order, at each dial anew", async () => {
  const { tried, dial, logger } = rig("b", "c");
  for (let n = 0; n < 2; n++) assert.equal(await dialUplinks(["a", "b", "c"], logger, never, dial), "by b");
  assert.deepEqual(tried, ["a", "b", "a", "b"]);
  assert.equal(logger.said[0], "info: cannot dial via a: a is down; via b now");
});

test("when none works, a line says why of each; the device tries again later", async () => {
  const { dial, logger } = rig();
  await assert.rejects(dialUplinks(["a", "b"], logger, never, dial), /^Error: via a: a is down; via b: b is down$/);
  assert.equal(logger.said.length, 1);
});

test("without uplinks a dial goes as the system likes, and fails as it does", async () => {
  const { tried, dial, logger } = rig();
  await assert.rejects(dialUplinks([], logger, never, dial), /^Error: undefined is down$/);
  assert.deepEqual(tried, [undefined]);
});

test("a dial that is given up goes by no other uplink", async () => {
  const { tried, logger } = rig();
  const abort = new AbortController();
  const dial = (uplink: string | undefined) => {
    tried.push(uplink);
    abort.abort(new Error("enough"));
    return Promise.reject(new Error("cut"));
  };
  await assert.rejects(dialUplinks(["a", "b"], logger, abort.signal, dial), /enough/);
  assert.deepEqual(tried, ["a"]);
});
