import assert from "node:assert/strict";
import { FakeClock, RecordingLogger, test } from "../net/_fakes_test.ts";
import { MAX_BACKOFF_MS } from "../net/backoff.ts";
import { HostPort, KEPT_PORT_TRIES, type KeptPort } from "./host_port.ts";
import { serverSettings } from "./options.ts";

const HOST = "127.0.0.1";

/** A host port on a standing clock, whose kept port is in `kept`. */
function setUp(
  ports: readonly [number, number],
  before: number | undefined,
  more: Partial<KeptPort> = {},
  deviceName?: string,
) {
  const clock = new FakeClock();
  const logger = new RecordingLogger();
  const kept: { port: number | undefined } = { port: before };
  const port = new HostPort({
    host: HOST,
    ports,
    localAddress: "ssh",
    kept: {
      get: () => kept.port,
      set: (port) => void (kept.port = port ?? kept.port),
      ...more,
    },
  }, {
    settings: serverSettings({ listen: [], clock, logger }),
    deviceName,
    emit: () => {},
    onClient: (conn) => conn.close(),
  });
  return { clock, logger, kept, port };
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
    assert.equal(logger.lines.filter((line) => line.startsWith("error ")).length, failures);
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
    const [error, open] = [failed.logger.lines.join(), logger.lines.join()];
    assert.ok(error.includes(`; clients cannot reach ${subject}; next try in `), error);
    assert.ok(open.startsWith(`info open {hostAddress} for ${subject} {`), open);
    for (const line of [error, open]) assert.equal(line.includes('"device":"gw1"'), deviceName === "gw1", line);
    await failed.port.close();
    await port.close();
  }
});
