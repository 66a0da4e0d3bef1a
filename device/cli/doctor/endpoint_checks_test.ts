import assert from "node:assert/strict";
import { echoService } from "../../../tests/rig/service.ts";
import { engineChoice } from "../../../tests/rig/engine.ts";
import { freePort } from "../../../tests/rig/ports.ts";
import { hasPty, Pty } from "../../../tests/rig/pty.ts";
import { TempFolder } from "../../../tests/rig/temp_folder.ts";
import { test } from "../../../tests/rig/test.ts";
import { UnixService } from "../../../tests/rig/unix_service.ts";
import { whyNoCan } from "../../../can/bus/socketcan.ts";
import { type Behind, endpointCheck } from "./endpoint_checks.ts";
import { EXECUTE, mayUse, parseStatus, READ, userOf, WRITE } from "../../../app/doctor/rights.ts";

const STRANGER = { uid: 4_242, gids: new Set([4_242]) };

async function look(place: string, more: Partial<Behind> = {}) {
  const check = endpointCheck({ name: "x", place, engine: engineChoice, user: userOf(), ...more });
  const { level, text, advice = "" } = await check.look(new AbortController().signal);
  return `${level} ${text}${advice && ` -> ${advice}`}`;
}

test("a Unix socket has to be there, to be one, to let the device in, and to be listened at", async () => {
  using folder = new TempFolder();
  const path = `${folder.path}/x.sock`;
  assert.match(await look(`unix:${path}`), /^warn there is no \S+x\.sock -> start what is to listen there/);
  assert.match(await look(`unix:${folder.write("file", "")}`), /^warn \S+ is no socket -> /);
  {
    using _service = new UnixService(path);
    assert.match(await look(`unix:${path}`), /^ok \S+x\.sock answers$/);
    Deno.chmodSync(path, 0o660);
    const barred = await look(`unix:${path}`, { user: STRANGER });
    assert.match(barred, /^warn user 4242 may not connect to \S+ \(mode 660, .*\) -> add that user to group \d+/);
    Deno.chmodSync(path, 0o600);
    assert.match(await look(`unix:${path}`, { user: STRANGER }), / -> have its owner let that user in$/);
  }
  assert.match(await look(`unix:@no-such-${crypto.randomUUID()}`), /^warn .* -> start what is to listen there/);
});

test("a program has to be there, to be a file, and to be one that may be run", async () => {
  using folder = new TempFolder();
  const path = folder.write("program", "#!/bin/sh\n");
  Deno.chmodSync(path, 0o644);
  assert.match(await look(`exec:${path}`), /^warn user \d+ may not run \S+ \(mode 644.*\) -> chmod \+x \S+program/);
  Deno.chmodSync(path, 0o755);
  assert.match(await look(`exec:${path}`), /^ok \S+program is there, and is started for each client$/);
  assert.match(await look(`exec:${folder.path}`), /^warn \S+ is no program -> /);
  assert.match(await look(`exec:${folder.path}/none`), /^warn there is no \S+none -> install it/);
});

test("a serial line has to be there, and to let the device in; it is not opened", async () => {
  if (!hasPty) return;
  using pty = new Pty();
  assert.match(await look(`serial:${pty.path}`), /^ok \S+ is there, and is opened for a client$/);
  assert.match(await look(`can:slcan:${pty.path}`), /^ok \S+ is there/);
  Deno.chmodSync(pty.path, 0o660);
  assert.match(
    await look(`serial:${pty.path}`, { user: STRANGER }),
    /^warn user 4242 may not read and write .* -> add that/,
  );
  const gone = { state: "gone", detail: null, counts: {} } as const;
  assert.match(await look(`serial:${pty.path}`, { endpoint: gone }), /^warn \S+ is gone, and waited for -> plug it in/);
  const open = { state: "open", detail: "115200,8n1", counts: {} } as const;
  assert.match(await look("serial:/dev/no-such-line", { endpoint: open }), /^ok \S+ is open: 115200,8n1$/);
  assert.match(await look("serial:/dev/no-such-line"), /^warn there is no \S+ -> plug it in, .*by-id/);
  assert.match(await look("serial:/"), /^warn \/ is no serial line -> /);
});

test("of UDP a name has to lead somewhere, and nothing is sent", async () => {
  const port = freePort("127.0.0.1");
  assert.match(await look(`udp:127.0.0.1:${port}`), /^ok udp:127\.0\.0\.1:\d+: nothing is sent, /);
  assert.match(await look(`udp:localhost:${port}`), /^ok udp:localhost:\d+ is .*127\.0\.0\.1.*; nothing is sent/);
});

test("a bus of the kernel has to be there and up, and one of the device itself always is", async () => {
  assert.match(await look("can:virtual:lab"), /^ok lab is a bus of the device itself$/);
  const missing = await look("can:no-such-can");
  if (whyNoCan("no-such-can") === undefined) assert.match(missing, /^warn there is no interface no-such-can -> ip -br/);
  else assert.match(missing, /^warn there is no CAN here -> .*modprobe can-raw/);
});

test("an address has to answer", async () => {
  await using echo = echoService();
  assert.equal(await look(`127.0.0.1:${echo.port}`), `ok 127.0.0.1:${echo.port} answers`);
  assert.match(
    await look(`127.0.0.1:${freePort("127.0.0.1")}`),
    /^warn 127\.0\.0\.1:\d+ does not answer: .* -> start what is/,
  );
  assert.match(await look(`can:slcan:tcp:127.0.0.1:${echo.port}`), /^ok .* answers$/);
});

test("rights go by owner, else by group, else by what all may", () => {
  const user = parseStatus("Name:\tx\nUid:\t7\t7\t7\t7\nGid:\t8\t8\t8\t8\nGroups:\t8 9 \nVmPeak: 1\n")!;
  assert.deepEqual([user.uid, user.gids.has(8), user.gids.has(9), user.gids.has(7)], [7, true, true, false]);
  assert.equal(parseStatus("Name: x"), undefined);
  const may = (mode: number, uid: number, gid: number, bits: number) => mayUse({ mode, uid, gid }, bits, user);
  assert.deepEqual([may(0o600, 7, 0, READ | WRITE), may(0o066, 7, 9, READ), may(0o600, 1, 9, READ)], [
    true,
    false,
    false,
  ]);
  assert.deepEqual([may(0o620, 1, 9, WRITE), may(0o620, 1, 9, READ | WRITE), may(0o666, 1, 1, READ)], [
    true,
    false,
    true,
  ]);
  const root = { uid: 0, gids: new Set<number>() };
  assert.deepEqual([0o000, 0o100].map((mode) => mayUse({ mode, uid: 1, gid: 1 }, EXECUTE, root)), [false, true]);
  assert.equal(mayUse({ mode: 0o000, uid: 1, gid: 1 }, READ | WRITE, root), true);
});
