import assert from "node:assert/strict";
import { systemClock } from "../../base/clock.ts";
import {
  EXEC_FLOOD_PAUSE_MS,
  EXEC_HANG_UP_MS,
  EXEC_LAST_MS,
  EXEC_LOG_LINE,
  EXEC_LOG_LINES,
  EXEC_TERMINATE_MS,
} from "../limits.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { test } from "../../tests/rig/test.ts";
import { poll, within } from "../../tests/rig/wait.ts";
import { Program } from "./program.ts";
import { ErrorLines } from "./program_pipes.ts";

/** A program that has set its traps when it prints a line. */
async function stubborn(clock: FakeClock, script: string): Promise<Program> {
  const program = new Program(["/bin/sh", "-c", script], {}, true, clock);
  const reader = program.child.stdout.getReader();
  await within(reader.read(), "its line");
  await reader.cancel();
  await program.child.stdin.close();
  await program.child.stderr.cancel();
  return program;
}

test("a program that does not end when it is hung up is terminated, then killed", async () => {
  const clock = new FakeClock();
  const program = await stubborn(clock, 'trap "" HUP TERM; echo; while :; do sleep 0.01; done');
  program.hangUp();
  program.hangUp();
  assert.equal(clock.pending, 1);
  clock.tick(EXEC_HANG_UP_MS);
  await clock.armed(EXEC_TERMINATE_MS);
  clock.tick(EXEC_TERMINATE_MS);
  assert.deepEqual(await within(program.ended, "its end"), { code: 137, signal: "SIGKILL" });
  program.hangUp();
  program.signal("SIGTERM");
  assert.equal(clock.pending, 0);
});

test("one that sees to its end at SIGTERM has the time for that, and its exit code is told", async () => {
  const clock = new FakeClock();
  const program = await stubborn(
    clock,
    'exec 2>/dev/null; trap "" HUP; trap "exit 3" TERM; echo; while :; do sleep 0.01; done',
  );
  program.hangUp();
  clock.tick(EXEC_HANG_UP_MS);
  assert.deepEqual(await within(program.ended, "its end"), { code: 3, signal: null });
  assert.equal(clock.pending, 0, "nothing is left to wait for");
});

test("when the device ends there is less time", async () => {
  const clock = new FakeClock();
  const program = await stubborn(clock, 'trap "" HUP TERM; echo; while :; do sleep 0.01; done');
  program.hangUp();
  program.hurry();
  await clock.armed(EXEC_LAST_MS);
  assert.equal(clock.pending, 1);
  clock.tick(EXEC_LAST_MS);
  assert.equal((await within(program.ended, "its end")).signal, "SIGKILL");
});

test("of what a program says on the side, so many lines of so many characters are told", async () => {
  const lines: string[] = [];
  const text = `one\n\ntwo${"x".repeat(2 * EXEC_LOG_LINE)}\n` + "more\n".repeat(EXEC_LOG_LINES) + "last";
  const bytes = new TextEncoder().encode(text);
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      for (let at = 0; at < bytes.length; at += 7) controller.enqueue(bytes.slice(at, at + 7));
      controller.close();
    },
  });
  const errors = new ErrorLines(stream, systemClock, (line) => lines.push(line));
  await poll(() => lines.length > EXEC_LOG_LINES, () => `${lines.length} lines`);
  assert.equal(lines.length, EXEC_LOG_LINES + 1);
  assert.deepEqual([lines[0], lines[1]!.length, lines[2]], ["one", EXEC_LOG_LINE + 1, "more"]);
  assert.equal(lines.at(-1), "(more lines, which are left out)");
  errors.close();
  await errors.over;
});

test("a program that writes to its standard error without an end has to wait for the device", async () => {
  const clock = new FakeClock();
  const lines: string[] = [];
  let pulled = 0;
  const chunk = new TextEncoder().encode("error\n".repeat(1_000));
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      pulled++;
      controller.enqueue(chunk.slice());
    },
  });
  const errors = new ErrorLines(stream, clock, (line) => lines.push(line));
  await clock.armed(EXEC_FLOOD_PAUSE_MS);
  assert.equal(lines.length, EXEC_LOG_LINES + 1);
  const before = pulled;
  assert.ok(before < 10, `${before} were read`);
  await clock.advance(100 * EXEC_FLOOD_PAUSE_MS);
  assert.ok(pulled > before && pulled < before + 110, `${pulled - before} more`);
  errors.close();
  await errors.over;
});
