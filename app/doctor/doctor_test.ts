import assert from "node:assert/strict";
import { FakeClock } from "../../tests/rig/clock.ts";
import { folderTest, test } from "../../tests/rig/test.ts";
import { CHECK_MS, LOW_DISK, MIN_DESCRIPTORS } from "../limits.ts";
import { type Check, examine } from "./doctor.ts";
import { descriptorFinding, descriptorsOf, diskFinding, stateChecks } from "./machine.ts";

test("checks are told in their order, one that throws fails, and one that never ends is cut off", async () => {
  const clock = new FakeClock();
  let aborted = false;
  const checks: Check[] = [
    {
      name: "slow",
      look: (signal) =>
        new Promise(() => {
          signal.addEventListener("abort", () => aborted = true);
        }),
    },
    {
      name: "broken",
      look() {
        throw new Error("no such thing\nand more");
      },
    },
    { name: "good", look: () => ({ level: "ok", text: "well" }) },
  ];
  const found = examine(checks, clock);
  await clock.armed(CHECK_MS);
  for (let turn = 0; turn < 20; turn++) await undefined; // the others end at once
  clock.tick(CHECK_MS);
  assert.deepEqual((await found).map(({ check, level, text }) => [check, level, text]), [
    ["slow", "fail", `it took longer than ${CHECK_MS / 1000} s`],
    ["broken", "fail", "no such thing"],
    ["good", "ok", "well"],
  ]);
  assert.equal(aborted, true);
});

test("few descriptors and little room on the disk are told, with what would do", () => {
  if (Deno.build.os === "linux") assert.ok(descriptorsOf(Deno.pid)! > 0);
  assert.equal(descriptorFinding(MIN_DESCRIPTORS).level, "ok");
  const few = descriptorFinding(1_024);
  assert.deepEqual([few.level, /LimitNOFILE/.test(few.advice!)], ["warn", true]);
  assert.equal(diskFinding({ bavail: LOW_DISK, bsize: 1 }).level, "ok");
  assert.equal(diskFinding({ bavail: 1, bsize: 4_096 }).level, "warn");
  assert.equal(diskFinding({ bavail: 0, bsize: 4_096 }).level, "fail");
});

folderTest("a state that others can enter, or that is not there, fails", async (folder) => {
  const look = async (path: string) =>
    await (async () => await stateChecks(path)[0]!.look(new AbortController().signal))();
  Deno.chmodSync(folder, 0o700);
  assert.equal((await look(folder)).level, "ok");
  Deno.chmodSync(folder, 0o755);
  const open = await look(folder);
  assert.deepEqual([open.level, open.advice], ["fail", `chmod 700 ${folder}`]);
  const none = await look(`${folder}/none/server`);
  assert.deepEqual([none.level, none.text], [
    "ok",
    `there is no ${folder}/none/server yet; the first start makes it, and --state names another`,
  ]);
  const [, disk] = stateChecks(`${folder}/none/server`);
  assert.match((await disk!.look(new AbortController().signal)).text, / free for the state$/);
});
