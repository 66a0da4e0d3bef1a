import assert from "node:assert/strict";
import { systemClock } from "../../base/clock.ts";
import { engines, engineTest, never, readAll, writeAll } from "../_engines_fixture_test.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { TempFolder } from "../../tests/rig/temp_folder.ts";
import { test } from "../../tests/rig/test.ts";
import type { Engine } from "../socket.ts";
import { DialTimeout } from "./dial.ts";
import { dialUnix } from "./unix.ts";

const HELLO = new TextEncoder().encode("hello");
const options = (engine: Engine) => ({ engine, clock: systemClock, timeout: 5_000, signal: never });

engineTest("a Unix socket takes bytes both ways, and each side's end alone", async (engine) => {
  using folder = new TempFolder();
  const path = `${folder.path}/s`;
  using listener = Deno.listen({ transport: "unix", path });
  const [conn, peer] = await Promise.all([dialUnix(path, options(engine)), listener.accept()]);
  await writeAll(conn, HELLO);
  await conn.closeWrite();
  assert.deepEqual(await new Response(peer.readable).bytes(), HELLO);
  const again = Promise.all([dialUnix(path, options(engine)), listener.accept()]);
  const [second, other] = await again;
  await other.write(HELLO);
  other.close();
  assert.deepEqual(await readAll(second), HELLO);
  for (const each of [conn, second]) {
    each.close();
    each.close();
  }
});

engineTest("what is wrong with a Unix socket is said in one line", async (engine) => {
  using folder = new TempFolder();
  const at = (name: string) => `${folder.path}/${name}`;
  const listener = Deno.listen({ transport: "unix", path: at("s") });
  await Deno.rename(at("s"), at("left"));
  listener.close();
  await Deno.writeTextFile(at("file"), "");
  await Deno.mkdir(at("folder"));
  const wrong: readonly [path: string, why: RegExp, code: string][] = [
    [at("none"), /^there is no socket .*\/none; is its program running\?$/, "ENOENT"],
    [at("file/none"), /^there is no socket .*\/none; is its program running\?$/, "ENOTDIR"],
    [at("left"), /^nobody listens at the socket .*\/left: its file is left over/, "ECONNREFUSED"],
    [at("file"), /\/file is no socket$/, "ECONNREFUSED"],
    [at("folder"), /\/folder is no socket$/, "ECONNREFUSED"],
  ];
  for (const [path, why, code] of wrong) {
    await assert.rejects(dialUnix(path, options(engine)), (error) => {
      assert.ok(error instanceof Error && "code" in error, path);
      assert.match(error.message, why);
      assert.equal(error.code, code, path);
      return true;
    });
  }
});

engineTest("a socket at which too many wait is tried until one more may, or the time is up", async (engine) => {
  using folder = new TempFolder();
  const path = `${folder.path}/s`;
  const full = Object.assign(new Deno.errors.WouldBlock("Resource temporarily unavailable (os error 11)"), {
    code: "EAGAIN",
  });
  const clock = new FakeClock();
  let tries = 0;
  using listener = Deno.listen({ transport: "unix", path });
  const crowded: Engine = {
    ...engine,
    connectUnix: (at) => ++tries < 3 ? Promise.reject(full) : engine.connectUnix(at),
  };
  const dialled = dialUnix(path, { engine: crowded, clock, timeout: 100, signal: never });
  await clock.armed(10);
  clock.tick(10);
  await clock.armed(20);
  clock.tick(20);
  (await dialled).close();
  (await listener.accept()).close();
  const never3: Engine = { ...engine, connectUnix: () => Promise.reject(full) };
  const late = dialUnix(path, { engine: never3, clock, timeout: 15, signal: never });
  await clock.armed(10);
  clock.tick(10);
  await clock.armed(5);
  clock.tick(5);
  await assert.rejects(late, DialTimeout);
  const stop = new AbortController();
  const given = dialUnix(path, { engine: never3, clock, timeout: 15, signal: stop.signal });
  await clock.armed(10);
  stop.abort(new Error("gone"));
  await assert.rejects(given, /gone/);
  assert.equal(clock.pending, 0);
});

test("an abstract socket is reached by the native engine, and the portable one says that it cannot", async () => {
  for (const engine of engines) {
    const error = await dialUnix("@sallyport-nobody-listens-here", options(engine)).catch((error: unknown) => error);
    assert.ok(error instanceof Error);
    if (engine.name === "native") assert.match(error.message, /^nobody listens at the socket @sallyport/);
    else assert.match(error.message, /abstract sockets take the native engine/);
  }
});
