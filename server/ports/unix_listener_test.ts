import assert from "node:assert/strict";
import { engineTest, readAll, writeAll } from "../../net/_engines_fixture_test.ts";
import type { Engine } from "../../net/socket.ts";
import { TempFolder } from "../../tests/rig/temp_folder.ts";
import { connectUnix, UnixService } from "../../tests/rig/unix_service.ts";
import { UNIX_LEFTOVER_MS, UNIX_SWEEP_MS } from "../limits.ts";
import { sweepWorkshops } from "./unix_leftovers.ts";
import { listenUnix } from "./unix_listener.ts";

const modeOf = (path: string) => Deno.lstatSync(path).mode! & 0o7777;
const entries = (path: string) => [...Deno.readDirSync(path)].map(({ name }) => name).toSorted();

engineTest(
  "a socket has its mode and its group before it can be reached, and goes when it is closed",
  async (engine) => {
    using folder = new TempFolder();
    const path = `${folder.path}/s`;
    const seen: [names: string[], mode: number | undefined][] = [];
    const watching: Engine = {
      ...engine,
      connectUnix: (path) => engine.connectUnix(path),
      listenUnix: (before) => {
        const listener = engine.listenUnix(before);
        seen.push([entries(folder.path), modeOf(before.slice(0, before.lastIndexOf("/")))]);
        return listener;
      },
    };
    const listener = await listenUnix({ unix: path, mode: 0o660, group: String(Deno.gid()) }, watching);
    assert.equal(seen.length, 1);
    assert.ok(!seen[0]![0].includes("s"), "it is not in its place before");
    assert.equal(seen[0]![1], 0o700, "and nobody else gets to where it is");
    assert.deepEqual([modeOf(path), Deno.lstatSync(path).gid], [0o660, Deno.gid()]);
    assert.deepEqual(entries(folder.path), ["s"]);
    assert.deepEqual(listener.address, { host: path, port: 0 });
    const [client, conn] = await Promise.all([connectUnix(path), listener.accept()]);
    await client.write("hello");
    await client.closeWrite();
    assert.equal(new TextDecoder().decode(await readAll(conn)), "hello");
    await writeAll(conn, new TextEncoder().encode("bye"));
    assert.deepEqual(conn.peer, engine.name === "native" ? { uid: Deno.uid(), pid: Deno.pid } : undefined);
    conn.close();
    assert.equal(await client.readText(3), "bye");
    client.close();
    const pending = Promise.resolve(listener.accept()).catch(() => {});
    listener.close();
    listener.close();
    await pending;
    assert.deepEqual(entries(folder.path), []);
  },
);

engineTest("a socket that is left over is replaced, one that is alive or none is not", async (engine) => {
  using folder = new TempFolder();
  const at = (name: string) => `${folder.path}/${name}`;
  {
    const gone = Deno.listen({ transport: "unix", path: at("s") });
    await Deno.rename(at("s"), at("left"));
    gone.close();
  }
  const listener = await listenUnix({ unix: at("left") }, engine);
  assert.equal(modeOf(at("left")), 0o600);
  await assert.rejects(listenUnix({ unix: at("left") }, engine), /somebody listens at .*\/left already/);
  using alive = new UnixService(at("alive"));
  await assert.rejects(listenUnix({ unix: at("alive") }, engine), /somebody listens at .*\/alive already/);
  (await alive.accept()).close();
  folder.write("file", "precious");
  await assert.rejects(listenUnix({ unix: at("file") }, engine), /\/file is there, and is no socket: it is left alone/);
  assert.equal(await Deno.readTextFile(at("file")), "precious");
  await assert.rejects(listenUnix({ unix: at("no/s") }, engine), /there is no folder .*\/no; make it, or let the unit/);
  await assert.rejects(listenUnix({ unix: at("g"), group: "no-such" }, engine), /there is no group "no-such"/);
  await assert.rejects(listenUnix({ unix: at("x".repeat(20) + "/s") }, engine), /there is no folder/);
  await Deno.remove(at("left"));
  using other = new UnixService(at("left")); // somebody put another in its place
  listener.close();
  assert.ok(entries(folder.path).includes("left"), "it is not its own any more");
  void other;
  assert.deepEqual(entries(folder.path), ["alive", "file", "left"]);
});

engineTest("what a killed process left of the making of a socket is swept, and nothing else", async (engine) => {
  using folder = new TempFolder();
  const make = (name: string) => (Deno.mkdirSync(`${folder.path}/${name}`), `${folder.path}/${name}`);
  const age = (path: string, ms: number) => Deno.utimeSync(path, new Date(Date.now() - ms), new Date(Date.now() - ms));
  const dead = make(".sp-0123abcd");
  const gone = Deno.listen({ transport: "unix", path: `${folder.path}/t` });
  Deno.renameSync(`${folder.path}/t`, `${dead}/s`);
  gone.close();
  const alive = make(".sp-00000001");
  using other = new UnixService(`${alive}/s`);
  const foreign = make(".sp-00000002");
  Deno.writeTextFileSync(`${foreign}/s`, "precious");
  for (const path of [dead, make(".sp-00000003"), alive, foreign, make(".sp-me")]) age(path, UNIX_LEFTOVER_MS);
  make(".sp-00000004");
  Deno.symlinkSync(foreign, `${folder.path}/.sp-00000005`);
  (await listenUnix({ unix: `${folder.path}/s` }, engine)).close();
  (await other.accept()).close();
  assert.deepEqual(entries(folder.path), [".sp-00000001", ".sp-00000002", ".sp-00000004", ".sp-00000005", ".sp-me"]);
  assert.equal(Deno.readTextFileSync(`${foreign}/s`), "precious");
  age(make(".sp-00000003"), UNIX_LEFTOVER_MS);
  (await listenUnix({ unix: `${folder.path}/s` }, engine)).close();
  assert.ok(entries(folder.path).includes(".sp-00000003"), "it is not looked for again with each socket");
  await sweepWorkshops(folder.path, engine, Date.now() + UNIX_SWEEP_MS);
  assert.ok(!entries(folder.path).includes(".sp-00000003"));
});
