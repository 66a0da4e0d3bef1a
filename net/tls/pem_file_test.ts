import assert from "node:assert/strict";
import { MAX_PEM_FILE } from "../limits.ts";
import { test } from "../../tests/rig/test.ts";
import { readPemFile } from "./pem_file.ts";

async function withFolder(fn: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await fn(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

test("what is no file is refused, and not waited for", async () => {
  await withFolder(async (folder) => {
    const { success } = await new Deno.Command("mkfifo", { args: [`${folder}/pipe`] }).output();
    assert.ok(success);
    await Deno.symlink("pipe", `${folder}/link`);
    for (const path of [`${folder}/pipe`, `${folder}/link`, folder, "/dev/zero"]) {
      assert.throws(() => readPemFile(path), /^Error: it is not a file$/, path);
    }
    assert.throws(() => readPemFile(`${folder}/none`), Deno.errors.NotFound);
  });
});

test("a file of 1 MiB is read, and a larger one is refused however large it is", async () => {
  assert.equal(MAX_PEM_FILE, 1024 * 1024);
  await withFolder(async (folder) => {
    const file = `${folder}/big.pem`;
    await Deno.writeTextFile(file, "-".repeat(MAX_PEM_FILE));
    assert.equal(readPemFile(file).length, MAX_PEM_FILE);
    for (const size of [MAX_PEM_FILE + 1, 2 ** 40]) {
      await Deno.truncate(file, size);
      assert.throws(
        () => readPemFile(file),
        (error) => String(error) === `Error: it has ${size} bytes, more than 1 MiB`,
      );
    }
  });
});

test("a byte order mark is no part of it, and UTF-16 is told", async () => {
  await withFolder(async (folder) => {
    const file = `${folder}/a.pem`;
    await Deno.writeTextFile(file, "\uFEFF-----BEGIN");
    assert.equal(readPemFile(file), "-----BEGIN");
    await Deno.writeFile(file, Uint8Array.of(0xff, 0xfe, 45, 0, 45, 0));
    assert.throws(() => readPemFile(file), /UTF-16, save it as UTF-8/);
  });
});
