import assert from "node:assert/strict";
import { test } from "../../tests/rig/test.ts";
import { type Change, changeAll, type Preparation } from "./change.ts";

/** Changes that note what becomes of them. */
function noted() {
  const log: string[] = [];
  const change = (name: string): Change => ({
    told: [`${name} is another`],
    commit: () => void log.push(`commit ${name}`),
    undo: () => void log.push(`undo ${name}`),
  });
  const prepare = (name: string): Preparation => () => {
    log.push(`prepare ${name}`);
    return change(name);
  };
  return { log, prepare };
}

test("changes are all prepared before the first is made", async () => {
  const { log, prepare } = noted();
  const told = await changeAll([prepare("a"), () => undefined, prepare("b")]);
  assert.deepEqual(told, ["a is another", "b is another"]);
  assert.deepEqual(log, ["prepare a", "prepare b", "commit a", "commit b"]);
});

test("if one cannot be, none is made, and what was prepared is given up, last first", async () => {
  const { log, prepare } = noted();
  const fail: Preparation = () => Promise.reject(new Error("it cannot be"));
  await assert.rejects(changeAll([prepare("a"), prepare("b"), fail, prepare("c")]), /it cannot be/);
  assert.deepEqual(log, ["prepare a", "prepare b", "undo b", "undo a"]);
});

test("if one fails in the end, those before it stay, and those behind it are given up", async () => {
  const { log, prepare } = noted();
  const fail: Preparation = () => ({
    told: [],
    commit: () => Promise.reject(new Error("its address is lost")),
  });
  await assert.rejects(
    changeAll([prepare("a"), fail, prepare("b"), prepare("c")]),
    { name: "PartlyChangedError", message: "its address is lost; what had changed before that stays: a is another" },
  );
  assert.deepEqual(log.slice(3), ["commit a", "undo c", "undo b"]);
  await assert.rejects(changeAll([fail, prepare("a")]), { name: "Error" });
});
