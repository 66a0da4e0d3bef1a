import assert from "node:assert/strict";
import { MAX_LINKS } from "../limits.ts";
import { ConfigError } from "../toml/config_error.ts";
import { actAs, actorFor } from "./path_actor.ts";
import {
  ensurePrivateFolder,
  readPrivateFile,
  removeStateFile,
  stampOf,
  withLock,
  writePrivateFile,
  writeStateFile,
} from "./private_file.ts";
import { demandWritable, sweepLeftovers } from "./replace_file.ts";
import { spotOf } from "./spot.ts";
import { systemCalls } from "../../net/kernel/system_calls.ts";

/** The other user, whom root must not serve as a deputy. */
const OTHER = 65_534;

/** Root, and the means to act as somebody else. */
const isRoot = Deno.build.os === "linux" && Deno.uid() === 0 && systemCalls() !== undefined;

interface Stage {
  /** A folder that only root can enter. */
  readonly roots: string;
  /** A file of root's in it, with a secret. */
  readonly secret: string;
  /** A folder of the other user's. */
  readonly theirs: string;
}

/** A test as root, with somebody else's folder and something that they must not get. */
function test(name: string, fn: (stage: Stage) => Promise<void>): void {
  Deno.test({
    name,
    ignore: !isRoot,
    sanitizeOps: true,
    sanitizeResources: true,
    fn: async () => {
      const folder = await Deno.makeTempDir();
      const [roots, theirs] = [`${folder}/roots`, `${folder}/theirs`];
      try {
        await Deno.chmod(folder, 0o755);
        await Deno.mkdir(roots, { mode: 0o700 });
        await Deno.writeTextFile(`${roots}/secret`, "root:secret\n", { mode: 0o600 });
        await Deno.mkdir(theirs, { mode: 0o700 });
        await Deno.chown(theirs, OTHER, OTHER);
        const before = await fingerprintOf(roots);
        await fn({ roots, theirs, secret: `${roots}/secret` });
        assert.deepEqual(await fingerprintOf(roots), before, "root's own files have changed");
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

/** All of a folder that an attacker could want to change. */
async function fingerprintOf(folder: string): Promise<string[]> {
  const files = await Array.fromAsync(Deno.readDir(folder), async ({ name }) => {
    const { uid, gid, mode } = await Deno.lstat(`${folder}/${name}`);
    return [name, uid, gid, mode, await Deno.readTextFile(`${folder}/${name}`)].join();
  });
  return files.sort();
}

/** Puts a link of the other user's somewhere. */
async function plant(target: string, path: string): Promise<void> {
  await Deno.symlink(target, path);
  const { success } = await new Deno.Command("chown", { args: ["-h", `${OTHER}`, path] }).output();
  assert.ok(success);
}

test("what root writes in somebody's folder is theirs from the first moment on", async ({ theirs }) => {
  await ensurePrivateFolder(`${theirs}/state/server`);
  await withLock(`${theirs}/state/server`, () => writePrivateFile(`${theirs}/state/server/a.toml`, "text"));
  for (const name of ["", "/server", "/server/a.toml", "/server/.lock"]) {
    const { uid, gid } = await Deno.stat(`${theirs}/state${name}`);
    assert.deepEqual([uid, gid], [OTHER, OTHER], name);
  }
  assert.equal(await readPrivateFile(`${theirs}/state/server/a.toml`), "text");
});

test("a link at the lock leads root nowhere, whether its target is there or not", async ({ theirs, roots, secret }) => {
  for (const target of [secret, `${roots}/new`]) {
    await plant(target, `${theirs}/.lock`);
    await assert.rejects(withLock(theirs, () => Promise.resolve()), ConfigError);
    await Deno.remove(`${theirs}/.lock`);
  }
});

test("links in place of files are followed as whoever has the folder, who may not", async ({ theirs, roots, secret }) => {
  await plant(secret, `${theirs}/devices.toml`);
  await assert.rejects(readPrivateFile(`${theirs}/devices.toml`, false), /Cannot read .*\/devices\.toml: user 65534/);
  await assert.rejects(writeStateFile(`${theirs}/devices.toml`, "mine"), ConfigError);
  await plant(`${roots}/new`, `${theirs}/enrolments.toml`);
  await writePrivateFile(`${theirs}/enrolments.toml`, "text").catch(() => {});
});

test("a folder that is a link, and one below somebody's folder, are theirs whatever they lead to", async (stage) => {
  const { theirs, roots } = stage;
  await plant(roots, `${theirs}/server`);
  for (const folder of [`${theirs}/server`, `${theirs}/server/../roots`]) {
    await assert.rejects(withLock(folder, () => writePrivateFile(`${folder}/identity.pem`, "x")), ConfigError);
    await assert.rejects(writePrivateFile(`${folder}/identity.pem`, "x"), ConfigError);
  }
  assert.equal(actorFor(`${theirs}/server/any`)?.uid, OTHER);
  assert.equal(actorFor(`${theirs}/../roots`)?.uid, OTHER, "what is passed on the way counts");
  assert.equal(actorFor(roots), undefined);
});

test("another name of a file of root's is replaced, not written", async ({ theirs, secret }) => {
  await Deno.link(secret, `${theirs}/devices.toml`);
  await Deno.link(secret, `${theirs}/.lock`);
  await writeStateFile(`${theirs}/devices.toml`, "new");
  assert.equal(await Deno.readTextFile(`${theirs}/devices.toml`), "new");
  await assert.rejects(withLock(theirs, () => Promise.resolve()), ConfigError);
});

test("a pipe in place of a file or the lock has nobody wait", async ({ theirs }) => {
  for (const name of [".lock", "devices.toml"]) {
    const { success } = await new Deno.Command("mkfifo", { args: ["-m", "666", `${theirs}/${name}`] }).output();
    assert.ok(success);
  }
  await assert.rejects(withLock(theirs, () => Promise.resolve()), /it is not a file/);
  await assert.rejects(readPrivateFile(`${theirs}/devices.toml`), /it is not a file/);
});

test("whoever puts links where root writes, at any moment, gets nothing by it", async ({ theirs, secret }) => {
  const script = `cd ${theirs}; while [ ! -e ../stop ]; do for name in *.tmp devices.toml .lock; do ` +
    `rm -f "$name"; ln -s ${secret} "$name"; done; done 2>/dev/null`;
  const attacker = new Deno.Command("setpriv", {
    args: ["--reuid", `${OTHER}`, "--regid", `${OTHER}`, "--clear-groups", "sh", "-c", script],
  }).spawn();
  try {
    for (let n = 0; n < 300; n++) {
      await withLock(theirs, async () => {
        await readPrivateFile(`${theirs}/devices.toml`, false);
        await writeStateFile(`${theirs}/devices.toml`, "text");
      }).catch((error) => assert.ok(error instanceof Error));
    }
  } finally {
    await Deno.writeTextFile(`${theirs}/../stop`, "");
    await attacker.status;
  }
});

test("where just anybody can put something, root does nothing; where only their own can be, it is theirs", async (stage) => {
  const { theirs, roots } = stage;
  const open = `${theirs}/../open`;
  await Deno.mkdir(open);
  await Deno.chmod(open, 0o777);
  const path = await Deno.realPath(open);
  assert.throws(() => actorFor(`${path}/file`), /Others can write to .*\/open \(mode 777\).*; run: chmod go-w /);
  await Deno.chmod(open, 0o1777);
  await Deno.writeTextFile(`${open}/file`, "");
  assert.equal(actorFor(`${path}/file`), undefined);
  await Deno.chown(`${open}/file`, OTHER, OTHER);
  assert.equal(actorFor(`${path}/file`)?.uid, OTHER);
  await Deno.symlink(roots, `${open}/link`);
  assert.throws(() => actorFor(`${path}/link`), /is a link where others can put links/);
});

test("links that lead round and round end", async ({ theirs }) => {
  const folder = await Deno.realPath(`${theirs}/..`);
  await Deno.symlink("b", `${folder}/a`);
  await Deno.symlink("a", `${folder}/b`);
  assert.throws(() => actorFor(`${folder}/a`), /too many symbolic links/);
  assert.equal(MAX_LINKS, 40);
});

test("rights that were given up for a moment are back, also after a failure", async ({ theirs, secret }) => {
  const actor = actorFor(theirs);
  assert.ok(actor);
  assert.throws(() => actAs(actor, () => Deno.openSync(secret)), Deno.errors.PermissionDenied);
  assert.equal(await Deno.readTextFile(secret), "root:secret\n");
  assert.equal(Deno.readTextFileSync(secret), "root:secret\n");
});

test("somebody's folder below one that only root can enter is reached all the same", async ({ theirs, secret }) => {
  // As systemd has it for DynamicUser: /var/lib/sallyport is a link into /var/lib/private, which has mode 0700.
  const above = await Deno.realPath(`${theirs}/..`);
  await Deno.mkdir(`${above}/private`, { mode: 0o700 });
  await Deno.rename(theirs, `${above}/private/sallyport`);
  await Deno.symlink("private/sallyport", theirs);
  const folder = `${theirs}/server`;
  const path = `${folder}/devices.toml`;
  await withLock(folder, () => writePrivateFile(path, "old"));
  await Deno.symlink("devices.toml", `${folder}/link.toml`);
  await writeStateFile(`${folder}/link.toml`, "new");
  assert.equal(await readPrivateFile(path), "new");
  assert.equal((await Deno.stat(path)).uid, OTHER);
  assert.ok((await Deno.lstat(`${folder}/link.toml`)).isSymlink);
  demandWritable(path);
  await Deno.writeTextFile(`${folder}/a.toml.0123abcd.sp.tmp`, "");
  assert.equal(sweepLeftovers(folder, (name) => name === "a.toml"), 1);
  removeStateFile(path);
  assert.equal(stampOf(path), "missing");
  await plant(secret, path);
  await assert.rejects(readPrivateFile(path, false), ConfigError);
  await Deno.remove(theirs);
});

test("another user's file where it stands: written over, with all that is looked at", async ({ theirs }) => {
  const spot = spotOf(`${theirs}/file`);
  assert.equal(spot.actor?.uid, OTHER);
  {
    using file = spot.open("new", 0o640);
    await file.write(new TextEncoder().encode("some text"));
    await file.sync();
  }
  const there = await Deno.stat(`${theirs}/file`);
  const facts = spot.facts()!;
  assert.deepEqual([facts.uid, facts.gid, facts.mode, facts.size], [OTHER, OTHER, 0o640, 9]);
  assert.deepEqual([facts.ino, facts.nlink, facts.isFile], [there.ino, 1, true]);
  assert.equal(Math.floor(facts.mtime!), there.mtime!.getTime());
  using file = spot.open("edit");
  const bytes = new Uint8Array(20);
  assert.equal(await file.read(bytes), 9);
  assert.equal(await file.read(bytes), null);
  await file.truncate(4);
  await file.rewind();
  await file.write(new TextEncoder().encode("S"));
  assert.equal(spot.readText(100), "Some");
  assert.equal(spot.folder().facts()?.isDirectory, true);
  assert.deepEqual(spot.folder().names(), ["file"]);
});
