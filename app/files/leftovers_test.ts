import assert from "node:assert/strict";
import { LEFTOVER_AGE_MS, SWEEP_LOCK_MS } from "../limits.ts";
import { RecordingLogger } from "../../tests/rig/logger.ts";
import { openLockFile } from "./lock_file.ts";
import { sweepBeside, sweepState } from "./leftovers.ts";
import { folderTest } from "../../tests/rig/test.ts";

function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name !== ".lock").sort();
}

folderTest(
  "what a killed process left is gone at the next start; what is not ours, or not ours to judge, stays",
  async (folder) => {
    const log = new RecordingLogger();
    const mine = ["a.toml.0123abcd.sp.tmp", "b.toml.89abcdef.sp.tmp"];
    const others = ["a.toml", "a.toml.tmp", "c.toml.0123abcd.sp.tmp"];
    for (const name of [...mine, ...others]) await Deno.writeTextFile(`${folder}/${name}`, "");
    await sweepState(folder, ["a.toml", "b.toml"], log);
    assert.deepEqual(names(folder), others);
    assert.match(log.lines.join(), /^debug removed \{count\} files that a killed process left in .*"count":2/);
  },
);

folderTest("nothing is swept while somebody writes, and that holds nobody up", async (folder) => {
  const log = new RecordingLogger();
  await Deno.writeTextFile(`${folder}/a.toml.0123abcd.sp.tmp`, "");
  using lock = await openLockFile(`${folder}/.lock`);
  if (!await lock.tryLock(true)) throw new Error("the lock is free");
  const before = performance.now();
  await sweepState(folder, ["a.toml"], log);
  assert.ok(performance.now() - before < 10 * SWEEP_LOCK_MS);
  assert.deepEqual(names(folder), ["a.toml.0123abcd.sp.tmp"]);
});

folderTest(
  "beside a file that is elsewhere only what is old is swept, and an edit cut short is told",
  async (folder) => {
    const log = new RecordingLogger();
    const [old, fresh] = [`${folder}/d.toml.00000001.sp.tmp`, `${folder}/d.toml.00000002.sp.tmp`];
    for (const path of [old, fresh, `${folder}/d.toml`, `${folder}/d.toml.kept`]) await Deno.writeTextFile(path, "");
    const then = new Date(Date.now() - 2 * LEFTOVER_AGE_MS);
    await Deno.utime(old, then, then);
    sweepBeside(`${folder}/d.toml`, "/elsewhere", log);
    assert.deepEqual(names(folder), ["d.toml", "d.toml.00000002.sp.tmp", "d.toml.kept"]);
    assert.match(log.lines[1]!, /^warn an edit of \{file\} was cut short.*"kept":".*\/d\.toml\.kept"/);
  },
);
