import assert from "node:assert/strict";
import { ConfigError } from "../toml/config_error.ts";
import { hexBytes, loadIdentity, readState, stateFolder, toHex } from "./state.ts";
import { folderTest, test } from "../../tests/rig/test.ts";

test("state is where --state says, else the environment, else where such things usually are", () => {
  const folder = (given: string | undefined, uid: number | null, env: Record<string, string>) =>
    stateFolder(given, "server", { get: (name) => env[name], uid: () => uid });
  const home = { HOME: "/home/me" };
  assert.equal(folder("/x/", 0, { SALLYPORT_STATE: "/y" }), "/x/server");
  assert.equal(folder(undefined, 0, { SALLYPORT_STATE: "/y" }), "/y/server");
  assert.equal(folder(undefined, 0, home), "/var/lib/sallyport/server");
  assert.equal(folder(undefined, 1000, { ...home, XDG_STATE_HOME: "/s" }), "/s/sallyport/server");
  assert.equal(folder(undefined, 1000, { ...home, XDG_STATE_HOME: "s" }), "/home/me/.local/state/sallyport/server");
  assert.equal(folder(undefined, null, home), "/home/me/.local/state/sallyport/server");
  assert.throws(() => folder(undefined, 1000, {}), /name a folder with --state/);
  assert.equal(stateFolder("here", "device"), "here/device");
});

folderTest("an identity is made once, also by many at the same time, and is private", async (folder) => {
  const state = `${folder}/a/server`;
  const all = await Promise.all(Array.from({ length: 8 }, () => loadIdentity(state)));
  assert.equal(new Set(all.map(({ publicKey }) => toHex(publicKey))).size, 1);
  assert.deepEqual((await loadIdentity(state)).publicKey, all[0]!.publicKey);
  assert.equal(((await Deno.stat(`${state}/identity.pem`)).mode ?? 0) & 0o777, 0o600);
});

folderTest("a damaged or open key is an error, and is left as it is", async (folder) => {
  await loadIdentity(folder);
  const path = `${folder}/identity.pem`;
  for (const text of ["", "-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----\n"]) {
    await Deno.writeTextFile(path, text);
    await assert.rejects(loadIdentity(folder), (error) => {
      return error instanceof ConfigError && error.message.startsWith(`${path}:1: `);
    });
    assert.equal(await Deno.readTextFile(path), text);
  }
  await Deno.chmod(path, 0o644);
  await assert.rejects(loadIdentity(folder), /run: chmod 600/);
});

folderTest("a damaged state file is told by file, line and column", async (folder) => {
  const path = `${folder}/x.toml`;
  assert.equal(await readState(path), undefined);
  await Deno.writeTextFile(path, "a = 1\nb = \n", { mode: 0o600 });
  await assert.rejects(readState(path), (error) => {
    return error instanceof ConfigError && error.message.startsWith(`${path}:2:`);
  });
});

test("bytes are kept in hexadecimal, of exactly their size", () => {
  assert.deepEqual(hexBytes(3)("00ff1a"), Uint8Array.of(0, 255, 26));
  assert.equal(toHex(Uint8Array.of(0, 255, 26)), "00ff1a");
  for (const text of ["", "00ff1", "00ff1a00", "00FF1A", "00ff1g"]) {
    assert.throws(() => hexBytes(3)(text), /3 bytes in hexadecimal/);
  }
});
