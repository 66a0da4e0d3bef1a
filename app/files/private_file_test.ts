import assert from "node:assert/strict";
import { MAX_STATE_FILE } from "../limits.ts";
import { ConfigError } from "../toml/config_error.ts";
import { ensurePrivateFolder, readPrivateFile, withLock, writePrivateFile, writeStateFile } from "./private_file.ts";
import { folderTest } from "../../tests/rig/test.ts";

async function modeOf(path: string): Promise<number> {
  return ((await Deno.stat(path)).mode ?? 0) & 0o777;
}

async function names(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
}

folderTest(
  "a private file is its owner's alone, whatever stood there before, and leaves nothing beside it",
  async (folder) => {
    const path = `${folder}/key`;
    await Deno.writeTextFile(path, "old", { mode: 0o644 });
    await writePrivateFile(path, "secret é\n");
    assert.equal(await modeOf(path), 0o600);
    assert.equal(await readPrivateFile(path), "secret é\n");
    assert.deepEqual(await names(folder), ["key"]);
  },
);

folderTest("a private file is never readable to others, not even while it is written", async (folder) => {
  const seen: number[] = [];
  const watcher = Deno.watchFs(folder);
  const watching = (async () => {
    for await (const { paths } of watcher) {
      for (const path of paths) {
        const mode = await modeOf(path).catch(() => undefined); // gone again: renamed
        if (mode !== undefined) seen.push(mode);
      }
      if (paths.some((path) => path.endsWith("/last"))) return;
    }
  })();
  const old = Deno.umask(0);
  try {
    for (const name of ["a", "b", "last"]) await writePrivateFile(`${folder}/${name}`, "x".repeat(100_000));
    await watching;
  } finally {
    Deno.umask(old);
  }
  assert.ok(seen.length > 0);
  assert.deepEqual(new Set(seen), new Set([0o600]));
});

folderTest("a file that others can read or write is refused with the command that helps", async (folder) => {
  const path = `${folder}/the key`;
  await writePrivateFile(path, "secret");
  for (const mode of [0o640, 0o604, 0o620, 0o602, 0o644]) {
    await Deno.chmod(path, mode);
    const says = new RegExp(`mode 0${mode.toString(8)}\\); run: chmod 600 '${path}'$`);
    await assert.rejects(readPrivateFile(path), (error) => error instanceof ConfigError && says.test(error.message));
    assert.equal(await readPrivateFile(path, false), "secret");
  }
});

folderTest("what holds no secret keeps the mode that its owner gave it, and a link stays a link", async (folder) => {
  await Deno.writeTextFile(`${folder}/real`, "old");
  await Deno.chmod(`${folder}/real`, 0o640);
  await Deno.symlink(`${folder}/real`, `${folder}/link`);
  await writeStateFile(`${folder}/link`, "new");
  assert.equal(await Deno.readTextFile(`${folder}/real`), "new");
  assert.equal(await modeOf(`${folder}/real`), 0o640);
  assert.ok((await Deno.lstat(`${folder}/link`)).isSymlink);
  await writeStateFile(`${folder}/fresh`, "new");
  assert.equal(await modeOf(`${folder}/fresh`), 0o600);
});

folderTest("a file that is not there is none; one that cannot be read says why", async (folder) => {
  assert.equal(await readPrivateFile(`${folder}/none`), undefined);
  await assert.rejects(readPrivateFile(folder, false), ConfigError);
  await Deno.writeTextFile(`${folder}/huge`, "");
  await Deno.truncate(`${folder}/huge`, MAX_STATE_FILE + 1);
  await assert.rejects(readPrivateFile(`${folder}/huge`, false), /more than 16 MiB/);
});

folderTest("a write that fails leaves the old text, and nothing else", async (folder) => {
  await Deno.mkdir(`${folder}/name`);
  await assert.rejects(writePrivateFile(`${folder}/name`, "text"), (error) => {
    return error instanceof ConfigError && error.message.startsWith(`Cannot write ${folder}/name: `);
  });
  assert.deepEqual(await names(folder), ["name"]);
  await assert.rejects(writePrivateFile(`${folder}/missing/name`, "text"), ConfigError);
});

folderTest("folders are made for their owner alone, and one that others can write to is refused", async (folder) => {
  await ensurePrivateFolder(`${folder}/a/b`);
  await ensurePrivateFolder(`${folder}/a/b/`);
  assert.deepEqual([await modeOf(`${folder}/a`), await modeOf(`${folder}/a/b`)], [0o700, 0o700]);
  await Deno.chmod(`${folder}/a/b`, 0o770);
  await assert.rejects(ensurePrivateFolder(`${folder}/a/b`), /Others can write to .*\(mode 0770\); run: chmod 700 \//);
  await Deno.writeTextFile(`${folder}/file`, "");
  await assert.rejects(ensurePrivateFolder(`${folder}/file`), /it is not a folder/);
});

folderTest("what a folder's lock guards never runs twice at once", async (folder) => {
  let inside = 0;
  await Promise.all(Array.from({ length: 20 }, (_, n) =>
    withLock(folder, async () => {
      assert.equal(++inside, 1);
      const before = Number(await readPrivateFile(`${folder}/count`) ?? 0);
      await writePrivateFile(`${folder}/count`, String(before + 1));
      inside--;
      return n;
    })));
  assert.equal(await readPrivateFile(`${folder}/count`), "20");
});

folderTest("a lock is free again when what it guarded has failed", async (folder) => {
  await assert.rejects(withLock(folder, () => Promise.reject(new Error("no"))), /no/);
  assert.equal(await withLock(folder, () => Promise.resolve(7)), 7);
});

folderTest("a lock that is held too long is given up with a clear error", async (folder) => {
  const held = Promise.withResolvers<void>();
  const entered = Promise.withResolvers<void>();
  const holder = withLock(folder, () => {
    entered.resolve();
    return held.promise;
  });
  await entered.promise;
  await assert.rejects(
    withLock(folder, () => Promise.resolve(), 20),
    /another process has held it for 0.02 s; try again/,
  );
  held.resolve();
  await holder;
  await withLock(folder, () => Promise.resolve()); // after the one that was given up
});

folderTest("a pipe in place of a file is refused, and not waited for", async (folder) => {
  const { success } = await new Deno.Command("mkfifo", { args: ["-m", "600", `${folder}/key`] }).output();
  assert.ok(success);
  await assert.rejects(readPrivateFile(`${folder}/key`), (error) => {
    assert.ok(error instanceof ConfigError);
    return /it is not a file/.test(error.message);
  });
});
