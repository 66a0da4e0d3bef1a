/**
 * Devices and servers that were told different things: each says in one line what is wrong, and what would do.
 *
 * @module
 */

import assert from "node:assert/strict";
import { connectDevice, createIdentity, DeviceList, formatPublicKey, parseAddress, serve } from "../../mod.ts";
import { engineChoice } from "../rig/engine.ts";
import { Events } from "../rig/events.ts";
import { test } from "../rig/test.ts";
import { within } from "../rig/wait.ts";
import { RecordingLogger } from "../rig/logger.ts";

/** What a side was told: `--profile v1`, `--plain`, or nothing. */
type Told = "v1" | "plain" | "tls";

/** Lets a device meet a server. @returns the one warning of the server, and the one line of the device. */
async function meet(device: Told, server: Told): Promise<{ readonly server: string; readonly device: string }> {
  const [serverLog, deviceLog] = [new RecordingLogger(), new RecordingLogger()];
  const [identity, own] = [await createIdentity(), await createIdentity()];
  const devices = new DeviceList([{ name: "gw1", key: formatPublicKey(own.publicKey), services: [], disabled: false }]);
  const address = { host: "127.0.0.1", port: 0 };
  const listen = server === "v1" ? { profile: "v1" as const, address, forwards: [] } : {
    profile: "v2" as const,
    address,
    security: server === "plain" ? { kind: "plain" as const } : { kind: "pinned" as const, keyPair: identity.keyPair },
  };
  await using running = serve({ engine: engineChoice, listen: [listen], v2: { identity, devices }, logger: serverLog });
  const events = new Events(running);
  await running.ready;
  const common = { server: parseAddress(running.addresses[0]!), services: [], reconnect: false, logger: deviceLog };
  const handle = device === "v1" ? connectDevice({ engine: engineChoice, ...common, profile: "v1" }) : connectDevice({
    engine: engineChoice,
    ...common,
    profile: "v2",
    serverKey: identity.publicKey,
    identity: own,
    security: device === "plain" ? "plain" : "pinned",
  });
  handle.ready.catch(() => {}); // on v1 there is a link, for a moment
  await within(handle.closed, "the end of the device");
  await events.next("refused");
  const [refused, ...others] = serverLog.matching(/^(warn|error): /);
  const [said, ...more] = deviceLog.matching(/cannot reach|link down|^(warn|error): /);
  assert.deepEqual([...others, ...more], [], "a line too many");
  return { server: refused ?? "", device: said ?? "" };
}

const MEETINGS: readonly [device: Told, server: Told, serverSays: RegExp, deviceSays: RegExp][] = [
  [
    "plain",
    "tls",
    /TLS handshake failed: .*does not speak TLS.* a device that is told --plain or --profile v1, or a stranger$/,
    /hung up during the handshake; it speaks TLS, and this device is told --plain: leave that out, or give it to/,
  ],
  [
    "tls",
    "plain",
    /did not begin as a v2 device does, but with a TLS hello; this listener is plain: a device needs --plain, or/,
    /closed in the TLS handshake; does it listen with --plain, or for profile v1\?$/,
  ],
  [
    "v1",
    "tls",
    /TLS handshake failed: .*does not speak TLS.* a device that is told --plain or --profile v1, or a stranger$/,
    /the server hung up at once: .* or is it for profile v2, or no v1 server\?\)/,
  ],
  [
    "v1",
    "plain",
    /but with the LISTEN of a v1 device; this listener is for profile v2: a v1 device needs one for v1, or/,
    /the server hung up at once: .* or is it for profile v2, or no v1 server\?\)/,
  ],
  [
    "tls",
    "v1",
    /got a TLS hello; this listener is for profile v1: a v2 device needs one for v2, or --profile v1$/,
    /closed in the TLS handshake; does it listen with --plain, or for profile v1\?$/,
  ],
  [
    "plain",
    "v1",
    /got the preamble of a v2 device; this listener is for profile v1: a v2 device needs one for v2, or --profile v1$/,
    /hung up during the handshake; is it for profile v1, or too busy, or no Sallyport server\?$/,
  ],
];

for (const [device, server, serverSays, deviceSays] of MEETINGS) {
  test(`v2 mismatch: a device for ${device} and a server for ${server} say what is wrong, in one line each`, async () => {
    const said = await meet(device, server);
    assert.match(said.server, serverSays);
    assert.match(said.device, deviceSays);
  });
}

test("v2 mismatch: a device and a server that were told the same have nothing to say", async () => {
  const [identity, own] = [await createIdentity(), await createIdentity()];
  const devices = new DeviceList([{ name: "gw1", key: formatPublicKey(own.publicKey), services: [], disabled: false }]);
  const log = new RecordingLogger();
  await using server = serve({
    engine: engineChoice,
    listen: [{ profile: "v2", address: { host: "127.0.0.1", port: 0 }, security: { kind: "plain" } }],
    v2: { identity, devices },
    logger: log,
  });
  await server.ready;
  await using device = connectDevice({
    engine: engineChoice,
    profile: "v2",
    server: parseAddress(server.addresses[0]!),
    serverKey: identity.publicKey,
    identity: own,
    security: "plain",
    services: [],
    logger: log,
  });
  await within(device.ready, "the link");
  assert.deepEqual(log.matching(/^(warn|error): /), []);
});
