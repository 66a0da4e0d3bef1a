/**
 * Serial lines of the kernel, as pairs of terminals: what is set here is read at the far end.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { FakeClock } from "../../tests/rig/clock.ts";
import { hasPty, Pty } from "../../tests/rig/pty.ts";
import { folderTest, test } from "../../tests/rig/test.ts";
import { within } from "../../tests/rig/wait.ts";
import { LINE_DRAIN_MS, LINE_DRAIN_POLL_MS } from "../limits.ts";
import { FLOWS, isFrame, type LineSettings, PARITIES, USUAL_SETTINGS } from "../settings.ts";
import { MAX_LOCK_FILE } from "../limits.ts";
import { SerialError } from "./line.ts";
import { type LineCalls, lineCalls } from "./line_calls.ts";
import { EACCES, ESRCH } from "../../net/kernel/errno.ts";
import { takeLockFile } from "./lock_file.ts";
import { Ioctl, readSettings, TERMIOS_SIZE, writeSettings } from "./termios.ts";
import { openTty } from "./tty.ts";

const clock = new FakeClock();
const onLinux = { ignore: !hasPty };

test("settings are read from the structure as they were written, odd speeds too", () => {
  const anySettings = fc.record<LineSettings>({
    baud: fc.oneof(fc.constantFrom(50, 9600, 115_200, 4_000_000), fc.integer({ min: 50, max: 20_000_000 })),
    dataBits: fc.integer({ min: 5, max: 8 }),
    parity: fc.constantFrom(...PARITIES),
    stopBits: fc.constantFrom(1, 1.5, 2),
    flow: fc.constantFrom(...FLOWS),
  }).filter(isFrame);
  fc.assert(
    fc.property(anySettings, fc.uint8Array({ minLength: TERMIOS_SIZE, maxLength: TERMIOS_SIZE }), (one, was) => {
      const termios = new Uint8Array(was);
      writeSettings(termios, one);
      assert.deepEqual(readSettings(termios), { ...one });
    }),
  );
});

test("the structure of 9600 7e2 with XON and XOFF is what stty would make of it", () => {
  const termios = new Uint8Array(TERMIOS_SIZE);
  writeSettings(termios, { baud: 9600, dataBits: 7, parity: "even", stopBits: 2, flow: "xon" });
  const [iflag, oflag, cflag, lflag] = new Uint32Array(termios.buffer.slice(0, 16));
  assert.deepEqual([iflag, oflag, cflag! & 0xffff, lflag], [
    0o12001,
    0,
    0o15 | 0o40 | 0o100 | 0o200 | 0o400 | 0o4000,
    0,
  ]);
});

test("a line is set when it is opened, carries every byte, and is as it was when it is closed", async () => {
  using far = new Pty();
  const before = far.termios();
  const line = openTty(far.path, { ...USUAL_SETTINGS, baud: 31_250, flow: "xon" }, "shared", { clock });
  assert.deepEqual(far.settings, { ...USUAL_SETTINGS, baud: 31_250, flow: "xon" });
  assert.deepEqual(line.set({ ...USUAL_SETTINGS, baud: 9600, flow: "rts" }), far.settings);
  assert.equal(far.settings.baud, 9600);
  line.set(USUAL_SETTINGS);
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  assert.equal(await line.write(all), 256);
  assert.deepEqual(await far.read(), all);
  await far.write(all);
  const into = new Uint8Array(512);
  assert.equal(await line.read(into), 256);
  assert.deepEqual(into.subarray(0, 256), all);
  await line.close();
  assert.deepEqual(far.termios(), before);
}, onLinux);

test("a read that waits hears of a far end that is gone", async () => {
  const far = new Pty();
  const line = openTty(far.path, USUAL_SETTINGS, "shared", { clock });
  const read = (async () => await line.read(new Uint8Array(16)))().catch((error) => error.code);
  far.close();
  assert.ok([null, "EIO"].includes(await within(read, "the hang-up")));
  line.cut();
}, onLinux);

test("what the system has still to send goes out, or is dropped in time", async () => {
  using far = new Pty();
  const time = new FakeClock();
  const machine = lineCalls()!;
  let left = 2; // looks at which there is something to send
  const flushed: bigint[] = [];
  const calls: LineCalls = {
    ...machine,
    ioctl: (fd, request, argument) => {
      if (request !== Ioctl.TIOCOUTQ) return machine.ioctl(fd, request, argument);
      argument[0] = left-- > 0 ? 7 : 0;
      return 0;
    },
    ioctlNumber: (_fd, _request, argument) => flushed.push(argument),
  };
  const line = openTty(far.path, USUAL_SETTINGS, "shared", { clock: time, calls });
  await line.write(new Uint8Array(100));
  const closed = line.close();
  await time.advance(2 * LINE_DRAIN_POLL_MS);
  await within(closed, "the end of a line that has sent all");
  assert.deepEqual(flushed, []);
  assert.equal((await far.read()).length, 100);
  left = Infinity;
  const stuck = openTty(far.path, USUAL_SETTINGS, "shared", { clock: time, calls });
  const dropped = stuck.close();
  await time.advance(LINE_DRAIN_MS);
  await within(dropped, "the end of one that cannot");
  assert.deepEqual(flushed, [1n]);
}, onLinux);

folderTest("a locked line is one program's, by the kernel's means and by a lock file", (lockFolder) => {
  using far = new Pty();
  const line = openTty(far.path, USUAL_SETTINGS, "locked", { clock, lockFolder });
  const file = `${lockFolder}/LCK..${far.path.slice("/dev/".length).replaceAll("/", "_")}`;
  assert.equal(Deno.readTextFileSync(file), `${String(Deno.pid).padStart(10)}\n`);
  const again = () => openTty(far.path, USUAL_SETTINGS, "locked", { clock, lockFolder });
  assert.throws(
    again,
    (error) => error instanceof SerialError && error.isBusy && /is in use by process/.test(error.message),
  );
  Deno.removeSync(file);
  assert.throws(again, /is in use by another program/); // the kernel knows, too
  line.cut();
  again().cut();
  assert.deepEqual([...Deno.readDirSync(lockFolder)], []);
}, onLinux);

folderTest("a lock that a dead process left is taken over, and one of a living one is not", (folder) => {
  const calls = { kill: (pid: number) => pid === 4711 ? 0 : -1, errno: () => ESRCH };
  Deno.writeTextFileSync(`${folder}/LCK..ttyUSB0`, "     99999\n");
  const free = takeLockFile("/dev/ttyUSB0", calls, folder);
  free();
  free();
  Deno.writeTextFileSync(`${folder}/LCK..ttyUSB0`, "4711 minicom root\n");
  assert.throws(() => takeLockFile("/dev/ttyUSB0", calls, folder), /in use by process 4711, as .*LCK\.\.ttyUSB0 says/);
  Deno.writeTextFileSync(`${folder}/LCK..ttyUSB0`, "\x01\x02\x03\x04");
  assert.throws(() => takeLockFile("/dev/ttyUSB0", calls, folder), /in use by another program/);
  assert.throws(() => takeLockFile("/dev/ttyUSB0", calls, `${folder}/no`), /cannot be locked by .* or leave lock out/);
});

folderTest("whatever stands in place of a lock, it is not waited for and not read without an end", (folder) => {
  const calls = { kill: () => -1, errno: () => ESRCH };
  const path = `${folder}/LCK..ttyUSB0`;
  const make = [
    () => assert.ok(new Deno.Command("mkfifo", { args: [path] }).outputSync().success),
    () => Deno.symlinkSync("/dev/zero", path),
    () => Deno.mkdirSync(path),
    () => Deno.writeTextFileSync(path, " ".repeat(MAX_LOCK_FILE + 1)),
  ];
  for (const fn of make) {
    fn();
    assert.throws(
      () => takeLockFile("/dev/ttyUSB0", calls, folder),
      /cannot be locked by .*: (it is not a file|it has)/,
    );
    const { isFifo, isSymlink, isDirectory, isFile } = Deno.lstatSync(path);
    assert.ok(isFifo || isSymlink || isDirectory || isFile, "it is left alone");
    Deno.removeSync(path);
  }
});

test("a line that cannot be had is told with what would do", () => {
  const open = (path: string) => openTty(path, USUAL_SETTINGS, "shared", { clock });
  assert.throws(() => open("/dev/no-such-line"), /there is no \/dev\/no-such-line; is the adapter plugged in\?/);
  assert.throws(() => open("/dev/null"), /is no serial line; `ls \/dev\/serial\/by-id`/);
  const calls = { ...lineCalls()!, open: () => -1, errno: () => EACCES };
  const barred = () => openTty("/dev/ttyUSB0", USUAL_SETTINGS, "shared", { clock, calls });
  assert.throws(barred, /may not be opened by this user; .*usermod -aG dialout/);
  const none = () => openTty("/dev/ttyUSB0", USUAL_SETTINGS, "shared", { clock, calls: undefined });
  if (!hasPty) assert.throws(none, /takes Linux with glibc, and the permission to call it \(--allow-ffi\); without it/);
}, onLinux);
