/**
 * Whether a device's links are bound to their TLS connections, and what it does where they are not.
 *
 * @module
 */

import assert from "node:assert/strict";
import { greetDevice, greetServer } from "../../tests/rig/sim/greeting.ts";
import { createIdentity } from "../../net/tls/identity.ts";
import type { Transport } from "../../net/transport.ts";
import { CAN_BIND, welcomeFrame } from "../../protocol/v2/wire/handshake.ts";
import { writeAll } from "../../relay/handshake.ts";
import { RecordingLogger } from "../../tests/rig/logger.ts";
import { Random } from "../../tests/rig/random.ts";
import { Connection } from "../../tests/rig/sim/connection.ts";
import { transportOf } from "../../tests/rig/sim/internet.ts";
import { Time } from "../../tests/rig/sim/time.ts";
import { test } from "../../tests/rig/test.ts";
import { deviceSettings, type V2DeviceOptions } from "../options.ts";
import { V2LinkMaker } from "./link_maker.ts";

const EXPORTER = new Uint8Array(32).fill(5);
const identity = await createIdentity();
/** Its links are on the loopback interface of a simulation. */
const NETWORK = { latency: 1, rate: 1_000, late: 0, cuts: false };

interface Outcome {
  /** What the device says of its link. */
  readonly bound: boolean | undefined;
  /** Why there is none. */
  readonly error: string | undefined;
  /** What it logged. */
  readonly log: readonly string[];
  /** Whether the server heard AUTH. */
  readonly proved: boolean;
}

/** A device dials once. */
async function dial(
  ends: { readonly own?: Uint8Array; readonly server?: Uint8Array; readonly kind?: Transport["kind"] },
  options: Partial<V2DeviceOptions> = {},
): Promise<Outcome> {
  const time = new Time();
  const conn = new Connection(time, new Random(1), NETWORK, false);
  const logger = new RecordingLogger();
  const told: V2DeviceOptions = {
    profile: "v2",
    server: { host: "192.0.2.1", port: 7443 },
    identity,
    serverKey: identity.publicKey,
    services: [],
    clock: time.clock,
    logger,
    ...options,
  };
  const { own, server, kind = "tls" } = ends;
  const transport: Transport = { ...transportOf(conn.dialled, "server"), kind, ...(own && { exporter: () => own }) };
  const maker = new V2LinkMaker(told, deviceSettings(told), () => {}, {
    dial: () => Promise.resolve({ transport, index: 0 }),
    greet: greetServer,
    reach: () => assert.fail("there is no service"),
    randomBytes: (count) => new Uint8Array(count),
    windowBound: 1_000,
  });
  let proved = false;
  const serving = greetDevice(conn.accepted, 1, { exporter: server }).then(async ({ device }) => {
    proved = true;
    assert.equal((device.capabilities & CAN_BIND) !== 0, own !== undefined && server !== undefined);
    const welcome = {
      session: new Uint8Array(16),
      initiator: device.deviceKey,
      name: "gw1",
      maxChannels: 1,
      remote: "",
    };
    await writeAll(conn.accepted, welcomeFrame(welcome));
  }).catch(() => {});
  const making = maker.make(new AbortController().signal, () => {}).then(
    ({ link }) => ({ link, error: undefined }),
    (error: Error) => ({ link: undefined, error: error.message }),
  );
  await time.run(100);
  const { link, error } = await making;
  const { bound } = maker.facts;
  link?.close("shutting-down");
  conn.dialled.fail(new Error("over"));
  conn.accepted.fail(new Error("over"));
  maker.close();
  await time.run(60_000);
  await serving;
  return { bound, error, log: logger.lines.filter((line) => line.includes("bound")), proved };
}

test("a link between two that have the exporter of its TLS is bound, and the device says so", async () => {
  const { bound, log } = await dial({ own: EXPORTER, server: EXPORTER });
  assert.equal(bound, true);
  assert.deepEqual(log, ["debug the link is bound to its TLS connection undefined"]);
});

test("where one side has none the link is up as before, and the device says what is missing", async () => {
  const cases = [
    [{ own: EXPORTER }, /the server's TLS does not tell/],
    [{ server: EXPORTER }, /this side's TLS does not tell/],
    [{ kind: "tcp" }, /it is without TLS/],
  ] as const;
  for (const [ends, line] of cases) {
    const { bound, error, log } = await dial(ends);
    assert.deepEqual([bound, error], [false, undefined]);
    assert.match(log.join(), line);
  }
});

test("a device that demands a bound link says no AUTH where it is not", async () => {
  const binding = "required";
  assert.equal((await dial({ own: EXPORTER, server: EXPORTER }, { binding })).bound, true);
  for (const ends of [{ own: EXPORTER }, { server: EXPORTER }, {}]) {
    const { error, proved } = await dial(ends, { binding });
    assert.match(error ?? "", /not bound to its TLS connection, as this device demands: /);
    assert.equal(proved, false);
  }
  assert.throws(() => dialOptions({ binding, security: "plain" }), /Cannot bind links to their TLS connections/);
});

test("somebody who ends TLS between the two gets no AUTH, whatever the device demands", async () => {
  const { error, proved } = await dial({ own: EXPORTER, server: new Uint8Array(32).fill(6) });
  assert.match(error ?? "", /is there somebody in between\?/);
  assert.equal(proved, false);
});

/** What a link maker says of options. */
function dialOptions(options: Partial<V2DeviceOptions>): void {
  const told: V2DeviceOptions = {
    profile: "v2",
    server: { host: "192.0.2.1", port: 7443 },
    identity,
    serverKey: identity.publicKey,
    services: [],
    ...options,
  };
  new V2LinkMaker(told, deviceSettings(told), () => {});
}
