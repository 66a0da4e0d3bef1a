/**
 * Our device against a server that is played frame by frame: CONNECTs good and bad, and what comes around them.
 *
 * @module
 */

import assert from "node:assert/strict";
import { CLOSE, CONNECT, connectPayload, DATA, frameBytes } from "../rig/naive_v1/link.ts";
import { ascii, digest, noise } from "../rig/bytes.ts";
import { concat } from "../../protocol/bytes.ts";
import { playServer, type ScriptedServer } from "../rig/v1/scripted.ts";
import { echoService, Service } from "../rig/service.ts";
import { test } from "../rig/test.ts";
import { FakeClock } from "../rig/clock.ts";
import { within } from "../rig/wait.ts";
import { freePort } from "../rig/ports.ts";

const ANY = ["*:*"];

const BAD_CONNECTS: Record<string, Uint8Array> = {
  "no payload": new Uint8Array(0),
  "one byte of payload": Uint8Array.of(0),
  "an empty address": connectPayload("", 22),
  "an address longer than its payload": Uint8Array.of(0, 200, 49, 50, 0, 22),
  "an address shorter than its payload": concat([connectPayload("127.0.0.1", 22), Uint8Array.of(0)]),
  "port 0": connectPayload("127.0.0.1", 0),
  "an address with a blank": connectPayload("not a host", 22),
  "an address with a zero byte": connectPayload("127.0.0.1\0", 22),
  "an address of 256 characters": connectPayload("a".repeat(256), 22),
  "the largest payload there is": new Uint8Array(65_535),
};

for (const [what, payload] of Object.entries(BAD_CONNECTS)) {
  test(`device: a CONNECT with ${what} is answered with CLOSE, and the next one is served`, async () => {
    await using service = echoService();
    await using relay = await playServer(ANY);
    await relay.link.send(CONNECT, 3, payload);
    await relay.link.expect(CLOSE, 3);
    const end = await relay.device.events.next("channel-end");
    assert.deepEqual([end.id, end.reason], [3, "bad-connect"]);
    await echoes(relay, 3, service.port);
  });
}

test("device: a service that it does not allow is never dialled, and answered with CLOSE", async () => {
  await using service = new Service();
  await using allowed = echoService();
  await using relay = await playServer([`127.0.0.1:${allowed.port}`]);
  await relay.link.send(CONNECT, 1, connectPayload("127.0.0.1", service.port));
  await relay.link.expect(CLOSE, 1);
  await relay.link.send(CONNECT, 2, connectPayload("localhost", allowed.port));
  await relay.link.expect(CLOSE, 2);
  for (const id of [1, 2]) {
    const end = await relay.device.events.next("channel-end");
    assert.deepEqual([end.id, end.reason], [id, "not-allowed"]);
  }
  await echoes(relay, 3, allowed.port);
  assert.equal(service.accepted, 0);
  assert.equal(allowed.accepted, 1);
});

test("device: a service that refuses, and a name that nobody knows, are answered with CLOSE", async () => {
  await using relay = await playServer(ANY);
  await relay.link.send(CONNECT, 1, connectPayload("127.0.0.31", freePort("127.0.0.31")));
  await relay.link.expect(CLOSE, 1);
  const refused = await relay.device.events.next("channel-end");
  assert.deepEqual([refused.id, refused.reason], [1, "service-unreachable"]);
  assert.match(refused.error ?? "", /refused/i);
  await relay.link.send(CONNECT, 2, connectPayload("gateway.invalid", 22));
  await relay.link.expect(CLOSE, 2);
  const unknown = await relay.device.events.next("channel-end");
  assert.deepEqual([unknown.id, unknown.reason], [2, "service-unreachable"]);
});

test("device: a service that does not answer within the connect time is answered with CLOSE", async () => {
  using deaf = new DeafService();
  await deaf.fill();
  const clock = new FakeClock();
  await using relay = await playServer(ANY, { clock, connectTimeout: 4000 });
  await relay.link.send(CONNECT, 1, connectPayload("127.0.0.1", deaf.port));
  await clock.armed(4000);
  clock.tick(4000);
  await relay.link.expect(CLOSE, 1);
  const end = await relay.device.events.next("channel-end");
  assert.deepEqual([end.reason, end.error], ["connect-timeout", "no answer within 4 s"]);
});

test("device: a client that leaves while its service is being dialled ends the dial", async () => {
  using deaf = new DeafService();
  await deaf.fill();
  await using relay = await playServer(ANY);
  await relay.link.send(CONNECT, 1, connectPayload("127.0.0.1", deaf.port));
  await relay.link.send(CLOSE, 1);
  await relay.link.expect(CLOSE, 1);
  assert.equal((await relay.device.events.next("channel-end")).reason, "client-closed");
});

test("device: DATA right behind CONNECT waits, in order, for a service that is slow to accept", async () => {
  using deaf = new DeafService();
  await deaf.fill();
  const sent = noise(200_000, 31);
  await using relay = await playServer(ANY);
  await relay.link.send(CONNECT, 1, connectPayload("127.0.0.1", deaf.port));
  for (let at = 0; at < sent.length; at += 8188) await relay.link.send(DATA, 1, sent.subarray(at, at + 8188));
  assert.equal(await digest((await deaf.accept(sent.length)).subarray(0, sent.length)), await digest(sent));
});

test("device: DATA and CLOSE right behind CONNECT are delivered to a service that is slow to accept", async () => {
  using deaf = new DeafService();
  await deaf.fill();
  const sent = noise(50_000, 33);
  await using relay = await playServer(ANY);
  await relay.link.send(CONNECT, 1, connectPayload("127.0.0.1", deaf.port));
  await relay.link.send(DATA, 1, sent);
  await relay.link.send(CLOSE, 1);
  await relay.link.expect(CLOSE, 1);
  assert.equal(await digest(await deaf.accept()), await digest(sent));
});

test("device: CONNECT, DATA and CLOSE in one segment make a client whose bytes reach the service", async () => {
  await using service = new Service();
  await using relay = await playServer(ANY);
  await relay.link.sendRaw(concat([
    frameBytes(CONNECT, 1, connectPayload("127.0.0.1", service.port)),
    frameBytes(DATA, 1, ascii("all there is to say")),
    frameBytes(CLOSE, 1),
  ]));
  await relay.link.expect(CLOSE, 1);
  using accepted = await service.accept();
  assert.deepEqual(await accepted.readToEnd(), ascii("all there is to say"));
  accepted.close();
  const end = await relay.device.events.next("channel-end");
  assert.deepEqual([end.reason, end.bytesUp], ["client-closed", 19]);
});

test("device: DATA ahead of CONNECT is delivered first, in order, also when it came in many frames", async () => {
  await using service = new Service();
  const sent = noise(60_000, 32);
  await using relay = await playServer(ANY);
  for (let at = 0; at < sent.length; at += 1000) {
    if (at === 40_000) await relay.link.send(CONNECT, 1, connectPayload("127.0.0.1", service.port));
    await relay.link.send(DATA, 1, sent.subarray(at, at + 1000));
  }
  using accepted = await service.accept();
  assert.equal(await digest(await accepted.read(sent.length)), await digest(sent));
});

test("device: DATA without a CONNECT is answered with CLOSE after half a second, or at once beyond 64 KiB", async () => {
  const clock = new FakeClock();
  await using relay = await playServer(ANY, { clock });
  await relay.link.send(DATA, 1, ascii("nobody"));
  await clock.armed(500);
  clock.tick(500);
  await relay.link.expect(CLOSE, 1);
  await relay.link.send(DATA, 2, new Uint8Array(65_535));
  await relay.link.send(DATA, 2, new Uint8Array(2));
  await relay.link.expect(CLOSE, 2);
});

test("device: CLOSE for a client that never was is passed over, and so are empty DATA and unknown commands", async () => {
  await using service = echoService();
  await using relay = await playServer(ANY);
  await relay.link.send(CLOSE, 50);
  await relay.link.send(DATA, 51);
  await relay.link.send(9, 52);
  await relay.link.send(DATA, 53, ascii("dropped"));
  await relay.link.send(CLOSE, 53);
  await echoes(relay, 1, service.port); // the next frame is the service's answer: none went out for those
});

test("device: a client that had gone before its CONNECT came opens no service, and the next one is served", async () => {
  await using service = new Service();
  await using relay = await playServer(ANY);
  const target = connectPayload("127.0.0.1", service.port);
  await relay.link.send(CLOSE, 1);
  await relay.link.send(CONNECT, 1, target);
  await relay.link.expect(CLOSE, 1);
  const { type, ...facts } = await relay.device.events.next("channel-end");
  assert.deepEqual([type, facts.id, facts.reason, facts.service], [
    "channel-end",
    1,
    "client-closed",
    `127.0.0.1:${service.port}`,
  ]);
  await relay.link.send(DATA, 2, ascii("last words"));
  await relay.link.send(CLOSE, 2);
  await relay.link.send(CONNECT, 2, target);
  using first = await service.accept();
  assert.equal(new TextDecoder().decode(await first.readToEnd()), "last words");
  first.close();
  await relay.link.expect(CLOSE, 2);
  assert.equal(service.accepted, 1);
});

test("device: CONNECT for a client that is open ends the older service and serves the newer one", async () => {
  await using service = new Service();
  await using relay = await playServer(ANY);
  const target = connectPayload("127.0.0.1", service.port);
  await relay.link.send(CONNECT, 1, target);
  using older = await service.accept();
  await relay.link.send(DATA, 1, ascii("older"));
  assert.equal(await older.readText(5), "older");
  await relay.link.send(CONNECT, 1, target);
  using newer = await service.accept();
  assert.equal((await older.readToEnd()).length, 0);
  older.close();
  assert.equal((await relay.device.events.next("channel-end")).reason, "id-reused");
  await relay.link.send(DATA, 1, ascii("newer"));
  assert.equal(await newer.readText(5), "newer");
  await newer.write("answer");
  assert.deepEqual((await relay.link.expect(DATA, 1)).payload, ascii("answer"));
});

test("device: after CLOSE, from whichever side, no DATA goes out for that client", async () => {
  await using service = new Service();
  await using relay = await playServer(ANY);
  await relay.link.send(CONNECT, 1, connectPayload("127.0.0.1", service.port));
  using talker = await service.accept();
  await relay.link.send(CLOSE, 1);
  await relay.link.expect(CLOSE, 1);
  await talker.write("too late");
  assert.equal((await talker.readToEnd()).length, 0);
  talker.close();
  await relay.device.events.next("channel-end");
  await relay.link.sendRaw(frameBytes(CONNECT, 2));
  await relay.link.expect(CLOSE, 2); // and no DATA ahead of it
});

/** A client's bytes come back from the echo service. */
async function echoes(relay: ScriptedServer, id: number, port: number): Promise<void> {
  await relay.link.send(CONNECT, id, connectPayload("127.0.0.1", port));
  await relay.link.send(DATA, id, ascii("ping"));
  assert.deepEqual((await relay.link.expect(DATA, id)).payload, ascii("ping"));
}

/** A service whose queue is full, so that nobody who dials it gets an answer before it accepts. */
class DeafService implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 0 });
  readonly port = this.#listener.addr.port;
  readonly #conns: Deno.TcpConn[] = [];

  /** Takes the one place in the queue. */
  async fill(): Promise<void> {
    this.#conns.push(await Deno.connect({ hostname: "127.0.0.1", port: this.port }));
  }

  /** Accepts the one that filled the queue, then the other, and reads that to its end, or to `size` bytes. */
  async accept(size = Infinity): Promise<Uint8Array<ArrayBuffer>> {
    this.#conns.push(await this.#listener.accept());
    const conn = await within(this.#listener.accept(), "the device's dial");
    this.#conns.push(conn);
    const pieces: Uint8Array[] = [];
    for (let have = 0; have < size;) {
      const chunk = new Uint8Array(64 * 1024);
      const count = await within(conn.read(chunk), "what was sent");
      if (count === null) break;
      pieces.push(chunk.subarray(0, count));
      have += count;
    }
    return concat(pieces);
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    for (const conn of this.#conns) conn.close();
  }
}
