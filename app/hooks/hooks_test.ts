import assert from "node:assert/strict";
import fc from "fast-check";
import {
  HOOK_KILL_MS,
  HOOK_LAST_MS,
  HOOK_TIMEOUT_MS,
  HOOK_USE_KEPT_MS,
  LEFT_OUT_LOG_MS,
  MAX_HOOK_VALUE,
  MAX_HOOKS_RUNNING,
  MAX_HOOKS_WAITING,
  MAX_SLOW_HOOKS,
  SLOW_HOOKS_MS,
} from "../limits.ts";
import { test } from "../../tests/rig/test.ts";
import { HOOK_EVENTS } from "./hooks.ts";
import { Bench, type FakeProcess, turn } from "./_hooks_fixture_test.ts";

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
  bench.clock.tick(LEFT_OUT_LOG_MS);
  assert.match(bench.warnings.filter((line) => /left out/.test(line))[1]!, /^2 hooks are left out/);
  for (let at = 0; at < bench.started.length; at++) await bench.started[at]!.exit();
  assert.equal(bench.started.length, MAX_HOOKS_RUNNING + MAX_HOOKS_WAITING);
  assert.equal(bench.order.includes(`gw${MAX_HOOKS_RUNNING} lost`), false, "the oldest that waited");
  assert.equal(bench.order.at(-1), "late2 lost");
});

test("a device that comes and goes, with slow hooks, is behind all others, until it was quiet for a while", async () => {
  const bench = new Bench();
  for (const event of ["online", "interrupted", "resumed", "lost"] as const) await bench.tell("flaps", event);
  bench.clock.tick(SLOW_HOOKS_MS - 1);
  const running = Array.from({ length: MAX_HOOKS_RUNNING - 1 }, (_, n) => `gw${n}`);
  for (const device of running) await bench.tell(device, "online");
  await bench.tell("late", "lost");
  await bench.started[0]!.exit();
  assert.equal(bench.order.at(-1), "late lost");
  await bench.started.at(-1)!.exit();
  assert.equal(bench.order.at(-1), "flaps interrupted");
  bench.clock.tick(HOOK_USE_KEPT_MS - 1);
  await bench.started.at(-1)!.exit();
  assert.equal(bench.order.at(-1), "flaps resumed");
  for (const process of bench.started) await process.exit();
  for (const process of bench.started) await process.exit();
  assert.equal(bench.order.at(-1), "flaps lost");
  for (const process of bench.started) await process.exit();
});

test("devices whose hooks are slow leave a place to the others", async () => {
  const bench = new Bench();
  const slow = Array.from({ length: MAX_HOOKS_RUNNING }, (_, n) => `slow${n}`);
  for (const device of slow) await bench.tell(device, "online");
  bench.clock.tick(SLOW_HOOKS_MS);
  for (const process of [...bench.started]) await process.exit();
  for (const device of slow) await bench.tell(device, "lost");
  assert.equal(bench.started.length, MAX_HOOKS_RUNNING + MAX_SLOW_HOOKS);
  await bench.tell("gw1", "online");
  assert.equal(bench.order.at(-1), "gw1 online");
  for (const process of [...bench.started]) await process.exit();
  for (const process of [...bench.started]) await process.exit();
  assert.equal(bench.order.at(-1), `${slow.at(-1)} lost`);
});

test(`beyond ${MAX_HOOKS_WAITING} that wait it is the device with most of them that loses its oldest`, async () => {
  const bench = new Bench();
  for (let n = 0; n < MAX_HOOKS_RUNNING; n++) await bench.tell(`busy${n}`, "online");
  for (let n = 2; n < MAX_HOOKS_WAITING; n++) await bench.tell(`gw${n}`, "lost");
  for (const event of ["lost", "online"] as const) await bench.tell("flaps", event);
  await bench.tell("late", "lost");
  for (let at = 0; at < bench.started.length; at++) await bench.started[at]!.exit();
  assert.deepEqual(bench.order.filter((what) => what.startsWith("flaps")), ["flaps online"]);
  assert.equal(bench.started.length, MAX_HOOKS_RUNNING + MAX_HOOKS_WAITING);
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

test("the bounds of hooks are those that the documents tell", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/operate/hooks.md", import.meta.url));
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
    SLOW_HOOKS_MS,
    MAX_SLOW_HOOKS,
    HOOK_USE_KEPT_MS,
    HOOK_TIMEOUT_MS,
    HOOK_KILL_MS,
    HOOK_LAST_MS,
    MAX_HOOK_VALUE,
    LEFT_OUT_LOG_MS,
  });
});
