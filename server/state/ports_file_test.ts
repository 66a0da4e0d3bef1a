import assert from "node:assert/strict";
import { KEPT_PORTS_WRITE_MS, MAX_KEPT_PORTS } from "../limits.ts";
import { ConfigError } from "../../app/toml/config_error.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { PortsFile } from "./ports_file.ts";
import { RecordingLogger } from "../../tests/rig/logger.ts";
import { folderTest } from "../../tests/rig/test.ts";

const load = (folder: string, clock = new FakeClock()) => PortsFile.load(folder, clock, new RecordingLogger());

folderTest("a port that was picked is known after a restart", async (folder) => {
  const ports = await load(folder);
  ports.ports.set("gw.1", "ssh", 40_000);
  ports.ports.set("gw.1", "we.b", 40_001);
  ports.ports.set("__proto__", "constructor", 40_002);
  await ports.flush();
  const again = await load(folder);
  assert.equal(again.ports.get("gw.1", "ssh"), 40_000);
  assert.equal(again.ports.get("gw.1", "we.b"), 40_001);
  assert.equal(again.ports.get("__proto__", "constructor"), 40_002);
  assert.equal(again.ports.get("gw.1", "toString"), undefined);
});

folderTest(
  "changes are gathered for a second and written together, and what is no change is not written",
  async (folder) => {
    const clock = new FakeClock();
    const ports = await load(folder, clock);
    for (let port = 1; port < 100; port++) ports.ports.set("gw1", `s${port}`, port);
    assert.equal(clock.timersSet, 1);
    await clock.advance(KEPT_PORTS_WRITE_MS);
    await ports.flush();
    assert.equal((await load(folder)).ports.get("gw1", "s99"), 99);
    ports.ports.set("gw1", "s99", 99);
    assert.equal(clock.pending, 0);
  },
);

folderTest("a device takes its ports along to a new name, and is forgotten with them", async (folder) => {
  const ports = await load(folder);
  ports.ports.set("a", "x", 1);
  ports.ports.set("a", "y", 2);
  ports.ports.set("ab", "x", 3);
  ports.ports.rename([["a", "b"]]);
  assert.deepEqual([
    ports.ports.get("a", "x"),
    ports.ports.get("b", "x"),
    ports.ports.get("b", "y"),
    ports.ports.get("ab", "x"),
  ], [
    undefined,
    1,
    2,
    3,
  ]);
  ports.ports.forget("b");
  await ports.flush();
  const again = await load(folder);
  assert.deepEqual([again.ports.get("b", "x"), again.ports.get("ab", "x")], [undefined, 3]);
});

folderTest("what was set longest ago makes room", async (folder) => {
  const ports = await load(folder);
  ports.ports.set("first", "x", 1);
  ports.ports.set("second", "x", 2);
  ports.ports.set("first", "x", 3);
  for (let n = 0; n < MAX_KEPT_PORTS - 1; n++) ports.ports.set("many", `s${n}`, 4);
  assert.deepEqual([ports.ports.get("first", "x"), ports.ports.get("second", "x")], [3, undefined]);
  ports.ports.forget("many");
  await ports.flush();
});

folderTest(
  "a damaged file is an error with its place; a folder that cannot be written costs a warning",
  async (folder) => {
    const path = `${folder}/ports.toml`;
    await Deno.writeTextFile(path, "[gw1]\nssh = 70000\n", { mode: 0o600 });
    await assert.rejects(
      load(folder),
      (error) => error instanceof ConfigError && error.message.startsWith(`${path}:2:1: `),
    );
    await Deno.remove(path);
    const log = new RecordingLogger();
    const ports = await PortsFile.load(folder, new FakeClock(), log);
    await Deno.mkdir(path);
    ports.ports.set("gw1", "ssh", 1);
    await ports.flush();
    assert.match(log.lines.join(), /^warn [^,]*; the ports are kept until the server ends/);
    assert.equal(ports.ports.get("gw1", "ssh"), 1);
  },
);

folderTest("a port is kept from others for as long as somebody keeps it", async (folder) => {
  const ports = await load(folder);
  ports.ports.set("a", "x", 1);
  assert.deepEqual(
    [["a", "x"], ["a", "y"], ["b", "x"]].map(([device, service]) => ports.ports.isKeptByOther(1, device!, service!)),
    [false, true, true],
  );
  await ports.flush();
  const again = await load(folder);
  assert.equal(again.ports.isKeptByOther(1, "b", "x"), true);
  again.ports.set("b", "x", 1);
  assert.equal(again.ports.isKeptByOther(1, "a", "x"), true);
  again.ports.set("b", "x", 2);
  assert.deepEqual([again.ports.isKeptByOther(1, "a", "x"), again.ports.isKeptByOther(2, "a", "x")], [false, true]);
  again.ports.rename([["a", "c"]]);
  assert.equal(again.ports.isKeptByOther(1, "b", "x"), true);
  again.ports.forget("c");
  assert.equal(again.ports.isKeptByOther(1, "b", "x"), false);
  await again.flush();
});

folderTest("two servers with one state keep the ports of both", async (folder) => {
  const [one, two] = [await load(folder), await load(folder)];
  one.ports.set("a", "x", 1);
  one.ports.set("b", "x", 2);
  two.ports.set("c", "x", 3);
  two.ports.set("d", "x", 4);
  await Promise.all([one.flush(), two.flush()]);
  one.ports.forget("a");
  await one.flush();
  two.ports.set("e", "x", 5);
  await two.flush();
  const again = await load(folder);
  const kept = ["a", "b", "c", "d", "e"].map((device) => again.ports.get(device, "x"));
  assert.deepEqual(kept, [undefined, 2, 3, 4, 5]);
  assert.deepEqual(
    [two.ports.get("a", "x"), two.ports.get("b", "x")],
    [undefined, 2],
    "each knows what the other one did",
  );
});

folderTest("what could not be written is written with the next change", async (folder) => {
  const ports = await load(folder);
  await Deno.mkdir(`${folder}/ports.toml`);
  ports.ports.set("a", "x", 1);
  await ports.flush();
  await Deno.remove(`${folder}/ports.toml`);
  const other = await load(folder);
  other.ports.set("b", "x", 2);
  await other.flush();
  ports.ports.set("c", "x", 3);
  await ports.flush();
  const again = await load(folder);
  assert.deepEqual(["a", "b", "c"].map((device) => again.ports.get(device, "x")), [1, 2, 3]);
});
