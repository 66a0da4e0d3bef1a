import assert from "node:assert/strict";
import fc from "fast-check";
import { V2_MAX_HANDSHAKE } from "../protocol/v2/limits.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { goodbye, goodbyeFrame } from "../protocol/v2/wire/goodbye.ts";
import {
  type DeviceParty,
  HandshakeError,
  type HandshakeParty,
  type Welcome,
  welcomeFrame,
} from "../protocol/v2/wire/handshake.ts";
import { greetDevice, greetServer, HandshakeCut, randomBytes, writeAll } from "./handshake.ts";
import { createIdentity } from "../net/tls/identity.ts";
import type { Duplex } from "../net/socket.ts";
import { FakeDuplex } from "./_fakes_test.ts";
import { settled } from "../tests/rig/wait.ts";
import { test } from "../tests/rig/test.ts";

const [SERVER, DEVICE] = await Promise.all([createIdentity(), createIdentity()]);
const WELCOME: Welcome = {
  session: new Uint8Array(16).fill(1),
  name: "gw1",
  maxChannels: 9,
  remote: "192.0.2.1:5",
  expiration: 15_000,
  resumed: 5,
};
const NOTHING = new Uint8Array(0);

function serverParty(): HandshakeParty {
  return { signer: SERVER, nonce: randomBytes(32), wallClock: 1_700_000_000_000, software: "s/1" };
}

function deviceParty(): DeviceParty {
  const instance = randomBytes(16);
  return { ...serverParty(), signer: DEVICE, serverKey: SERVER.publicKey, instance, software: "d/1" };
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** How it ended: the code of a goodbye or of a protocol error, `cut`, or what it came to. */
async function outcome(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "nothing";
  } catch (error) {
    if (error instanceof HandshakeError) return `goodbye ${error.goodbye.code}`;
    if (error instanceof ProtocolError) return error.code;
    if (error instanceof HandshakeCut) return "cut";
    throw error;
  }
}

/** Both sides of a handshake, whose bytes the test carries. */
class Both {
  readonly atDevice = new FakeDuplex();
  readonly atServer = new FakeDuplex();
  readonly device = greetServer(this.atDevice, deviceParty());
  readonly server = greetDevice(this.atServer, NOTHING, serverParty());
  readonly deviceOutcome = outcome(this.device);
  readonly serverOutcome = outcome(this.server);

  /** What a side wrote, once it waits for an answer or has ended. */
  async said(by: FakeDuplex, side: Promise<unknown>): Promise<Uint8Array> {
    let over = false;
    side.then(() => over = true, () => over = true);
    const parts: Uint8Array[] = [];
    for (;;) {
      await settled();
      parts.push(by.take());
      if (over || (by.isRead && parts.some((part) => part.length > 0))) return concat([...parts, by.take()]);
    }
  }

  hello(): Promise<Uint8Array> {
    return this.said(this.atDevice, this.deviceOutcome);
  }

  async challenge(): Promise<Uint8Array> {
    this.atServer.feed(await this.hello());
    return await this.said(this.atServer, this.serverOutcome);
  }

  async auth(): Promise<Uint8Array> {
    this.atDevice.feed(await this.challenge());
    return await this.said(this.atDevice, this.deviceOutcome);
  }

  /** Ends what still waits. */
  async close(): Promise<void> {
    this.atDevice.feed(null);
    this.atServer.feed(null);
    await Promise.all([this.deviceOutcome, this.serverOutcome]);
  }
}

test("two sides that know each other greet, and what comes behind is kept", async () => {
  const both = new Both();
  both.atServer.feed(concat([await both.auth(), Uint8Array.of(1, 2, 3)]));
  const { device, rest } = await both.server;
  assert.deepEqual(device.deviceKey, DEVICE.publicKey);
  assert.deepEqual(rest, Uint8Array.of(1, 2, 3));
  both.atDevice.feed(concat([welcomeFrame(WELCOME), Uint8Array.of(4, 5)]));
  const greeting = await both.device;
  assert.deepEqual(greeting.welcome, WELCOME);
  assert.deepEqual(greeting.rest, Uint8Array.of(4, 5));
});

test("frames that nobody has to know are passed over in the handshake too, on both sides; others end it", async () => {
  const extra = Uint8Array.of(0, 2, 0xc0, 0, 0, 0, 0, 0, 9, 9);
  const both = new Both();
  const hello = await both.hello();
  both.atServer.feed(concat([hello.subarray(0, 8), extra, hello.subarray(8)]));
  both.atDevice.feed(concat([extra, await both.said(both.atServer, both.serverOutcome)]));
  both.atServer.feed(concat([extra, await both.said(both.atDevice, both.deviceOutcome)]));
  assert.deepEqual((await both.server).device.deviceKey, DEVICE.publicKey);
  both.atDevice.feed(concat([extra, welcomeFrame(WELCOME)]));
  assert.deepEqual((await both.device).welcome, WELCOME);

  const other = new Both();
  other.atServer.feed(concat([(await other.hello()).subarray(0, 8), Uint8Array.of(0, 0, 0x48, 0, 0, 0, 0, 0)]));
  await assert.rejects(other.server, ProtocolError);
  await other.close();
});

test("a goodbye before the server has proved its key keeps a device away for a minute at most, and says nothing of epochs", async () => {
  for (
    const [comeBackAfter, counts] of [[Infinity, 60_000], [60_001, 60_000], [5_000, 5_000], [undefined, undefined]]
  ) {
    const both = new Both();
    const word = goodbyeFrame({ ...goodbye("bad-enrolment", "go"), comeBackAfter, epoch: 2 ** 50 });
    both.atDevice.feed(word);
    both.atServer.feed(null);
    await assert.rejects(both.device, (error) => {
      assert.ok(error instanceof HandshakeError && error.byPeer);
      assert.deepEqual([error.message, error.goodbye.code, error.goodbye.comeBackAfter], [
        "go",
        "bad-enrolment",
        counts,
      ]);
      assert.equal(error.goodbye.epoch, undefined, "anybody may have said it");
      return true;
    });
    await both.serverOutcome;
  }
});

test("a handshake works however its bytes are cut, and however few of them a write takes", async () => {
  const carry = async (from: FakeDuplex, to: FakeDuplex, bytes: Uint8Array, size: number) => {
    for (let at = 0; at < bytes.length; at += size) {
      to.feed(bytes.subarray(at, at + size));
      await settled();
    }
    assert.equal(from.take().length, 0);
  };
  for (const size of [1, 7]) {
    const both = new Both();
    await carry(both.atDevice, both.atServer, await both.hello(), size);
    await carry(both.atServer, both.atDevice, await both.said(both.atServer, both.serverOutcome), size);
    await carry(both.atDevice, both.atServer, await both.said(both.atDevice, both.deviceOutcome), size);
    await both.server;
    await carry(both.atServer, both.atDevice, welcomeFrame(WELCOME), size);
    await both.device;
  }
  const slow = new FakeDuplex();
  slow.blocked = true;
  const written = writeAll(slow, Uint8Array.of(1, 2, 3, 4, 5));
  for (let n = 0; n < 5; n++) {
    slow.accept(1);
    await settled();
  }
  await written;
  assert.deepEqual(slow.take(), Uint8Array.of(1, 2, 3, 4, 5));
});

test("what was read before the handshake counts as its beginning", async () => {
  const both = new Both();
  const hello = await both.hello();
  for (const at of [1, 8, 30, hello.length]) {
    const duplex = new FakeDuplex();
    const server = outcome(greetDevice(duplex, hello.slice(0, at), serverParty()));
    duplex.feed(hello.slice(at));
    const challenge = await both.said(duplex, server);
    assert.equal(challenge[2], 0x41);
    duplex.feed(null);
    assert.equal(await server, "cut");
  }
  const flood = outcome(greetDevice(new FakeDuplex(), new Uint8Array(V2_MAX_HANDSHAKE + 1), serverParty()));
  assert.equal(await flood, "bad-size");
  await both.close();
});

test("a connection that ends at any byte of the handshake is told as cut, on either side", async () => {
  const both = new Both();
  const hello = await both.hello();
  await both.close();
  for (let end = 0; end <= hello.length; end++) {
    const duplex = new FakeDuplex();
    duplex.feed(hello.slice(0, end));
    duplex.feed(null);
    assert.equal(await outcome(greetDevice(duplex, NOTHING, serverParty())), "cut", `HELLO cut at ${end}`);
  }
  for (let end = 0; end < 160; end += 3) {
    const other = new Both();
    other.atDevice.feed((await other.challenge()).slice(0, end));
    other.atDevice.feed(null);
    assert.equal(await other.deviceOutcome, "cut", `CHALLENGE cut at ${end}`);
    await other.close();
  }
  const last = new Both();
  const auth = await last.auth();
  last.atServer.feed(auth.slice(0, auth.length - 1));
  last.atDevice.feed(welcomeFrame(WELCOME).slice(0, 20));
  await last.close();
  assert.deepEqual([await last.serverOutcome, await last.deviceOutcome], ["cut", "cut"]);
});

test("a GOODBYE in place of any frame is heard as such", async () => {
  const word = goodbyeFrame(goodbye("too-busy", "later"));
  const [first, second] = [new Both(), new Both()];
  const hello = await first.hello();
  first.atServer.feed(concat([hello.slice(0, 8), word]));
  first.atDevice.feed(word);
  second.atServer.feed(concat([await second.auth().then(() => NOTHING), word]));
  second.atDevice.feed(word);
  for (const both of [first, second]) {
    assert.equal(await both.serverOutcome, "goodbye too-busy");
    assert.equal(await both.deviceOutcome, "goodbye too-busy");
  }
  await assert.rejects(
    first.device,
    (error) => error instanceof HandshakeError && error.goodbye.comeBackAfter === 5_000,
  );
});

test("another frame than the one that is due, or another beginning, ends the handshake", async () => {
  const both = new Both();
  const hello = await both.hello();
  both.atServer.feed(concat([hello, hello.subarray(8)]));
  assert.equal(await both.serverOutcome, "listen-expected");
  both.atDevice.feed(welcomeFrame(WELCOME));
  assert.equal(await both.deviceOutcome, "listen-expected");
  for (let at = 0; at < 8; at++) {
    const duplex = new FakeDuplex();
    const bytes = hello.slice();
    bytes[at]! ^= 0x20;
    duplex.feed(bytes);
    assert.equal(await outcome(greetDevice(duplex, NOTHING, serverParty())), "listen-expected", `preamble byte ${at}`);
  }
});

test("4,096 bytes without a whole frame are the most that either side takes", async () => {
  const preamble = Uint8Array.of(0x53, 0x41, 0x4c, 0x4c, 0x59, 0x32, 0x0d, 0x0a);
  const endless = concat([Uint8Array.of(0xff, 0xff, 0x40, 0, 0, 0, 0, 0), new Uint8Array(V2_MAX_HANDSHAKE)]);
  const atServer = new FakeDuplex();
  const server = outcome(greetDevice(atServer, NOTHING, serverParty()));
  atServer.feed(concat([preamble, endless]).subarray(0, V2_MAX_HANDSHAKE - 1));
  await settled();
  assert(atServer.isRead, "it gave up early");
  atServer.feed(new Uint8Array(1));
  assert.equal(await server, "bad-size");
  const atDevice = new FakeDuplex();
  const device = outcome(greetServer(atDevice, deviceParty()));
  atDevice.feed(endless);
  assert.equal(await device, "bad-size");
});

test("whatever bytes come, a handshake ends with one of the errors that it names", async () => {
  const frame = fc.tuple(fc.constantFrom(0x40, 0x41, 0x42, 0x43, 0x44, 3), fc.uint8Array({ maxLength: 80 }))
    .map(([command, payload]) => concat([Uint8Array.of(0, payload.length, command, 0, 0, 0, 0, 0), payload]));
  const preamble = Uint8Array.of(0x53, 0x41, 0x4c, 0x4c, 0x59, 0x32, 0x0d, 0x0a);
  await fc.assert(fc.asyncProperty(fc.oneof(frame, fc.uint8Array({ maxLength: 60 })), async (bytes) => {
    const [atServer, atDevice] = [new FakeDuplex(), new FakeDuplex()];
    const both = [
      outcome(greetDevice(atServer, NOTHING, serverParty())),
      outcome(greetServer(atDevice, deviceParty())),
    ];
    atServer.feed(concat([preamble, bytes]));
    atDevice.feed(bytes);
    for (const duplex of [atServer, atDevice]) duplex.feed(null);
    for (const end of await Promise.all(both)) assert.notEqual(end, "nothing");
  }));
});

test("who resets before its first byte has closed without a word", async () => {
  const duplex: Duplex = {
    read: () => Promise.reject(new Deno.errors.ConnectionReset("Connection reset by peer (os error 104)")),
    write: (bytes) => Promise.resolve(bytes.length),
    closeWrite: () => Promise.resolve(),
    close: () => {},
  };
  await assert.rejects(
    greetDevice(duplex, new Uint8Array(0), serverParty()),
    (error) => error instanceof HandshakeCut && error.bytes === 0 && error.message === "it closed without a word",
  );
});
