import assert from "node:assert/strict";
import { MachineError } from "./machine_error.ts";
import { readPrivateFile, writePrivateFile, writeStateFile } from "./private_file.ts";
import { demandWritable, sweepLeftovers } from "./replace_file.ts";
import { folderTest } from "../../tests/rig/test.ts";
import { has } from "../../tests/rig/processes/requirements.ts";

async function succeeds(program: string, ...args: string[]): Promise<boolean> {
  return (await new Deno.Command(program, { args, stderr: "null" }).output()).success;
}

/** Whether this process may mount things; a container may bar even root. */
const canMount = has("mounts (root, mount)");

/** A test on a disk of 64 KiB. */
function diskTest(name: string, fn: (disk: string) => Promise<void>): void {
  folderTest(name, async (folder) => {
    assert.ok(await succeeds("mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", folder));
    try {
      await fn(folder);
    } finally {
      assert.ok(await succeeds("umount", folder));
    }
  }, { ignore: !canMount });
}

/** Leaves no room for anything. */
async function fill(disk: string): Promise<void> {
  using file = await Deno.open(`${disk}/fill`, { write: true, create: true });
  await assert.rejects(async () => {
    for (;;) await file.write(new Uint8Array(4096));
  });
}

function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

diskTest("on a full disk a text that is no longer than the old one is written over it", async (disk) => {
  const [file, secret] = [`${disk}/devices.toml`, `${disk}/enrolments.toml`];
  for (const path of [file, secret]) await writePrivateFile(path, `${"a = 1\n".repeat(1500)}last = 2\n`);
  await fill(disk);
  await writeStateFile(file, "a = 1\n");
  await writePrivateFile(secret, "b = 1\n", "in-place");
  assert.equal(await readPrivateFile(file), "a = 1\n");
  assert.equal(await readPrivateFile(secret), "b = 1\n");
  assert.deepEqual(names(disk), ["devices.toml", "enrolments.toml", "fill"]);
});

diskTest("on a full disk what has no room is the machine's trouble, and leaves the old text", async (disk) => {
  const file = `${disk}/devices.toml`;
  await writePrivateFile(file, "old = 1\n".repeat(512)); // a whole page
  await fill(disk);
  await assert.rejects(writeStateFile(file, "new = 1\n".repeat(4096)), (error) => {
    return error instanceof MachineError && error.message === `Cannot write ${file}: No space left on device`;
  });
  assert.equal(await readPrivateFile(file), "old = 1\n".repeat(512));
  await assert.rejects(writePrivateFile(`${disk}/other`, "x".repeat(4096)), MachineError);
  await assert.rejects(writePrivateFile(file, "short"), MachineError, "nobody asked for it to be written over");
  assert.equal(await readPrivateFile(file), "old = 1\n".repeat(512));
  assert.deepEqual(names(disk), ["devices.toml", "fill"]);
});

folderTest("a file that is mounted by itself is written where it stands, longer or shorter", async (folder) => {
  const [outside, inside] = [`${folder}/outside`, `${folder}/inside`];
  for (const path of [outside, inside]) await Deno.writeTextFile(path, "old = 1\n");
  assert.ok(await succeeds("mount", "--bind", outside, inside));
  try {
    for (const text of ["new = 1\n".repeat(10_000), "short = 1\n", ""]) {
      demandWritable(inside);
      await writeStateFile(inside, text);
      assert.equal(await Deno.readTextFile(outside), text);
    }
    assert.ok(await succeeds("mount", "-o", "remount,bind,ro", inside));
    assert.throws(() => demandWritable(inside), /Read-only file system/);
    await assert.rejects(writeStateFile(inside, "x"), MachineError);
  } finally {
    assert.ok(await succeeds("umount", inside));
  }
  assert.deepEqual(names(folder), ["inside", "outside"]);
}, { ignore: !canMount });

folderTest("a file with another name, which may be somebody else's, is not written over", async (folder) => {
  const [outside, inside] = [`${folder}/outside`, `${folder}/inside`];
  for (const path of [outside, inside]) await Deno.writeTextFile(path, "old = 1\n");
  await Deno.link(outside, `${folder}/another`);
  assert.ok(await succeeds("mount", "--bind", outside, inside));
  try {
    await assert.rejects(writeStateFile(inside, "new"), MachineError);
  } finally {
    assert.ok(await succeeds("umount", inside));
  }
  assert.equal(await Deno.readTextFile(outside), "old = 1\n");
}, { ignore: !canMount });

folderTest("leftovers of ours are swept, and nothing else", async (folder) => {
  const others = ["a.toml", "a.toml.tmp", "a.toml.0123abcd.tmp", "b.toml.0123abcd.sp.tmp", "x.0123abcd.sp.tmp.bak"];
  for (const name of [...others, "a.toml.0123abcd.sp.tmp"]) await Deno.writeTextFile(`${folder}/${name}`, "");
  await Deno.mkdir(`${folder}/a.toml.00000000.sp.tmp`);
  assert.equal(sweepLeftovers(folder, (name) => name === "a.toml"), 1);
  assert.deepEqual(names(folder), ["a.toml.00000000.sp.tmp", ...others].sort());
});
