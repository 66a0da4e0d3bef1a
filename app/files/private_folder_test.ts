import assert from "node:assert/strict";
import { type Access, ensurePrivateFolder, type Groups, isOpenTo } from "./private_folder.ts";
import { readPrivateFile, writePrivateFile } from "./private_file.ts";
import { systemCalls } from "../../net/kernel/system_calls.ts";
import { TempFolder } from "../../tests/rig/temp_folder.ts";

const checked = { sanitizeOps: true, sanitizeResources: true };

/** This process: user 1000, in the groups 1000 and 2000. */
const USER: Groups = { has: (gid) => gid === 1000 || gid === 2000, isRoot: false };
/** Root in a pod with `fsGroup: 2000`. */
const ROOT: Groups = { has: (gid) => gid === 0 || gid === 2000, isRoot: true };

const info = (mode: number, uid: number, gid: number): Access => ({ mode, uid, gid });

/** Mode, owner and group of a file; the same of its folder; whose process. */
const SAFE: [what: string, file: Access, folder: Access, ours: Groups][] = [
  ["its owner's alone", info(0o600, 1000, 1000), info(0o700, 1000, 1000), USER],
  ["as fsGroup leaves what root made", info(0o660, 0, 2000), info(0o2770, 0, 2000), USER],
  ["as fsGroup leaves what the server made", info(0o660, 1000, 2000), info(0o2770, 0, 2000), USER],
  ["the same for root in the pod", info(0o660, 0, 2000), info(0o2770, 0, 2000), ROOT],
  ["the same with the group root", info(0o660, 0, 0), info(0o2700, 0, 0), ROOT],
  ["a mounted secret", info(0o440, 0, 2000), info(0o2755, 0, 2000), USER],
  ["a mounted secret of root's", info(0o440, 0, 0), info(0o755, 0, 0), ROOT],
  ["set up by root for our group", info(0o640, 0, 2000), info(0o750, 0, 2000), USER],
];

const OPEN: typeof SAFE = [
  ["others can read it", info(0o604, 1000, 1000), info(0o700, 1000, 1000), USER],
  ["others can, whatever the group", info(0o664, 1000, 2000), info(0o2770, 0, 2000), USER],
  ["our own group by a careless umask", info(0o640, 1000, 1000), info(0o755, 1000, 1000), USER],
  ["a group that we are not in", info(0o660, 0, 3000), info(0o2770, 0, 3000), USER],
  ["another group than its folder's", info(0o660, 1000, 1000), info(0o2770, 0, 2000), USER],
  ["root's own by a careless umask", info(0o640, 0, 0), info(0o755, 0, 0), ROOT],
  ["a user's who is not us", info(0o440, 1001, 2000), info(0o755, 0, 0), USER],
];

for (const [cases, open] of [[SAFE, false], [OPEN, true]] as const) {
  for (const [what, file, folder, ours] of cases) {
    Deno.test(`${open ? "refused" : "taken"}: ${what}`, checked, () => {
      assert.equal(isOpenTo(file, folder, 0o077, ours), open);
    });
  }
}

Deno.test({
  name: "a state as fsGroup leaves it is used as it is",
  ...checked,
  ignore: systemCalls() === undefined, // nobody can tell the groups of this process
  fn: async () => {
    using temporary = new TempFolder();
    const folder = temporary.path;
    await ensurePrivateFolder(folder);
    await writePrivateFile(`${folder}/key`, "secret");
    await Deno.chmod(`${folder}/key`, 0o660);
    await assert.rejects(readPrivateFile(`${folder}/key`), /Its group, which its folder does not hand on \(g\+s\)/);
    await Deno.chmod(folder, 0o2770);
    await ensurePrivateFolder(folder);
    assert.equal(await readPrivateFile(`${folder}/key`), "secret");
    await Deno.chmod(folder, 0o2777);
    await assert.rejects(ensurePrivateFolder(folder), /Others can write to .*\(mode 2777\)/);
  },
});
