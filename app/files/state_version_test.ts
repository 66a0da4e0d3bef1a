import assert from "node:assert/strict";
import { folderTest, test } from "../../tests/rig/test.ts";
import { ConfigError } from "../toml/config_error.ts";
import { TomlTable } from "../toml/table.ts";
import { bringUpToDate, demandKnownConfig, demandKnownState, type Migration, STATE_VERSION } from "./state_version.ts";

function put(path: string, text: string): void {
  Deno.writeTextFileSync(path, text, { mode: 0o600 });
}

const NUMBER: Migration = { from: 1, file: "a.toml", migrate: (text) => text.replace("one", "two") };

folderTest("a new state gets this version, and one of before it keeps its files", async (folder) => {
  const state = `${folder}/server`;
  await bringUpToDate(state);
  assert.match(Deno.readTextFileSync(`${state}/version.toml`), new RegExp(`^version = ${STATE_VERSION}$`, "m"));
  Deno.removeSync(`${state}/version.toml`);
  put(`${state}/devices.toml`, "# mine\n");
  await bringUpToDate(state);
  assert.equal(Deno.readTextFileSync(`${state}/devices.toml`), "# mine\n");
  demandKnownState(state);
});

folderTest("files of an older version become new ones, and what they were is kept", async (folder) => {
  put(`${folder}/a.toml`, "one\n");
  put(`${folder}/version.toml`, "version = 1\n");
  const second: Migration = { from: 2, file: "a.toml", migrate: (text) => `${text}three\n` };
  await bringUpToDate(folder, [NUMBER, second], 3);
  const read = (name: string) => Deno.readTextFileSync(`${folder}/${name}`);
  assert.deepEqual([read("a.toml"), read("a.toml.v1"), read("a.toml.v2")], ["two\nthree\n", "one\n", "two\n"]);
  assert.match(read("version.toml"), /version = 3/);
  assert.equal(Deno.statSync(`${folder}/a.toml.v1`).mode! & 0o777, 0o600);
  await bringUpToDate(folder, [NUMBER, second], 3);
  assert.equal(read("a.toml"), "two\nthree\n", "it is done once");
});

folderTest("a migration that was cut short begins again with what was kept", async (folder) => {
  put(`${folder}/a.toml`, "one\n");
  put(`${folder}/version.toml`, "version = 1\n");
  const failing: Migration = {
    from: 1,
    file: "b.toml",
    migrate: () => {
      throw new ConfigError("it is damaged");
    },
  };
  put(`${folder}/b.toml`, "");
  const adding: Migration = { from: 1, file: "a.toml", migrate: (text) => `${text}more\n` };
  await assert.rejects(bringUpToDate(folder, [adding, failing], 2), ConfigError);
  assert.match(Deno.readTextFileSync(`${folder}/version.toml`), /version = 1/);
  await bringUpToDate(folder, [adding], 2);
  assert.equal(Deno.readTextFileSync(`${folder}/a.toml`), "one\nmore\n");
});

folderTest("a state that went back to the version before is brought up to date as it is by then", async (folder) => {
  const adding: Migration = { from: 1, file: "a.toml", migrate: (text) => `${text}more\n` };
  put(`${folder}/a.toml`, "one\n");
  put(`${folder}/version.toml`, "version = 1\n");
  await bringUpToDate(folder, [adding], 2);
  put(`${folder}/a.toml`, "one\nand what was written since\n");
  put(`${folder}/version.toml`, "version = 1\n");
  await bringUpToDate(folder, [adding], 2);
  assert.equal(Deno.readTextFileSync(`${folder}/a.toml`), "one\nand what was written since\nmore\n");
  assert.equal(Deno.readTextFileSync(`${folder}/a.toml.v1`), "one\nand what was written since\n");
});

folderTest("of several versions those that were done are not done again", async (folder) => {
  put(`${folder}/a.toml`, "one\n");
  put(`${folder}/version.toml`, "version = 1\n");
  const failing: Migration = {
    from: 2,
    file: "a.toml",
    migrate: () => {
      throw new ConfigError("it is damaged");
    },
  };
  await assert.rejects(bringUpToDate(folder, [NUMBER, failing], 3), ConfigError);
  assert.match(Deno.readTextFileSync(`${folder}/version.toml`), /version = 2/);
  const second: Migration = { from: 2, file: "a.toml", migrate: (text) => `${text}three\n` };
  await bringUpToDate(folder, [NUMBER, second], 3);
  assert.equal(Deno.readTextFileSync(`${folder}/a.toml`), "two\nthree\n");
});

folderTest("a state that cannot be written will do if none of its files are to change", async (folder) => {
  Deno.mkdirSync(`${folder}/.lock`); // nobody can lock that
  put(`${folder}/a.toml`, "one\n");
  await bringUpToDate(folder);
  await assert.rejects(bringUpToDate(folder, [NUMBER], 2));
  assert.equal(Deno.readTextFileSync(`${folder}/a.toml`), "one\n");
});

folderTest("a newer state is refused with its place and what to do, before anything is touched", async (folder) => {
  put(`${folder}/version.toml`, "# later\nversion = 2\n");
  const says = /version\.toml:2:1: .* has files of version 2, and this program \(.*\) knows 1 at most; install a newer/;
  assert.throws(() => demandKnownState(folder), (error) => error instanceof ConfigError && says.test(error.message));
  await assert.rejects(bringUpToDate(folder), says);
  put(`${folder}/version.toml`, "version = x\n");
  assert.throws(() => demandKnownState(folder), ConfigError);
});

test("a configuration may name its version, and is refused if that is newer", () => {
  for (const text of ["", "version = 1\n"]) demandKnownConfig(TomlTable.parse("server.toml", text));
  assert.throws(
    () => demandKnownConfig(TomlTable.parse("server.toml", 'listen = "1"\nversion = 2\n')),
    /^ConfigError: server\.toml:2:1: this file is of version 2, .* or write it as version 1 has it/,
  );
});
