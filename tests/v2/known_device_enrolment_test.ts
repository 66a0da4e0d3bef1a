/**
 * Enrolment strings at a server with its state in files: of devices that it knows already, and when it cannot read them.
 *
 * @module
 */

import assert from "node:assert/strict";
import { systemClock } from "../../base/clock.ts";
import { createIdentity, type Identity } from "../../net/tls/identity.ts";
import { serve, type ServerEvent, type V2DeviceOptions } from "../../mod.ts";
import { type EnrolmentRequest, Enrolments } from "../../server/state/enrolments.ts";
import { parseGrant } from "../../server/devices/service_grant.ts";
import { openV2State } from "../../server/state/state.ts";
import { engineChoice } from "../rig/engine.ts";
import { Events } from "../rig/events.ts";
import { portOf } from "../rig/ports.ts";
import { echoService } from "../rig/service.ts";
import { test } from "../rig/test.ts";
import { local, startV2Device, type V2Device } from "../rig/v2/relay.ts";
import { within } from "../rig/wait.ts";
import { RecordingLogger } from "../rig/logger.ts";

/** A server whose state is in files, and whoever enrols there. */
interface StateServer extends AsyncDisposable {
  readonly folder: string;
  readonly log: RecordingLogger;
  readonly events: Events<ServerEvent>;
  /** Makes an enrolment string. @returns what a device has of it. */
  enroll(device: string, more?: Partial<EnrolmentRequest>): Promise<NonNullable<V2DeviceOptions["enrolment"]>>;
  /** Starts a device with an echo. */
  start(identity: Identity, enrolment?: V2DeviceOptions["enrolment"]): V2Device;
}

async function startStateServer(): Promise<StateServer> {
  const folder = await Deno.makeTempDir();
  const log = new RecordingLogger();
  const echo = echoService();
  const state = await openV2State(folder, undefined, log);
  const handle = serve({
    engine: engineChoice,
    logger: log,
    expiration: 0,
    clock: systemClock,
    listen: [{ profile: "v2", address: { host: "127.0.0.1", port: 0 }, security: { kind: "plain" } }],
    v2: state.options,
  });
  const events = new Events<ServerEvent>(handle);
  await handle.ready;
  const enrolments = new Enrolments(folder, `${folder}/devices.toml`);
  const target = { identity: state.options.identity, port: portOf(handle.addresses[0]!), security: "plain" as const };
  return {
    folder,
    log,
    events,
    async enroll(device, more) {
      const services = [parseGrant("echo=127.0.0.71:20000-29999")];
      const { tokenId, tokenSecret } = await enrolments.create({ device, services, replace: false, ...more });
      return { id: tokenId, key: new Uint8Array(await crypto.subtle.digest("SHA-256", tokenSecret.slice())) };
    },
    start: (identity, enrolment) =>
      startV2Device(target, identity, [local("echo", echo)], { ...(enrolment && { enrolment }) }),
    async [Symbol.asyncDispose]() {
      handle.close();
      await within(handle.closed, "the end of the server");
      await state.close();
      await echo[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** Links up and leaves again. @returns the host address of its echo. */
async function visit(server: StateServer, identity: Identity, enrolment?: V2DeviceOptions["enrolment"]) {
  await using device = server.start(identity, enrolment);
  const { hostAddress, error } = await device.events.next("service");
  await device.handle.shutdown();
  await server.events.next("link-down");
  return hostAddress ?? error;
}

test("v2 enrolment: a known device that brings a new string has what that grants, once", async () => {
  await using server = await startStateServer();
  const identity = await createIdentity();
  await visit(server, identity, await server.enroll("gw1"));
  const token = await server.enroll("gw1", { replace: true, services: [parseGrant("echo=127.0.0.72:0")] });
  const address = await visit(server, identity, token);
  assert.match(address!, /^127\.0\.0\.72:/);
  assert.equal(await visit(server, identity, token), address, "it was used already, and does not matter");
  assert.equal(server.events.types.filter((type) => type === "enrolled").length, 2);
});

test("v2 enrolment: a known device that brings the string of another is told so", async () => {
  await using server = await startStateServer();
  const identity = await createIdentity();
  await visit(server, identity, await server.enroll("gw1"));
  await using device = server.start(identity, await server.enroll("gw2"));
  const failed = await device.events.next("dial-failed");
  assert.equal(failed.goodbye, "bad-enrolment");
  await assert.rejects(device.handle.ready, (error) => {
    const cause = (error as Error).cause;
    return error instanceof Error && cause instanceof Error && cause.message.startsWith("the key of this device") &&
      error.message.startsWith("Cannot become ready: bad-enrolment: the key of this device");
  });
  assert.match(
    failed.error,
    /the key of this device is that of "gw1" already; rename that on the server, or join with another --state/,
  );
});

test("v2 enrolment: a device whose key is replaced keeps the port that a range came to", async () => {
  await using server = await startStateServer();
  const before = await visit(server, await createIdentity(), await server.enroll("gw1"));
  const token = await server.enroll("gw1", { replace: true });
  const other = await visit(server, await createIdentity(), await server.enroll("gw2"));
  assert.notEqual(other, before);
  assert.equal(await visit(server, await createIdentity(), token), before);
});

test("v2 enrolment: while the file of enrolments is damaged, new devices come back later and known ones are let in", async () => {
  await using server = await startStateServer();
  const identity = await createIdentity();
  await visit(server, identity, await server.enroll("gw1"));
  const token = await server.enroll("gw2");
  const path = `${server.folder}/enrolments.toml`;
  await Deno.writeTextFile(path, (await Deno.readTextFile(path)).replace(/device = "gw2"/, "device = gw2"));
  {
    await using device = server.start(await createIdentity(), token);
    const failed = await device.events.next("dial-failed");
    assert.deepEqual([failed.goodbye, device.handle.state], ["too-busy", "waiting"]);
    assert.match(failed.error, /cannot enrol now/);
    assert.match((await server.events.next("refused")).why, /^too-busy: cannot enrol now/);
  }
  const [line] = server.log.matching(/^error: .*enrolments\.toml:\d+:\d+: .*; nobody can enrol$/);
  assert.ok(line && !line.includes("\n"), line);
  assert.match((await visit(server, identity, token))!, /^127\.0\.0\.71:/);
});
