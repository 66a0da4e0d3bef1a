import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import fc from "fast-check";
import type { Logger } from "../net/logger.ts";
import { SHUTDOWN_TIMEOUT_MS } from "../net/limits.ts";
import { ManualClock } from "../tests/support/manual_clock.ts";
import { test } from "../tests/support/test.ts";
import type { HookExit, HookProcess } from "./hook_process.ts";
import {
  HOOK_EVENTS,
  HOOK_KILL_MS,
  HOOK_LAST_MS,
  HOOK_TIMEOUT_MS,
  type HookEvent,
  type HookNotice,
  HookRunner,
  LEFT_OUT_LOG_MS,
  MAX_HOOK_VALUE,
  MAX_HOOKS_RUNNING,
  MAX_HOOKS_WAITING,
} from "./hooks.ts";

/** A program that ends when the test says so. */
class FakeProcess implements HookProcess {
  readonly signals: string[] = [];
  readonly ended: Promise<HookExit>;
  readonly what: string;
  #end!: (exit: HookExit) => void;

  constructor(readonly command: readonly string[], readonly environment: Record<string, string>) {
    this.ended = new Promise((resolve) => this.#end = resolve);
    this.what = `${environment["SALLYPORT_DEVICE"]} ${environment["SALLYPORT_EVENT"]}`;
  }

  kill(signal: string): void {
    this.signals.push(signal);
  }

  async exit(code = 0, signal: string | null = null): Promise<void> {
    this.#end({ code, signal });
    await turn();
  }
}

/** Lets everything run that is ready to. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

class Bench {
  readonly clock = new ManualClock();
  readonly started: FakeProcess[] = [];
  readonly warnings: string[] = [];
  readonly runner: HookRunner;
  fails: Error | undefined;

  constructor(events: readonly HookEvent[] = HOOK_EVENTS) {
    const logger: Logger = {
      debug: () => {},
      info: () => assert.fail("a hook is not worth a line that everybody sees"),
      warn: (message, fields = {}) => {
        this.warnings.push(message.replace(/\{(\w+)\}/g, (_, name) => String(fields[name])));
      },
      error: () => assert.fail("a hook is no error of the daemon"),
    };
    this.runner = new HookRunner({
      hooks: Object.fromEntries(events.map((event) => [event, [`/bin/${event}`, "--flag", "secret"]])),
      logger,
      clock: this.clock,
      environment: { PATH: "/bin" },
      spawn: (command, environment) => {
        if (this.fails) throw this.fails;
        const process = new FakeProcess(command, environment);
        this.started.push(process);
        return process;
      },
    });
  }

  async tell(device: string, event: HookEvent, more: Partial<HookNotice> = {}): Promise<void> {
    this.runner.tell({ event, subject: device, ...more, facts: { DEVICE: device, ...more.facts } });
    await turn();
  }

  get order(): string[] {
    return this.started.map(({ what }) => what);
  }
}

test("a hook is its argument list, and its environment is what was inherited and the facts of the event", async () => {
  const bench = new Bench();
  await bench.tell("gw1", "lost", { facts: { REASON: "expired", DETAIL: undefined, DURATION_MS: 17 } });
  assert.deepEqual(bench.started[0]!.command, ["/bin/lost", "--flag", "secret"]);
  assert.deepEqual(bench.started[0]!.environment, {
    PATH: "/bin",
    SALLYPORT_EVENT: "lost",
    SALLYPORT_DEVICE: "gw1",
    SALLYPORT_REASON: "expired",
    SALLYPORT_DURATION_MS: "17",
  });
  await bench.started[0]!.exit();
  assert.deepEqual(bench.warnings, []);
});

test("what a peer said reaches a hook as one bounded line of well-formed text", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary", maxLength: 2 * MAX_HOOK_VALUE }), async (said) => {
      const bench = new Bench();
      await bench.tell("gw1", "lost", { facts: { DETAIL: `\n${said}\0\x1b[2J\u2028\ud800` } });
      const value = bench.started[0]!.environment["SALLYPORT_DETAIL"]!;
      assert.ok(value.isWellFormed() && value.length <= MAX_HOOK_VALUE && value.startsWith(" "));
      assert.doesNotMatch(value, /[\p{Cc}\u2028\u2029]/u);
      await bench.started[0]!.exit();
    }),
    { numRuns: 50 },
  );
});

test("an event without a hook runs nothing, and takes nobody's place", async () => {
  const bench = new Bench(["lost"]);
  for (const event of HOOK_EVENTS) await bench.tell("gw1", event);
  assert.deepEqual(bench.order, ["gw1 lost"]);
});

test("the hooks of a device run one after the other, in order; another device does not wait for them", async () => {
  const bench = new Bench();
  for (const event of ["online", "interrupted", "resumed"] as const) await bench.tell("gw1", event);
  await bench.tell("gw2", "online");
  assert.deepEqual(bench.order, ["gw1 online", "gw2 online"]);
  await bench.started[0]!.exit();
  assert.deepEqual(bench.order.slice(2), ["gw1 interrupted"]);
  await bench.started[2]!.exit(1);
  assert.deepEqual(bench.order.slice(3), ["gw1 resumed"]);
});

test(`no more than ${MAX_HOOKS_RUNNING} hooks run at once, and the longest-waiting one is next`, async () => {
  const bench = new Bench();
  for (let n = 0; n < MAX_HOOKS_RUNNING + 3; n++) await bench.tell(`gw${n}`, "online");
  assert.equal(bench.started.length, MAX_HOOKS_RUNNING);
  await bench.started[2]!.exit();
  await bench.started[0]!.exit();
  assert.deepEqual(bench.order.slice(MAX_HOOKS_RUNNING), ["gw4 online", "gw5 online"]);
});

test("a device that comes and goes while its hook runs has the newest of each event waiting, in order", async () => {
  const bench = new Bench();
  await bench.tell("gw1", "online");
  for (let n = 0; n < 3; n++) {
    await bench.tell("gw1", "interrupted", { facts: { REASON: `cut ${n}` } });
    await bench.tell("gw1", "resumed");
  }
  await bench.tell("gw1", "lost");
  for (let n = 0; n < 4; n++) await bench.started[n]!.exit();
  assert.deepEqual(bench.order, ["gw1 online", "gw1 interrupted", "gw1 resumed", "gw1 lost"]);
  assert.equal(bench.started[1]!.environment["SALLYPORT_REASON"], "cut 2");
});

test(`beyond ${MAX_HOOKS_WAITING} that wait the oldest is left out, which is logged once a minute`, async () => {
  const bench = new Bench();
  for (let n = 0; n < MAX_HOOKS_RUNNING + MAX_HOOKS_WAITING; n++) await bench.tell(`gw${n}`, "lost");
  assert.deepEqual(bench.warnings, []);
  for (let n = 0; n < 3; n++) await bench.tell(`late${n}`, "lost");
  assert.equal(bench.warnings.length, 1);
  assert.match(bench.warnings[0]!, /^1 hooks are left out/);
  bench.clock.advance(LEFT_OUT_LOG_MS);
  assert.match(bench.warnings.filter((line) => /left out/.test(line))[1]!, /^2 hooks are left out/);
  for (let at = 0; at < bench.started.length; at++) await bench.started[at]!.exit();
  assert.equal(bench.started.length, MAX_HOOKS_RUNNING + MAX_HOOKS_WAITING);
  assert.equal(bench.order.includes(`gw${MAX_HOOKS_RUNNING} lost`), false, "the oldest that waited");
  assert.equal(bench.order.at(-1), "late2 lost");
});

test("whatever comes, bounds hold, and the last that a device's hooks hear is the last that happened", async () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ device: fc.nat(5), event: fc.constantFrom(...HOOK_EVENTS) }),
      fc.record({ exits: fc.nat(20) }),
    ),
    { maxLength: 100 },
  );
  await fc.assert(
    fc.asyncProperty(steps, async (steps) => {
      const bench = new Bench();
      const last = new Map<string, string>();
      const exited = new Set<FakeProcess>();
      const running = () => bench.started.filter((process) => !exited.has(process));
      const exit = async (process: FakeProcess) => {
        exited.add(process);
        await process.exit();
      };
      for (const step of steps) {
        if ("exits" in step) {
          const process = running()[step.exits % MAX_HOOKS_RUNNING];
          if (process) await exit(process);
        } else {
          await bench.tell(`gw${step.device}`, step.event);
          last.set(`gw${step.device}`, step.event);
        }
        const devices = running().map(({ environment }) => environment["SALLYPORT_DEVICE"]);
        assert.ok(devices.length <= MAX_HOOKS_RUNNING && new Set(devices).size === devices.length);
      }
      while (running().length > 0) await exit(running()[0]!);
      for (const [device, event] of last) {
        const heard = bench.started.filter(({ environment }) => environment["SALLYPORT_DEVICE"] === device);
        assert.equal(heard.at(-1)!.what, `${device} ${event}`);
      }
    }),
    { numRuns: 100 },
  );
});

test("a loss that is told after the device is back comes before its coming back", async () => {
  const bench = new Bench();
  bench.runner.tell({ event: "online", subject: "gw1", facts: { DEVICE: "gw1" } });
  bench.runner.tell({ event: "lost", subject: "gw1", facts: { DEVICE: "gw1" }, late: true });
  await turn();
  await bench.started[0]!.exit();
  assert.deepEqual(bench.order, ["gw1 lost", "gw1 online"]);
});

test("a hook that takes too long is asked to end, then made to, with one line, and the next has its turn", async () => {
  const bench = new Bench();
  await bench.tell("gw1", "online");
  await bench.tell("gw1", "lost");
  const [hook] = bench.started;
  bench.clock.advance(HOOK_TIMEOUT_MS - 1);
  assert.deepEqual(hook!.signals, []);
  bench.clock.advance(1);
  assert.deepEqual(hook!.signals, ["SIGTERM"]);
  bench.clock.advance(HOOK_KILL_MS);
  assert.deepEqual(hook!.signals, ["SIGTERM", "SIGKILL"]);
  assert.equal(bench.started.length, 1, "its place is taken until it is gone");
  await hook!.exit(137, "SIGKILL");
  assert.equal(bench.order[1], "gw1 lost");
  assert.deepEqual(bench.warnings, ["hook on-online for gw1 is ended after 30.0 s: /bin/online"]);
});

test("a hook that ends when it is asked to is sent nothing more", async () => {
  const bench = new Bench();
  await bench.tell("gw1", "online");
  bench.clock.advance(HOOK_TIMEOUT_MS);
  await bench.started[0]!.exit(143, "SIGTERM");
  bench.clock.advance(2 * HOOK_KILL_MS);
  assert.deepEqual(bench.started[0]!.signals, ["SIGTERM"]);
});

test("a hook that ends in time is left alone for good", async () => {
  const bench = new Bench();
  await bench.tell("gw1", "online");
  await bench.started[0]!.exit();
  bench.clock.advance(2 * HOOK_TIMEOUT_MS);
  assert.deepEqual([bench.started[0]!.signals, bench.warnings], [[], []]);
});

test("an exit code, a signal and a program that is not there are one line each, without the arguments", async () => {
  const bench = new Bench();
  await bench.tell("gw1", "lost");
  await bench.started[0]!.exit(3);
  await bench.tell("gw1", "lost");
  await bench.started[1]!.exit(139, "SIGSEGV");
  bench.fails = new Deno.errors.NotFound("Failed to spawn '/bin/lost': No such file or directory (os error 2)");
  await bench.tell("gw1", "lost");
  bench.fails = undefined;
  assert.deepEqual(bench.warnings, [
    "hook on-lost for gw1 ended with exit code 3: /bin/lost",
    "hook on-lost for gw1 was ended by SIGSEGV: /bin/lost",
    "hook on-lost for gw1: cannot run /bin/lost: Failed to spawn '/bin/lost': No such file or directory",
  ]);
  await bench.tell("gw1", "online");
  assert.equal(bench.order.at(-1), "gw1 online", "what could not run holds nothing up");
});

/** Closes, and says whether that is done. */
function closing(bench: Bench): { readonly done: boolean } {
  const state = { done: false };
  bench.runner.close().then(() => state.done = true);
  return state;
}

test("at the end hooks that run or wait have the rest of the time, and the end waits no longer than for them", async () => {
  const bench = new Bench();
  await bench.tell("gw1", "online");
  bench.runner.ending();
  await bench.tell("gw1", "lost");
  bench.clock.advance(SHUTDOWN_TIMEOUT_MS - 2_000);
  const close = closing(bench);
  await bench.started[0]!.exit();
  assert.deepEqual([bench.order, close.done], [["gw1 online", "gw1 lost"], false]);
  await bench.started[1]!.exit();
  assert.equal(close.done, true);
  await bench.tell("gw1", "online");
  assert.equal(bench.started.length, 2, "nothing runs after the end");
});

test("at the end of the time hooks are ended, those that wait do not run, and one that cannot be ended is left", async () => {
  const bench = new Bench();
  bench.runner.ending();
  await bench.tell("gw1", "online");
  await bench.tell("gw1", "lost");
  const close = closing(bench);
  bench.clock.advance(SHUTDOWN_TIMEOUT_MS - 1);
  assert.deepEqual(bench.started[0]!.signals, []);
  bench.clock.advance(1);
  assert.deepEqual(bench.started[0]!.signals, ["SIGTERM"]);
  await turn();
  assert.equal(close.done, false);
  bench.clock.advance(HOOK_KILL_MS);
  await turn();
  assert.deepEqual(bench.started[0]!.signals, ["SIGTERM", "SIGKILL"]);
  assert.deepEqual([bench.started.length, close.done], [1, true]);
  assert.match(bench.warnings.join("|"), /^1 hooks are left out/);
});

test("the last hooks have a moment, also when the end took all of its time; with none the end is at once", async () => {
  const bench = new Bench();
  bench.runner.ending();
  bench.clock.advance(SHUTDOWN_TIMEOUT_MS + 100);
  await bench.tell("gw1", "lost");
  closing(bench);
  bench.clock.advance(HOOK_LAST_MS - 1);
  assert.deepEqual(bench.started[0]!.signals, []);
  bench.clock.advance(1);
  assert.deepEqual(bench.started[0]!.signals, ["SIGTERM"]);
  await new Bench().runner.close();
});

test("the bounds of hooks are those that operations.md tells", async () => {
  const text = await Deno.readTextFile(new URL("../docs/operations.md", import.meta.url));
  const rows = Object.fromEntries(
    [...text.matchAll(/^\| `(\w*HOOK\w*|LEFT_OUT_LOG_MS)` +\| ([\d,]+)(?: (ms|s))? /gm)].map((
      [, name, number, unit],
    ) => [
      name,
      Number(number!.replace(",", "")) * (unit === "s" ? 1_000 : 1),
    ]),
  );
  assert.deepEqual(rows, {
    MAX_HOOKS_RUNNING,
    MAX_HOOKS_WAITING,
    HOOK_TIMEOUT_MS,
    HOOK_KILL_MS,
    HOOK_LAST_MS,
    MAX_HOOK_VALUE,
    LEFT_OUT_LOG_MS,
  });
});
