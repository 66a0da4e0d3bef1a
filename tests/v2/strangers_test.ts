/**
 * Whoever comes to a v2 listener and is no device of it: one line in the log, a closed connection, and nothing left.
 *
 * @module
 */

import assert from "node:assert/strict";
import { MAX_HANDSHAKES_UNDER_WAY, MIN_HANDSHAKE_TURN_MS } from "../../server/door/limits.ts";
import { goodbye, goodbyeFrame } from "../../protocol/v2/wire/goodbye.ts";
import { V2Command } from "../../protocol/v2/wire/commands.ts";
import { v2Frame } from "../../protocol/v2/wire/codec.ts";
import { FieldWriter } from "../../protocol/v2/wire/fields.ts";
import { V2_PREAMBLE } from "../../protocol/v2/wire/commands.ts";
import { connectDevice } from "../../mod.ts";
import { engineChoice, isTlsNative } from "../rig/engine.ts";
import { ascii } from "../rig/bytes.ts";
import { Events } from "../rig/events.ts";
import { concat } from "../../protocol/bytes.ts";
import { hello } from "../rig/v2/hello.ts";
import { Stream } from "../rig/stream.ts";
import { ResettingClient } from "../rig/v2/resets.ts";
import { test } from "../rig/test.ts";
import { enlist, SECURITIES, startV2Device, startV2Server, type V2Server } from "../rig/v2/relay.ts";
import { formatPublicKey } from "../../net/tls/identity.ts";
import { FakeClock } from "../rig/clock.ts";

/** One more was turned away: one event, and one line. @returns why. */
async function turnedAway(server: V2Server, lines: number): Promise<string> {
  const { why } = await server.events.next("refused");
  assert.equal(server.log.matching(/^warn: refused 127\.0\.0\.1:\d+ on /).length, lines);
  assert.equal(server.events.types.includes("link-up"), false);
  return why;
}

const KEY = new Uint8Array(32).fill(7);

const STRANGERS: readonly (readonly [what: string, bytes: Uint8Array, why: RegExp])[] = [
  ["an HTTP request", ascii("GET / HTTP/1.1\r\nHost: relay.example\r\n\r\n"), /did not begin as a v2 device does/],
  ["an SSH banner", ascii("SSH-2.0-OpenSSH_9.2\r\n"), /did not begin as a v2 device does/],
  ["a kilobyte of garbage", new Uint8Array(1024).fill(0xa5), /did not begin as a v2 device does/],
  ["one byte of garbage", Uint8Array.of(0xff), /did not begin as a v2 device does/],
  ["the LISTEN of a v1 device", Uint8Array.of(0, 0, 4, 0), /did not begin as a v2 device does/],
  ["a TLS hello", Uint8Array.of(0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3), /did not begin as a v2 device does/],
  [
    "the preamble and 8 KB more",
    concat([V2_PREAMBLE, Uint8Array.of(0xff, 0xff, V2Command.HELLO, 0, 0, 0, 0, 0), new Uint8Array(8192)]),
    /4096 bytes|more than/,
  ],
  ["the preamble and a frame that is no HELLO", concat([V2_PREAMBLE, v2Frame(V2Command.PING, 0, KEY)]), /HELLO/],
  ["a HELLO without fields", concat([V2_PREAMBLE, v2Frame(V2Command.HELLO, 0)]), /HELLO/],
  ["a HELLO of another version", hello([3, 9], KEY), /incompatible: .*3 to 9.*2 to 2/],
  [
    "a HELLO and an AUTH with a wrong signature",
    concat([
      hello([2, 2], KEY),
      v2Frame(V2Command.AUTH, 0, new FieldWriter().bytes(1, new Uint8Array(64)).end()),
    ]),
    /bad-credentials: the signature does not fit/,
  ],
];

for (const [what, bytes, why] of STRANGERS) {
  test(`v2 stranger: who says ${what} is turned away at once`, async () => {
    await using server = await startV2Server();
    using stranger = await Stream.connect(server.port);
    await stranger.write(bytes);
    await stranger.readToEnd();
    assert.match(await turnedAway(server, 1), why);
    const [kept] = server.handle.refusals();
    const showed = /HELLO of another|wrong signature/.test(what) ? formatPublicKey(KEY) : undefined;
    assert.deepEqual([kept!.count, kept!.site, kept!.key, kept!.device], [1, "127.0.0.1", showed, undefined]);
  });
}

test("v2 stranger: whoever is not known learns nothing before its HELLO", async () => {
  await using server = await startV2Server();
  for (const bytes of [ascii("GET / HTTP/1.0\r\n\r\n"), Uint8Array.of(0, 0, 4, 0), ascii("SALLY1\r\n")]) {
    using stranger = await Stream.connect(server.port);
    await stranger.write(bytes);
    await stranger.closeWrite();
    assert.equal((await stranger.readToEnd()).length, 0);
  }
});

test("v2 stranger: who says goodbye is not answered with its own words", async () => {
  await using server = await startV2Server();
  const word = goodbyeFrame(goodbye("revoked", "ask root@relay.example for its password"));
  for (const [lines, before] of [new Uint8Array(0), hello([2, 2], KEY)].entries()) {
    using stranger = await Stream.connect(server.port);
    await stranger.write(concat([before.length > 0 ? before : V2_PREAMBLE, word]));
    const answer = await stranger.readToEnd();
    assert.equal(new TextDecoder().decode(answer).includes("relay.example"), false);
    assert.equal(await turnedAway(server, lines + 1), "it said goodbye: revoked");
  }
  assert.equal(JSON.stringify(server.handle.refusals()).includes("relay.example"), false);
});

test("v2 stranger: who leaves without a word, or in the middle of its handshake, is noted", async () => {
  await using server = await startV2Server();
  using mute = await Stream.connect(server.port);
  mute.close();
  assert.match(await turnedAway(server, 0), /closed without a word/);
  using half = await Stream.connect(server.port);
  await half.write(hello([2, 2], KEY).subarray(0, 40));
  await half.closeWrite();
  assert.match(await turnedAway(server, 1), /closed after 40 bytes/);
});

for (const security of SECURITIES) {
  test(`v2 stranger, ${security}: a health check without a byte is no warning, and half a hello is one`, async () => {
    await using server = await startV2Server({ security });
    for (let n = 0; n < 3; n++) {
      using check = await Stream.connect(server.port);
      check.close();
      assert.match(await turnedAway(server, 0), /closed without a word/);
      if (security === "plain") continue; // there it may be gone before it is accepted
      using reset = await ResettingClient.connect(server.port);
      reset.reset();
      assert.match(await turnedAway(server, 0), /closed without a word/);
    }
    using half = await Stream.connect(server.port);
    await half.write(security === "tls" ? Uint8Array.of(0x16, 3, 1, 0, 200, 1) : hello([2, 2], KEY).subarray(0, 6));
    await half.closeWrite();
    await turnedAway(server, security === "plain" || isTlsNative ? 1 : 0);
  });
}

for (const said of ["nothing", "half a HELLO", "a HELLO, and no AUTH"] as const) {
  test(`v2 stranger: who says ${said} is turned away after 10 seconds, and a device gets in meanwhile`, async () => {
    const clock = new FakeClock();
    await using server = await startV2Server({ serve: { clock } });
    using stranger = await Stream.connect(server.port);
    if (said !== "nothing") await stranger.write(hello([2, 2], KEY).subarray(0, said === "half a HELLO" ? 50 : 1000));
    await clock.armed(10_000);
    const identity = await enlist(server, "gw1", []);
    const device = startV2Device(server, identity, []);
    await server.events.next("link-up");
    await device[Symbol.asyncDispose]();
    await server.events.next("link-down");
    clock.tick(9_999);
    assert.equal(server.events.types.includes("refused"), false);
    clock.tick(1);
    await stranger.readToEnd();
    assert.match((await server.events.next("refused")).why, /no handshake within 10 s/);
    assert.equal(server.log.matching(/^warn: refused/).length, 1);
  });
}

test("v2 stranger: on TLS, who speaks something else is turned away at once", async () => {
  await using server = await startV2Server({ security: "tls" });
  let lines = 0;
  for (const bytes of [ascii("GET / HTTP/1.1\r\n\r\n"), new Uint8Array(4096).fill(0xa5), Uint8Array.of(0, 0, 4, 0)]) {
    using stranger = await Stream.connect(server.port);
    await stranger.write(bytes);
    await stranger.closeWrite();
    await stranger.readToEnd();
    assert.match(await turnedAway(server, ++lines), /TLS handshake failed/);
  }
});

test("v2 stranger: on TLS, who says nothing is turned away after 10 seconds", async () => {
  const clock = new FakeClock();
  await using server = await startV2Server({ security: "tls", serve: { clock } });
  using mute = await Stream.connect(server.port);
  await clock.armed(10_000);
  clock.tick(10_000);
  assert.match(await turnedAway(server, 1), /within 10 s/);
  if (!isTlsNative) await mute.closeWrite(); // its socket is let go of when it ends
  assert.equal((await mute.readToEnd()).length, 0);
});

for (const security of SECURITIES) {
  test(`v2 stranger: hundreds of silent ones at the door of ${security} do not keep a device of their address out`, async () => {
    const clock = new FakeClock();
    await using server = await startV2Server({ security, serve: { clock } });
    const waiting: Stream[] = [];
    for (let n = 0; n < 400; n++) waiting.push(await Stream.connect(server.port));
    const identity = await enlist(server, "gw1", []);
    await using _device = startV2Device(server, identity, []);
    for (let begun = 0; begun < 2; begun++) {
      await clock.armedUpTo(2 * MIN_HANDSHAKE_TURN_MS, MAX_HANDSHAKES_UNDER_WAY); // so many are under way
      clock.tick(2 * MIN_HANDSHAKE_TURN_MS); // and hold up nobody for longer; who came last has every other turn then
    }
    assert.equal((await server.events.next("link-up")).device, "gw1");
    assert.equal(server.events.types.includes("refused"), false);
    for (const stream of waiting) stream.close();
  });
}

test("v2 stranger: a v1 device at a v2 listener is hung up on, and tries again at its own pace", async () => {
  await using server = await startV2Server();
  const device = connectDevice({
    engine: engineChoice,
    profile: "v1",
    server: { host: "127.0.0.1", port: server.port },
    services: [],
  });
  const events = new Events(device);
  await server.events.next("refused");
  assert.ok((await events.next("lost")).retryIn! > 0);
  device.close();
  await device.closed;
});

test("v2 stranger: a plain device at a TLS listener, and one with TLS at a plain one, hear what is wrong", async () => {
  for (const security of SECURITIES) {
    await using server = await startV2Server({ security });
    const identity = await enlist(server, "gw1", []);
    await using device = startV2Device(server, identity, [], {
      security: security === "plain" ? "pinned" : "plain",
      reconnect: false,
    });
    const { error } = await device.events.next("dial-failed");
    assert.match(error, security === "plain" ? /TLS/ : /hung up during the handshake|reset/);
    await turnedAway(server, 1);
  }
});
