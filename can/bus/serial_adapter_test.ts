/**
 * An adapter behind a serial line, as a pair of terminals.
 *
 * @module
 */

import assert from "node:assert/strict";
import { FakeClock } from "../../tests/rig/clock.ts";
import { hasPty, Pty } from "../../tests/rig/pty.ts";
import { test } from "../../tests/rig/test.ts";
import { settled, within } from "../../tests/rig/wait.ts";
import { LINE_DRAIN_POLL_MS } from "../../serial/limits.ts";
import { type LineCalls, lineCalls } from "../../serial/line/line_calls.ts";
import { Ioctl } from "../../serial/line/termios.ts";
import { USUAL_SETTINGS } from "../../serial/settings.ts";
import { BusError } from "./bus.ts";
import { serialAdapter } from "./serial_adapter.ts";

const onLinux = { ignore: !hasPty };

test("an adapter is a raw line at its speed, and is as it was behind its last user", async () => {
  using far = new Pty();
  const before = far.termios();
  const adapter = await serialAdapter(far.path, 500_000, { clock: new FakeClock() })();
  assert.deepEqual(far.settings, { ...USUAL_SETTINGS, baud: 500_000 });
  assert.equal(await adapter.write(new TextEncoder().encode("O\r")), 2);
  assert.equal(await far.text(2), "O\r");
  await far.write("t12320102\r");
  const into = new Uint8Array(32);
  assert.equal(await adapter.read(into), 10);
  adapter.close();
  assert.deepEqual(far.termios(), before);
}, onLinux);

test("who comes next waits until the adapter has sent its last words", async () => {
  using far = new Pty();
  const clock = new FakeClock();
  const machine = lineCalls()!;
  let isSending = true;
  let opened = 0;
  const calls: LineCalls = {
    ...machine,
    open: (...of) => {
      opened++;
      return machine.open(...of);
    },
    ioctl: (fd, request, argument) => {
      if (request !== Ioctl.TIOCOUTQ) return machine.ioctl(fd, request, argument);
      argument[0] = isSending ? 2 : 0;
      return 0;
    },
  };
  const open = serialAdapter(far.path, 115_200, { clock, calls });
  const first = await open();
  await first.write(new TextEncoder().encode("C\r"));
  first.close();
  const second = open();
  await settled();
  assert.equal(opened, 1);
  isSending = false;
  await clock.advance(LINE_DRAIN_POLL_MS);
  (await within(second, "the next user's turn")).close();
  assert.equal(opened, 2);
  assert.equal(await far.text(2), "C\r");
}, onLinux);

test("one that is not there, is none or is in use is told with what would do, and can be tried again", async () => {
  using far = new Pty();
  const clock = new FakeClock();
  const refusal = (path: string) =>
    assert.rejects(serialAdapter(path, 115_200, { clock }), (error) => error instanceof BusError && !error.isLacking);
  await refusal("/dev/no-such-adapter");
  await refusal("/dev/null");
  const one = await serialAdapter(far.path, 115_200, { clock })();
  const other = serialAdapter(far.path, 115_200, { clock });
  await assert.rejects(other(), /is in use by another program/);
  one.close();
  (await other()).close();
}, onLinux);
