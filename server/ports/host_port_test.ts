import assert from "node:assert/strict";
import { MAX_BACKOFF_MS } from "../../base/limits.ts";
import { BUSY_PORT_MS, KEPT_PORT_TRIES, MAX_BINDS_A_TURN } from "../limits.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { engine } from "../../net/_engines_fixture_test.ts";
import { portableEngine } from "../../net/portable/engine.ts";
import type { Engine } from "../../net/socket.ts";
import { lookup } from "../../net/dial/lookup.ts";
import { HostPort } from "./host_port.ts";
import type { KeptPort } from "./kept_ports.ts";
import { serverSettings } from "../options.ts";
import { PortsInUse } from "./ports_in_use.ts";
import { RecordingLogger } from "../../tests/rig/logger.ts";
import { test } from "../../tests/rig/test.ts";
import { settled } from "../../tests/rig/wait.ts";

const HOST = "127.0.0.1";

let binds = 0;

/** What counts those who try to listen. */
const counting: Engine = {
  ...portableEngine,
  listen: (address, options) => {
    binds++;
    return engine.listen(address, options);
  },
};

/** A host port on a standing clock, whose kept port is in `kept`. */
function setUp(
  ports: readonly [number, number],
  before: number | undefined,
  more: Partial<KeptPort> = {},
  deviceName?: string,
  host = HOST,
) {
  const clock = new FakeClock();
  const logger = new RecordingLogger();
  const kept: { port: number | undefined } = { port: before };
  let told = 0;
  const settings = serverSettings({ listen: [], clock, logger });
  const port = new HostPort({
    place: { host, ports },
    localAddress: "ssh",
    kept: {
      get: () => kept.port,
      set: (port) => void (kept.port = port),
      ...more,
    },
  }, {
    settings: { ...settings, engine: counting },
    deviceName,
    emit: () => {},
    onClient: (conn) => conn.close(),
    onPortChanged: () => void told++,
  });
  return { clock, logger, kept, port, told: () => told, failures: () => settings.hostFailures.count };
}

const hold = (port = 0) => Deno.listen({ hostname: HOST, port });

/** A port that can be had, and the next one too. */
function pair(): number {
  for (;;) {
    try {
      using first = hold();
      using _second = hold(first.addr.port + 1);
      return first.addr.port;
    } catch {
      continue; // the next one is in use
    }
  }
}

test("a free port that was kept and is in use is waited for, a few times, and then another one is kept", async () => {
  using thief = hold();
  const { clock, logger, kept, port } = setUp([0, 0], thief.addr.port);
  for (let failures = 1; failures <= KEPT_PORT_TRIES; failures++) {
    assert.deepEqual([port.isOpen, kept.port], [false, thief.addr.port], `after ${failures} tries`);
    assert.equal(logger.lines.filter((line) => /^(error|debug) .*next try/.test(line)).length, failures);
    clock.jump(MAX_BACKOFF_MS);
  }
  assert.equal(port.isOpen, true);
  assert.notEqual(kept.port, thief.addr.port);
  assert.equal(port.address, `${HOST}:${kept.port}`);
  assert.equal(logger.lines.filter((line) => /^warn .*which it had, is in use/.test(line)).length, 1);
  await port.close();
});

test("a fixed port that is in use is waited for, and no other is taken", async () => {
  using thief = hold();
  const { clock, port } = setUp([thief.addr.port, thief.addr.port], thief.addr.port);
  for (let failures = 0; failures < 2 * KEPT_PORT_TRIES; failures++) clock.jump(MAX_BACKOFF_MS);
  assert.equal(port.isOpen, false);
  await port.close();
});

test("a fixed port that is in use is told once, however often it is tried", async () => {
  const blocker = hold();
  const at = blocker.addr.port;
  const { clock, logger, port, failures } = setUp([at, at], undefined);
  const errors = () => logger.lines.filter((line) => line.startsWith("error ")).length;
  for (let n = 0; n < 5; n++) clock.jump(MAX_BACKOFF_MS);
  assert.deepEqual([errors(), failures()], [1, 6]);
  blocker.close();
  clock.jump(MAX_BACKOFF_MS);
  assert.equal(port.error, undefined);
  await port.close();
});

test("of a range, what is kept for others is left to them while there is another port", async () => {
  const first = pair();
  const { kept, logger, port } = setUp([first, first + 1], undefined, { isKeptByOther: (port) => port === first });
  assert.equal(kept.port, first + 1);
  assert.equal(logger.lines.some((line) => line.startsWith("warn ")), false);
  await port.close();
});

test("a range of which all is kept for others is used nevertheless, with a warning; what is granted to others is not", async () => {
  const first = pair();
  const { kept, logger, port } = setUp([first, first + 1], undefined, {
    isReserved: (port) => port === first,
    isKeptByOther: () => true,
  });
  assert.equal(kept.port, first + 1);
  assert.match(logger.lines.join(), /warn .*it was kept for another service/);
  await port.close();
});

test("log lines name the device of a service, if it has a name", async () => {
  using thief = hold();
  const { port: taken } = thief.addr;
  for (const [deviceName, subject] of [["gw1", "{device}/{localAddress}"], [undefined, "{localAddress}"]] as const) {
    const failed = setUp([taken, taken], undefined, {}, deviceName);
    const { logger, port } = setUp([0, 0], undefined, {}, deviceName);
    const [error, open] = [failed.logger.lines.join(), logger.lines.filter((line) => line.startsWith("info ")).join()];
    assert.ok(error.includes(`; clients cannot reach ${subject}; next try in `), error);
    assert.ok(open.startsWith(`info open {hostAddress} for ${subject} {`), open);
    for (const line of [error, open]) assert.equal(line.includes('"device":"gw1"'), deviceName === "gw1", line);
    await failed.port.close();
    await port.close();
  }
});

/** How often somebody tries to listen while `fn` runs. */
function countBinds(fn: () => void): number {
  const before = binds;
  fn();
  return binds - before;
}

test("of many that share a range each has the lowest free port at the first try, whatever was kept or freed", async () => {
  const [host, first, count] = ["127.0.0.83", 20_000, 300];
  const inUse = new PortsInUse();
  let looks = 0;
  const more = { inUse, isReserved: (port: number) => (looks++, port === first) };
  const open = () => setUp([first, first + 9_999], undefined, more, undefined, host).port;
  const ports: HostPort[] = [];
  assert.equal(
    countBinds(() => {
      for (let n = 0; n < count; n++) ports.push(open());
    }),
    count,
  );
  assert.deepEqual(ports.map(({ address }) => address), ports.map((_, n) => `${host}:${first + 1 + n}`));
  assert.ok(looks <= 2 * count + 1, `${looks} looks`);
  await ports[7]!.close();
  ports[7] = open();
  assert.equal(ports[7].address, `${host}:${first + 8}`);
  await Promise.all(ports.map((port) => port.close()));
});

test("ports of a range that others have are tried a few at a time, and not again for a while", async () => {
  const [host, first, taken] = ["127.0.0.84", 20_000, 2 * MAX_BINDS_A_TURN + 5];
  const others = Array.from({ length: taken }, (_, n) => Deno.listen({ hostname: host, port: first + n }));
  const inUse = new PortsInUse();
  const { port, clock, told } = setUp([first, first + 999], undefined, { inUse }, undefined, host);
  assert.deepEqual([port.isSettled, told()], [false, 0]);
  for (const left of [1, 0]) {
    assert.ok(countBinds(() => clock.jump(0)) <= MAX_BINDS_A_TURN + 1);
    assert.equal(port.isSettled, left === 0);
  }
  assert.deepEqual([port.address, told()], [`${host}:${first + taken}`, 1]);
  const open = () => setUp([first, first + 999], undefined, { inUse }, undefined, host);
  let second: ReturnType<typeof open> | undefined;
  assert.equal(countBinds(() => second = open()), 1);
  others[0]!.close();
  await second!.port.close();
  inUse.found(host, first + 999, clock.now() + BUSY_PORT_MS); // much later, what was found before is forgotten
  assert.equal([...inUse.free(host, first, first, clock.now() + BUSY_PORT_MS)].length, 1);
  for (const other of others.slice(1)) other.close();
  await port.close();
});

test("a range without a free port says so, and a host that is not here is not tried port by port", async () => {
  const inUse = new PortsInUse();
  for (let port = 30_000; port <= 30_009; port++) inUse.add(HOST, port);
  const { port } = setUp([30_000, 30_009], undefined, { inUse });
  assert.match(port.error!, /127\.0\.0\.1:30000-30009: every port of the range is in use/);
  await port.close();
  let far: ReturnType<typeof setUp> | undefined;
  assert.equal(countBinds(() => far = setUp([30_000, 39_999], undefined, {}, undefined, "192.0.2.1")), 1);
  assert.match(far!.port.error!, /this host does not have that address/);
  await far!.port.close();
});

test("a host that is a name is looked for first, and its port opens at its address", async () => {
  const { clock, port, told } = setUp([0, 0], undefined, {}, "gw1", "localhost");
  assert.equal(port.isSettled, false, "not by stopping everything else");
  await lookup("localhost", clock); // which it shares
  await settled();
  assert.match(port.address, /^(127\.0\.0\.1|\[::1\]):\d+$/);
  assert.equal(told(), 1, "the device hears of it then");
  await port.close();
});

test("a host that is a name without an address is told, and looked for again; a port that is closed meanwhile stays so", async () => {
  const { clock, logger, port, told } = setUp([0, 0], undefined, {}, "gw1", "a.invalid");
  await assert.rejects(lookup("a.invalid", clock));
  await settled();
  assert.match(port.error!, /^cannot find the address of a\.invalid: /);
  assert.deepEqual([port.isOpen, told(), clock.pending], [false, 1, 1]);
  assert.match(logger.lines.at(-1)!, /^error .*"cannot find the address of a\.invalid: /);
  await port.close();
  const closed = setUp([0, 0], undefined, {}, "gw1", "localhost");
  await closed.port.close();
  await lookup("localhost", clock);
  await settled();
  assert.equal(closed.port.isOpen, false);
});
