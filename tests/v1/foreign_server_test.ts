/**
 * Our device at servers that are no v1 server, that misbehave, or that fall silent.
 *
 * @module
 */

import assert from "node:assert/strict";
import { FIRST_PROBE_MS } from "../../protocol/limits.ts";
import { KNOCK_ANSWER_MS } from "../../protocol/v1/limits.ts";
import { CLOSE, CONNECT, connectPayload, DATA, frameBytes, LISTEN } from "../rig/naive_v1/link.ts";
import { ascii, hex } from "../rig/bytes.ts";
import { FakeClock } from "../rig/clock.ts";
import { startV1Device } from "../rig/v1/relay.ts";
import { playServer, ScriptedLink, type ScriptedServer } from "../rig/v1/scripted.ts";
import { echoService, Service } from "../rig/service.ts";
import { test } from "../rig/test.ts";
import { within } from "../rig/wait.ts";
import { freePort } from "../rig/ports.ts";

const ANY = ["*:*"];

/** The shortest wait of the backoff. */
const FIRST_RETRY = { random: () => 0 };
const FIRST_RETRY_MS = 500;

test("device: LISTEN is the first thing it says, in one segment", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using _device = startV1Device(listener.addr.port, ANY);
  using link = new ScriptedLink(await listener.accept());
  const segment = await within(link.readSegment(), "LISTEN");
  assert.equal(hex(segment!), "00 00 04 00");
  listener.close();
});

const BROKEN: Record<string, Uint8Array> = {
  "an HTTP answer": ascii("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"),
  "an SSH banner": ascii("SSH-2.0-OpenSSH_9.2p1\r\n"),
  "LISTEN, as if it were a device": frameBytes(LISTEN, 0),
  "CLOSE with a payload": frameBytes(CLOSE, 0, ascii("x")),
  "an unknown command with a payload": frameBytes(9, 0, ascii("x")),
};

for (const [what, bytes] of Object.entries(BROKEN)) {
  test(`device: a server that sends ${what} is left at once, and dialled again after a pause`, async () => {
    const clock = new FakeClock();
    await using service = new Service();
    await using relay = await playServer(ANY, { clock, ...FIRST_RETRY });
    await relay.link.send(CONNECT, 1, connectPayload("127.0.0.1", service.port));
    using accepted = await service.accept();
    await relay.link.sendRaw(bytes);
    const lost = await relay.device.events.next("lost");
    assert.deepEqual([lost.reason, lost.retryIn], ["protocol-error", FIRST_RETRY_MS]);
    assert.ok(lost.detail);
    assert.equal((await accepted.readToEnd()).length, 0, "its services are closed");
    await clock.armed(FIRST_RETRY_MS);
    assert.equal(relay.device.handle.state, "waiting");
    clock.tick(FIRST_RETRY_MS);
    const again = await relay.accept();
    await again.expect(LISTEN, 0);
    assert.equal(relay.device.handle.state, "online");
  });
}

test("device: a TLS server, whose alert looks like the start of a long CONNECT, is left when it hangs up", async () => {
  await using relay = await playServer(ANY, { reconnect: false });
  await relay.link.sendRaw(Uint8Array.of(0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x0a));
  relay.link.close();
  const lost = await relay.device.events.next("lost");
  assert.deepEqual([lost.reason, lost.detail], ["peer-closed", "in the middle of a frame"]);
  await relay.device.handle.closed;
});

test("device: a server that hangs up is dialled again and again, each time after a longer pause", async () => {
  const clock = new FakeClock();
  await using relay = await playServer(ANY, { clock, random: () => 0.999_999 });
  let { link } = relay;
  for (const ceiling of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
    link.close();
    const lost = await relay.device.events.next("lost");
    assert.deepEqual([lost.reason, lost.retryIn], ["peer-closed", ceiling]);
    await clock.armed(ceiling);
    clock.tick(ceiling);
    link = await relay.accept();
    await link.expect(LISTEN, 0);
  }
  clock.tick(10_000); // a link that lasts
  link.close();
  assert.equal((await relay.device.events.next("lost")).retryIn, 1000);
});

test("device: a server that is not there is dialled until it is", async () => {
  const clock = new FakeClock();
  const hostname = "127.0.0.32";
  const port = freePort(hostname);
  await using device = startV1Device(port, ANY, { clock, server: { host: hostname, port }, ...FIRST_RETRY });
  for (const attempt of [1, 2]) {
    assert.equal((await device.events.next("connecting")).attempt, attempt);
    const failed = await device.events.next("dial-failed");
    assert.equal(failed.retryIn, FIRST_RETRY_MS);
    assert.match(failed.error, /refused/i);
    await clock.armed(FIRST_RETRY_MS);
    if (attempt === 1) clock.tick(FIRST_RETRY_MS);
  }
  const listener = Deno.listen({ hostname, port });
  clock.tick(FIRST_RETRY_MS);
  using link = new ScriptedLink(await within(listener.accept(), "a dial"));
  await link.expect(LISTEN, 0);
  await device.handle.ready;
  listener.close();
});

const KEEP_ALIVE = { idleTimeout: 15_000, probeInterval: 5000, probeCount: 3 };

test("device: a server that used to answer knocks and falls silent is given up after the last of them", async () => {
  const clock = new FakeClock();
  await using service = new Service();
  await using relay = await playServer(ANY, { clock, keepAlive: KEEP_ALIVE });
  const { link, device } = relay;
  await answerKnock(relay, clock);
  await roundTrip(relay, service, 1);
  clock.tick(15_000);
  for (let probe = 1; probe <= 3; probe++) {
    assert.equal((await link.next()).command, CLOSE);
    assert.equal(device.events.types.includes("lost"), false);
    await clock.armed(5000);
    clock.tick(5000);
  }
  assert.equal((await device.events.next("lost")).reason, "keep-alive-timeout");
  await link.expectEnd();
});

test("device: a server is not given up for knocks that were never sent, as no client id was free for them", async () => {
  const clock = new FakeClock();
  await using service = echoService();
  await using relay = await playServer(ANY, { clock, keepAlive: KEEP_ALIVE });
  const { link } = relay;
  await answerKnock(relay, clock);
  for (let id = 1; id <= 200; id++) {
    await link.send(CONNECT, id, connectPayload("127.0.0.1", service.port));
    await link.send(DATA, id, ascii("x"));
    await link.expect(DATA, id);
  }
  for (let n = 0; n < 20; n++) clock.tick(5000);
  await link.send(DATA, 1, ascii("still here"));
  let frame = await link.next();
  while (frame.command === CLOSE) frame = await link.next(); // a knock, if it found a way
  assert.deepEqual(frame.payload, ascii("still here"));
});

test("device: a server that never answers knocks is not given up for its silence", async () => {
  const clock = new FakeClock();
  await using relay = await playServer(ANY, { clock, keepAlive: KEEP_ALIVE, linkWriteTimeout: -1 });
  for (let n = 0; n < 10; n++) {
    const wait = n === 0 ? FIRST_PROBE_MS : KEEP_ALIVE.idleTimeout - (n <= 2 ? KNOCK_ANSWER_MS : 0);
    await clock.armed(wait);
    clock.tick(wait);
    await relay.link.expect(CLOSE, 0);
    if (n >= 2) continue;
    await clock.armed(KNOCK_ANSWER_MS);
    clock.tick(KNOCK_ANSWER_MS);
    assert.equal((await relay.link.expect(DATA, 255)).size, 0);
  }
  assert.deepEqual(relay.device.events.types, ["connecting", "online"]);
});

test("device: a server as the original, which drops a CLOSE, is given up when it does not answer DATA of size 0", async () => {
  const clock = new FakeClock();
  await using service = new Service();
  await using relay = await playServer(ANY, { clock, keepAlive: KEEP_ALIVE });
  const { link, device } = relay;
  await clock.armed(FIRST_PROBE_MS);
  clock.tick(FIRST_PROBE_MS);
  await link.expect(CLOSE, 0);
  await clock.armed(KNOCK_ANSWER_MS);
  clock.tick(KNOCK_ANSWER_MS);
  assert.equal((await link.expect(DATA, 255)).size, 0);
  await link.send(CLOSE, 255);
  await roundTrip(relay, service, 1);
  clock.tick(15_000);
  for (let probe = 1; probe <= 3; probe++) {
    assert.equal((await link.expect(DATA, 255)).size, 0);
    assert.equal(device.events.types.includes("lost"), false);
    await clock.armed(5000);
    clock.tick(5000);
  }
  assert.equal((await device.events.next("lost")).reason, "keep-alive-timeout");
  await link.expectEnd();
});

/** Lets the device knock for the first time, and answers it as a server that does not know the client. */
async function answerKnock(relay: ScriptedServer, clock: FakeClock): Promise<void> {
  await clock.armed(FIRST_PROBE_MS);
  clock.tick(FIRST_PROBE_MS);
  await relay.link.expect(CLOSE, 0);
  await relay.link.send(CLOSE, 0);
}

/** A client that comes and goes; behind it the device has taken in all that was sent before. */
async function roundTrip(relay: ScriptedServer, service: Service, id: number): Promise<void> {
  await relay.link.send(CONNECT, id, connectPayload("127.0.0.1", service.port));
  using accepted = await service.accept();
  await relay.link.send(CLOSE, id);
  await relay.link.expect(CLOSE, id);
  assert.equal((await accepted.readToEnd()).length, 0);
}
