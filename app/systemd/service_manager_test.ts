import assert from "node:assert/strict";
import { FakeClock } from "../../tests/rig/clock.ts";
import { silentLogger } from "../../base/logger.ts";
import { libc } from "../../net/kernel/libc.ts";
import { Datagrams } from "../../tests/rig/datagrams.ts";
import { TempFolder } from "../../tests/rig/temp_folder.ts";
import { test } from "../../tests/rig/test.ts";
import { MAX_STATUS_LINE, STATUS_INTERVAL_MS } from "../limits.ts";
import { socketAddress } from "./notify_socket.ts";
import { ServiceManager } from "./service_manager.ts";

const ignore = libc() === undefined;

/** A manager that is told, what it hears, and a clock. */
class Stage implements Disposable {
  readonly clock = new FakeClock();
  readonly warnings: string[] = [];
  readonly folder = new TempFolder();
  readonly address: string;
  readonly datagrams: Datagrams;
  status = "2 devices";
  manager: ServiceManager | undefined;

  constructor(address?: string) {
    this.address = address ?? `${this.folder.path}/notify`;
    this.datagrams = new Datagrams(this.address);
  }

  start(variables: Record<string, string> = {}): ServiceManager {
    const environment: Record<string, string> = { NOTIFY_SOCKET: this.address, ...variables };
    this.manager = ServiceManager.find({
      clock: this.clock,
      logger: { ...silentLogger, warn: (text) => this.warnings.push(text) },
      status: () => this.status,
      environment: (name) => environment[name],
    });
    return this.manager!;
  }

  [Symbol.dispose](): void {
    this.manager?.[Symbol.dispose]();
    this.datagrams[Symbol.dispose]();
    this.folder[Symbol.dispose]();
    assert.equal(this.clock.pending, 0, "no timer is left");
  }
}

test("a service manager hears that a daemon is ready, reads anew and ends, and how it is", () => {
  using stage = new Stage();
  const manager = stage.start();
  assert.deepEqual(stage.datagrams.all(), [], "it is not ready yet");
  manager.reloading();
  assert.deepEqual(stage.datagrams.all(), [], "nor when it is told to read anew before");
  manager.ready();
  assert.deepEqual(stage.datagrams.all(), ["READY=1\nSTATUS=2 devices\n"]);
  manager.reloading();
  const [reloading] = stage.datagrams.all();
  const [, at] = /^RELOADING=1\nMONOTONIC_USEC=(\d+)\n$/.exec(reloading!) ?? [];
  const uptime = Number(Deno.readTextFileSync("/proc/uptime").split(" ")[0]);
  assert.ok(Math.abs(Number(at) / 1e6 - uptime) < 5, `${at} is the kernel's time`);
  manager.reloaded();
  assert.deepEqual(stage.datagrams.all(), ["READY=1\n"]);
  manager.stopping();
  assert.deepEqual(stage.datagrams.all(), ["STOPPING=1\nSTATUS=shutting down\n"]);
  manager.reloaded();
  stage.clock.tick(10 * STATUS_INTERVAL_MS);
  assert.deepEqual(stage.datagrams.all(), []);
}, { ignore });

test("a status is told when it has changed, on one line of bounded length", () => {
  using stage = new Stage();
  stage.start().ready();
  stage.clock.tick(3 * STATUS_INTERVAL_MS);
  assert.equal(stage.datagrams.all().length, 1);
  stage.status = `a\nREADY=0 ${"x".repeat(1_000)}`;
  stage.clock.tick(3 * STATUS_INTERVAL_MS);
  const [told, ...more] = stage.datagrams.all();
  assert.match(told!, /^STATUS=a[^\n]*x\n$/);
  assert.ok(told!.length <= MAX_STATUS_LINE + "STATUS=\n".length);
  assert.deepEqual(more, []);
}, { ignore });

test("an abstract socket is told as well", () => {
  using stage = new Stage(`@sallyport-test-${crypto.randomUUID()}`);
  stage.start().ready();
  assert.deepEqual(stage.datagrams.all(), ["READY=1\nSTATUS=2 devices\n"]);
}, { ignore });

test("what a manager could not take is told again when it can, and only the last word of it", () => {
  using stage = new Stage();
  const manager = stage.start();
  stage.datagrams.close();
  manager.ready();
  manager.reloading();
  manager.reloaded();
  assert.equal(stage.warnings.length, 1);
  stage.datagrams.open();
  stage.clock.tick(STATUS_INTERVAL_MS);
  assert.deepEqual(stage.datagrams.all(), ["READY=1\nSTATUS=2 devices\n"]);
}, { ignore });

test("a watchdog hears of this process at once, and in half of its time, for as long as the loop turns", () => {
  using stage = new Stage();
  stage.start({ WATCHDOG_USEC: "10000000", WATCHDOG_PID: `${Deno.pid}` });
  assert.deepEqual(stage.datagrams.all(), ["WATCHDOG=1\n"]);
  stage.clock.tick(4_999);
  assert.deepEqual(stage.datagrams.all(), []);
  stage.clock.tick(1);
  assert.deepEqual(stage.datagrams.all(), ["WATCHDOG=1\n"]);
  stage.clock.jump(60_000);
  assert.deepEqual(stage.datagrams.all(), ["WATCHDOG=1\n"], "a loop that stood still has nothing to make up for");
}, { ignore });

test("a watchdog of another process, or without a time, is not answered", () => {
  for (const variables of [{ WATCHDOG_USEC: "1000000", WATCHDOG_PID: "1" }, { WATCHDOG_USEC: "soon" }]) {
    using stage = new Stage();
    stage.start(variables);
    stage.clock.tick(10_000);
    assert.deepEqual(stage.datagrams.all(), []);
    assert.equal(stage.warnings.length, "WATCHDOG_PID" in variables ? 0 : 1);
  }
}, { ignore });

test("an address that is none is a warning, and no daemon's end", () => {
  for (const address of ["vsock:2:1234", "relative", "@", `/${"x".repeat(200)}`]) {
    const warnings: unknown[] = [];
    const manager = ServiceManager.find({
      clock: new FakeClock(),
      logger: { ...silentLogger, warn: (_text, facts) => warnings.push(facts) },
      status: () => "",
      environment: (name) => name === "NOTIFY_SOCKET" ? address : undefined,
    });
    assert.equal(manager, undefined);
    assert.equal(warnings.length, 1);
  }
});

test("an address is laid out as the kernel wants it: a path ends with a NUL, an abstract name begins with one", () => {
  const tail = (text: string) => [...socketAddress(text).subarray(2)];
  assert.deepEqual(tail("/a"), [47, 97, 0]);
  assert.deepEqual(tail("@a"), [0, 97]);
});
