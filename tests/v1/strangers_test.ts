/**
 * Whoever comes to our server's listener for devices and is none.
 *
 * @module
 */

import assert from "node:assert/strict";
import { FIRST_FRAME_TIMEOUT_MS, LISTEN_GRACE_MS } from "../../server/limits.ts";
import { MAX_PENDING_LINKS } from "../../server/door/limits.ts";
import { CLOSE, CONNECT, connectPayload, DATA, frameBytes, LISTEN, NaiveLink } from "../rig/naive_v1/link.ts";
import { ascii } from "../rig/bytes.ts";
import { FakeClock } from "../rig/clock.ts";
import { startV1Server } from "../rig/v1/relay.ts";
import { dialAsDevice, playDevice } from "../rig/v1/scripted.ts";
import { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";

const TARGET = ["10.0.0.1:23"];

const STRANGERS: Record<string, Uint8Array> = {
  "an HTTP request": ascii("GET / HTTP/1.1\r\nHost: relay.example\r\n\r\n"),
  "a TLS hello": Uint8Array.of(0x16, 0x03, 0x01, 0x00, 0xc8, 0x01, 0x00, 0x00, 0xc4, 0x03, 0x03),
  "an SSH banner": ascii("SSH-2.0-OpenSSH_9.2\r\n"),
  "one byte of garbage": Uint8Array.of(0xff),
  "a kilobyte of garbage": new Uint8Array(1024).fill(0xa5),
  "LISTEN with a payload": frameBytes(LISTEN, 0, ascii("x")),
  "LISTEN with a client id": frameBytes(LISTEN, 1),
  "CONNECT": frameBytes(CONNECT, 1, connectPayload("127.0.0.1", 22)),
  "CLOSE": frameBytes(CLOSE, 0),
  "DATA": frameBytes(DATA, 0, ascii("hello")),
  "a frame of the largest size": Uint8Array.of(0xff, 0xff, DATA, 0),
};

for (const [what, bytes] of Object.entries(STRANGERS)) {
  test(`stranger: who begins with ${what} is turned away, and the link of a device goes on`, async () => {
    await using relay = await playDevice(TARGET);
    const { events } = relay.server;
    using stranger = await Stream.connect(relay.server.port);
    await stranger.write(bytes);
    assert.equal((await stranger.readToEnd()).length, 0);
    const refused = await events.next("refused");
    assert.match(refused.why, /^expected LISTEN/);
    assert.equal(refused.remote, `127.0.0.1:${(stranger.conn.localAddr as Deno.NetAddr).port}`);
    await relay.link.settled(200);
    assert.deepEqual(events.types, ["listening", "link-up", "host-open", "refused"]);
  });
}

test("stranger: who leaves without a word, or after half a LISTEN, is noted, and a device is linked after that", async () => {
  await using server = await startV1Server(TARGET);
  using mute = await Stream.connect(server.port);
  mute.close();
  assert.match((await server.events.next("refused")).why, /without a word/);
  using half = await Stream.connect(server.port);
  await half.write(Uint8Array.of(0, 0));
  await half.closeWrite();
  assert.match((await server.events.next("refused")).why, /after 2 bytes/);
  using link = await dialAsDevice(server.port);
  await server.events.next("link-up");
  await link.settled(200);
});

test("stranger: who says nothing is turned away after 10 seconds", async () => {
  const clock = new FakeClock();
  await using server = await startV1Server(TARGET, { clock });
  using mute = await Stream.connect(server.port);
  await clock.armed(10_000);
  clock.tick(9_999);
  assert.deepEqual(server.events.types, ["listening"]);
  clock.tick(1);
  assert.equal((await mute.readToEnd()).length, 0);
  assert.match((await server.events.next("refused")).why, /no LISTEN within 10 s/);
});

test("stranger: LISTEN may come byte by byte, and frames may follow in its segment", async () => {
  await using server = await startV1Server(TARGET);
  using link = await NaiveLink.dial(server.port);
  await link.sendRaw(...[0, 0, LISTEN, 0].map((byte) => Uint8Array.of(byte)));
  await server.events.next("link-up");
  link.close();
  await server.events.next("link-down");
  using joined = await NaiveLink.dial(server.port);
  await joined.sendRaw(Uint8Array.of(0, 0, LISTEN, 0, 0, 0, CLOSE, 7, 0, 0, CLOSE, 8));
  await server.events.next("link-up");
  assert.deepEqual(await joined.readBytes(8), Uint8Array.of(0, 0, CLOSE, 7, 0, 0, CLOSE, 8));
});

test("stranger: as many silent ones as find room keep a device out for a moment only", async () => {
  const clock = new FakeClock();
  await using server = await startV1Server(TARGET, { clock });
  const waiting: Stream[] = [];
  for (let n = 0; n < MAX_PENDING_LINKS; n++) waiting.push(await Stream.connect(server.port));
  await clock.armed(FIRST_FRAME_TIMEOUT_MS, MAX_PENDING_LINKS);
  using next = await Stream.connect(server.port);
  assert.equal((await next.readToEnd()).length, 0);
  assert.match(
    (await server.events.next("refused")).why,
    /^512 others are at the door, 512 of them from 127\.0\.0\.1$/,
  );

  clock.tick(LISTEN_GRACE_MS);
  using link = await dialAsDevice(server.port);
  assert.match((await server.events.next("refused")).why, /had not said LISTEN, and made room/);
  await server.events.next("link-up");
  await link.settled(200);
  for (const stream of waiting) stream.close();
});
