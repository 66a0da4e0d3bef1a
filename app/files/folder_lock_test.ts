import assert from "node:assert/strict";
import { withLock } from "./folder_lock.ts";
import { openLockFile } from "./lock_file.ts";
import { MachineError } from "./machine_error.ts";
import { systemCalls } from "../../net/kernel/system_calls.ts";
import { folderTest } from "../../tests/rig/test.ts";

const hasCalls = systemCalls() !== undefined;

/** How often this process has the file open. */
function descriptorsOf(path: string): number {
  return [...Deno.readDirSync("/proc/self/fd")].filter(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`) === path;
    } catch {
      return false; // of the look itself
    }
  }).length;
}

folderTest(
  "of many in a process who wait for another one, one asks for the lock, and no thread waits",
  async (folder) => {
    const path = `${await Deno.realPath(folder)}/.lock`;
    using other = await openLockFile(path);
    assert.ok(await other.tryLock(true));
    const done: number[] = [];
    const all = Array.from({ length: 40 }, (_, n) => withLock(folder, () => Promise.resolve(done.push(n))));
    for (let n = 0; n < 64; n++) await Deno.stat(folder); // each takes a thread of the runtime, if there is one left
    assert.equal(descriptorsOf(path), 2, "the other one, and the first of ours");
    assert.deepEqual(done, []);
    other.close();
    await Promise.all(all);
    assert.deepEqual(done, Array.from({ length: 40 }, (_, n) => n), "in the order of asking");
    assert.equal(descriptorsOf(path), 0);
  },
  { ignore: !hasCalls },
);

folderTest("those who wait for their turn within the process are told when it takes too long", async (folder) => {
  using other = await openLockFile(`${folder}/.lock`);
  await other.tryLock(true);
  const never = () => Promise.reject(new Error("nobody should have come so far"));
  const results = await Promise.allSettled(Array.from({ length: 5 }, () => withLock(folder, never, 20)));
  for (const result of results) {
    assert.ok(result.status === "rejected" && result.reason instanceof MachineError, "it may be free the next time");
  }
  other.close();
  await withLock(folder, () => Promise.resolve());
}, { ignore: !hasCalls });

folderTest("what is no file in a lock's place is refused, and waited for by nobody", async (folder) => {
  const path = `${folder}/.lock`;
  for (const make of [() => Deno.mkdirSync(path), () => new Deno.Command("mkfifo", { args: [path] }).outputSync()]) {
    make();
    await assert.rejects(openLockFile(path), { name: "ConfigError", message: /Cannot lock .*: it is not a file/ });
    Deno.removeSync(path);
  }
});

folderTest("a lock is that of the runtime, so that older versions and scripts see it", async (folder) => {
  using ours = await openLockFile(`${folder}/.lock`);
  assert.ok(await ours.tryLock(true));
  using theirs = await Deno.open(`${folder}/.lock`);
  if ("tryLock" in theirs) assert.equal(await theirs.tryLock(true), false);
  ours.close();
  await theirs.lock(true);
}, { ignore: !hasCalls });
