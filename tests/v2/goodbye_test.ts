/**
 * Last words: why a link ends or does not come about, and when the device may come back.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type Goodbye, goodbye, type GoodbyeCode, goodbyeFrame } from "../../protocol/v2/wire/goodbye.ts";
import { welcomeFrame } from "../../protocol/v2/wire/handshake.ts";
import { randomBytes, writeAll } from "../../relay/handshake.ts";
import { createIdentity } from "../../net/tls/identity.ts";
import { FakeClock } from "../rig/clock.ts";
import { test } from "../rig/test.ts";
import { within } from "../rig/wait.ts";
import { authorized, enlist, startV2Device, startV2Server } from "../rig/v2/relay.ts";
import { PlayedServer } from "../rig/v2/server_peer.ts";
import { socketsSettled } from "../rig/cable.ts";

const TOKEN = { id: new Uint8Array(8), key: new Uint8Array(32) };

/** When the device dials again after each code, its own pace of 500 ms included; `undefined`: at that pace alone. */
const COMES_BACK: readonly (readonly [code: GoodbyeCode, after: number])[] = [
  ["shutting-down", 500],
  ["replaced", 500],
  ["revoked", 600_500],
  ["disabled", 60_500],
  ["expired", 600_500],
  ["unknown-device", 60_500],
  ["bad-credentials", 60_500],
  ["incompatible", 60_500],
  ["duplicate", 60_500],
  ["too-busy", 5_500],
  ["protocol-error", 500],
];

for (const [code, after] of COMES_BACK) {
  test(`v2 goodbye: after "${code}" the device comes back in ${after} ms, in the handshake and on a link`, async () => {
    const clock = new FakeClock();
    await using server = await PlayedServer.start();
    await using device = startV2Device(server, await createIdentity(), [], { clock, random: () => 0 });
    await server.refuse(goodbye(code, "because"));
    const failed = await device.events.next("dial-failed");
    assert.deepEqual([failed.goodbye, failed.error, failed.retryIn], [code, `${code}: because`, after]);
    assert.deepEqual([device.handle.status.goodbye?.code, device.handle.state], [code, "waiting"]);
    assert.equal(device.handle.status.isCompatible, code !== "incompatible");
    assert.equal(
      device.log.matching(new RegExp(`refused this device: ${code}: because; next try in `)).length,
      1,
    );

    await clock.armed(after);
    clock.tick(after - 1);
    await socketsSettled();
    assert.equal(device.events.types.filter((type) => type === "connecting").length, 1, "no sooner");
    const linking = server.link();
    clock.tick(1);
    const link = await linking;
    await device.events.next("online");
    assert.deepEqual([device.handle.status.goodbye, device.handle.status.isCompatible], [undefined, true]);
    link.link.sendGoodbye(goodbye(code, "again"));
    const lost = await device.events.next("lost");
    assert.deepEqual([lost.reason, lost.detail, lost.retryIn], ["goodbye", `${code}: again`, after]);
    assert.equal(device.handle.status.goodbye?.code, code);
  });
}

test("v2 goodbye: after bad-enrolment a device with a token does not come back by itself, and says so in its status", async () => {
  await using server = await PlayedServer.start();
  await using device = startV2Device(server, await createIdentity(), [], { enrolment: TOKEN });
  await server.refuse(goodbye("bad-enrolment", "used before"));
  assert.equal((await device.events.next("dial-failed")).goodbye, "bad-enrolment");
  await within(device.handle.closed, "the end of the device");
  assert.deepEqual([device.handle.state, device.handle.status.goodbye?.code], ["closed", "bad-enrolment"]);
  assert.equal(device.log.matching(/bad-enrolment: used before$/).length, 1);
});

test('v2 goodbye: "never" is an hour for a device without a token, with one that was taken, and after any other word', async () => {
  const never = (code: GoodbyeCode): Goodbye => ({ code, text: "", comeBackAfter: Infinity });
  await using server = await PlayedServer.start();
  for (const [options, code] of [[{}, "bad-enrolment"], [{ enrolment: TOKEN }, "revoked"]] as const) {
    await using device = startV2Device(server, await createIdentity(), [], { random: () => 0, ...options });
    await server.refuse(never(code));
    assert.equal((await device.events.next("dial-failed")).retryIn, 3_600_500);
    assert.equal(device.handle.state, "waiting");
  }
  await using device = startV2Device(server, await createIdentity(), [], { random: () => 0, enrolment: TOKEN });
  const link = await server.link();
  await device.events.next("online");
  link.link.sendGoodbye(never("bad-enrolment"));
  assert.equal((await device.events.next("lost")).retryIn, 3_600_500);
});

test("v2 goodbye: somebody who has not proved the server's key cannot end a device, nor keep it away for long", async () => {
  await using server = await PlayedServer.start();
  await using device = startV2Device(server, await createIdentity(), [], { random: () => 0, enrolment: TOKEN });
  const conn = await server.accept();
  await writeAll(conn, goodbyeFrame(goodbye("bad-enrolment", "never come back")));
  const failed = await device.events.next("dial-failed");
  assert.deepEqual([failed.goodbye, failed.retryIn], ["bad-enrolment", 60_500]);
  conn.close();
});

test("v2 goodbye: a server that gives a name that is none, or grants what is no address, breaks the protocol", async () => {
  await using server = await PlayedServer.start();
  await using device = startV2Device(server, await createIdentity(), ["ssh=127.0.0.1:9"], { random: () => 0 });
  const { transport } = await server.greet();
  const welcome = { session: randomBytes(16), name: "gw1\u001b[2J", maxChannels: 9, remote: "" };
  await writeAll(transport.duplex, welcomeFrame(welcome));
  assert.match((await device.events.next("dial-failed")).error, /WELCOME gives this device a name that is none/);
  transport.duplex.close();
  const { link } = await server.link();
  await device.events.next("online");
  link.sendGrants([{ number: 0, code: "granted", text: "\u001b[2J" }]);
  const lost = await device.events.next("lost");
  assert.deepEqual([lost.reason, lost.detail], ["protocol-error", "LISTEN grants service 0 at what is no address"]);
});

test("v2 goodbye: a server may send a device away for an hour, and no longer", async () => {
  await using server = await PlayedServer.start();
  await using device = startV2Device(server, await createIdentity(), [], { random: () => 0 });
  const word: Goodbye = { code: "too-busy", text: "", comeBackAfter: 4_000_000_000 };
  await server.refuse(word);
  assert.equal((await device.events.next("dial-failed")).retryIn, 3_600_500);
});

test("v2 goodbye: an incompatible server's range of versions is in the device's status, and it tries on slowly", async () => {
  await using server = await PlayedServer.start();
  await using device = startV2Device(server, await createIdentity(), []);
  assert.equal(device.handle.status.isCompatible, undefined, "not known yet");
  await server.refuse(goodbye("incompatible", "this server speaks 7 to 9", [7, 9]));
  const failed = await device.events.next("dial-failed");
  assert.ok(failed.retryIn >= 60_000);
  const { isCompatible, goodbye: word, state } = device.handle.status;
  assert.deepEqual([isCompatible, word?.versions, state], [false, [7, 9], "waiting"]);
});

test("v2 goodbye: both sides say in one line each why a link ended", async () => {
  await using server = await startV2Server();
  const identity = await enlist(server, "gw1", []);
  await using device = startV2Device(server, identity, []);
  await server.events.next("link-up");
  await device.events.next("online");
  server.directory.remove(authorized("gw1", identity, []));
  await device.events.next("lost");
  await server.events.next("link-down");
  assert.deepEqual(
    device.log.matching(/link down/).map((line) =>
      line.replace(/, \d+ ms/, ", N ms").replace(/:\d+,/, ":PORT,").replace(/[\d.]+ s$/, "N s")
    ),
    [
      "info: link down: server 127.0.0.1:PORT, goodbye (revoked: gw1 was revoked), N ms; next try in N s",
    ],
  );
  assert.equal(server.log.matching(/link down: device gw1 .*revoked \(gw1 was revoked\)/).length, 1);
});

test("v2 goodbye: a peer that breaks the protocol is told so, and nobody else is touched", async () => {
  await using server = await PlayedServer.start();
  await using device = startV2Device(server, await createIdentity(), []);
  const link = await server.link();
  await link.settings();
  link.driver.control(Uint8Array.of(0, 0, 0x3f, 0, 0, 0, 0, 0)); // an unknown command that may not be skipped
  const lost = await device.events.next("lost");
  assert.equal(lost.reason, "protocol-error");
  const word = await within(link.goodbye, "GOODBYE");
  assert.equal(word.code, "protocol-error");
});
