/**
 * What a device may do with LISTEN that ours does not: offer and withdraw as fast as it can, or while clients are there.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { KeepAliveSettings } from "../../mod.ts";
import { greetServer, randomBytes } from "../../relay/handshake.ts";
import { createIdentity, type Identity } from "../../net/tls/identity.ts";
import { concat } from "../../protocol/bytes.ts";
import { V2Command } from "../../protocol/v2/wire/commands.ts";
import { v2Frame } from "../../protocol/v2/wire/codec.ts";
import {
  closeFrame,
  listenFrame,
  readGrants,
  resultFrame,
  type ServiceGrantResult,
} from "../../protocol/v2/wire/messages.ts";
import { parseGrant } from "../../server/devices/service_grant.ts";
import { echoService } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";
import { portOf, refusesClients } from "../rig/ports.ts";
import { authorized, local, startV2Device, startV2Server, type V2Server } from "../rig/v2/relay.ts";
import { within } from "../rig/wait.ts";

const OFF: KeepAliveSettings = { idleTimeout: -1, probeInterval: 1_000, probeCount: 0 };

/** Longest time that a server may be busy with the offers of one device, in milliseconds. */
const BUSY_MS = 5_000;

/** A device of which the test writes every frame. */
class PlayedDevice implements Disposable {
  readonly #stream: Stream;
  #rest: Uint8Array;

  private constructor(stream: Stream, rest: Uint8Array) {
    this.#stream = stream;
    this.#rest = rest;
  }

  /** Links up. */
  static async link(server: V2Server, identity: Identity): Promise<PlayedDevice> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    const { rest } = await greetServer(conn, {
      signer: identity,
      serverKey: server.identity.publicKey,
      nonce: randomBytes(32),
      instance: randomBytes(16),
      wallClock: Date.now(),
      software: "a test",
    });
    return new PlayedDevice(new Stream(conn), rest);
  }

  /** Sends frames as they are. */
  send(...frames: Uint8Array[]): Promise<void> {
    return this.#stream.write(concat(frames));
  }

  /** Offers the service `ssh`, or withdraws it. */
  async offer(offered: boolean): Promise<ServiceGrantResult> {
    await this.send(ssh(offered));
    return readGrants((await this.next(V2Command.LISTEN)).payload)[0]!;
  }

  /** The next frame of a kind; those before it are left out. */
  async next(wanted: V2Command): Promise<{ readonly channel: number; readonly payload: Uint8Array }> {
    for (;;) {
      const head = await this.#read(8);
      const view = new DataView(head.buffer, head.byteOffset);
      const payload = await this.#read(view.getUint16(0));
      if (head[2] === wanted) return { channel: view.getUint32(4), payload };
    }
  }

  /** Takes the next client. @returns its channel. */
  async accept(): Promise<number> {
    const { channel } = await this.next(V2Command.CONNECT);
    await this.send(resultFrame(channel, "connected", 1024));
    return channel;
  }

  /** Reads until the server has closed the link. */
  async end(): Promise<void> {
    await this.#stream.readToEnd();
  }

  [Symbol.dispose](): void {
    this.#stream.close();
  }

  async #read(size: number): Promise<Uint8Array> {
    while (this.#rest.length < size) {
      const more = await within(this.#stream.readSome(), "a frame of the server");
      assert.ok(more, "the link ended");
      this.#rest = concat([this.#rest, more]);
    }
    const head = this.#rest.subarray(0, size);
    this.#rest = this.#rest.subarray(size);
    return head;
  }
}

function ssh(offered: boolean): Uint8Array {
  return listenFrame([{ number: 0, offered, name: "ssh" }]);
}

/** Resolves when the server has answered for a number, and so read all that was sent before. */
async function answered(device: PlayedDevice, wanted: number): Promise<void> {
  for (;;) {
    const answers = readGrants((await device.next(V2Command.LISTEN)).payload);
    if (answers.some(({ number }) => number === wanted)) return;
  }
}

/** What a client hears of its service. */
async function hears(client: Stream, device: PlayedDevice, channel: number): Promise<string> {
  await device.send(v2Frame(V2Command.DATA, channel, new TextEncoder().encode("word")));
  return await client.readText(4);
}

test("v2 listen: a service that is offered and withdrawn as fast as it can be does not keep others waiting", async () => {
  await using echo = echoService();
  await using server = await startV2Server({ serve: { keepAlive: OFF } });
  const [wild, tame] = [await createIdentity(), await createIdentity()];
  server.directory.put(authorized("wild", wild, ["ssh=127.0.0.1:0"]));
  server.directory.put(authorized("tame", tame, ["echo=127.0.0.1:0"]));
  await using other = startV2Device(server, tame, [local("echo", echo)]);
  using client = await Stream.connect(portOf((await other.events.next("service")).hostAddress!));
  using device = await PlayedDevice.link(server, wild);
  const { text: before } = await device.offer(true);
  const since = performance.now();
  const turns = concat(Array.from({ length: 128 }, () => concat([ssh(false), ssh(true)])));
  const allRead = answered(device, 7);
  for (let burst = 0; burst < 8; burst++) await device.send(turns);
  await client.write("x");
  assert.equal(await client.readText(1), "x");
  await device.send(listenFrame([{ number: 7, offered: false, name: "last" }]));
  await allRead;
  const took = performance.now() - since;
  assert.ok(took < BUSY_MS, `it took ${took} ms`);
  const { code, text } = await device.offer(true);
  assert.deepEqual([code, text], ["granted", before], "the port that was kept");
  await client.write("y");
  assert.equal(await client.readText(1), "y");
});

test("v2 listen: who names a service twice in one LISTEN is off, and others go on", async () => {
  await using echo = echoService();
  await using server = await startV2Server({ serve: { keepAlive: OFF } });
  const [wild, tame] = [await createIdentity(), await createIdentity()];
  server.directory.put(authorized("wild", wild, ["ssh=127.0.0.1:0"]));
  server.directory.put(authorized("tame", tame, ["echo=127.0.0.1:0"]));
  await using other = startV2Device(server, tame, [local("echo", echo)]);
  using client = await Stream.connect(portOf((await other.events.next("service")).hostAddress!));
  using device = await PlayedDevice.link(server, wild);
  const offer = { number: 0, offered: true, name: "ssh" };
  const twice = listenFrame(Array.from({ length: 256 }, (_, n) => ({ ...offer, offered: n % 2 === 0 })));
  await device.send(...Array.from({ length: 150 }, () => twice)).catch(() => {}); // it may be off before that is out
  await within(device.end(), "the end of the link");
  const down = await server.events.next("link-down");
  assert.deepEqual([down.device, down.reason], ["wild", "protocol-error"]);
  await client.write("x");
  assert.equal(await client.readText(1), "x");
});

test("v2 listen: clients of a service that was withdrawn count for max-clients when it is offered again", async () => {
  await using server = await startV2Server({ serve: { keepAlive: OFF } });
  const identity = await createIdentity();
  server.directory.put(authorized("gw1", identity, [{ ...parseGrant("ssh=127.0.0.1:0"), maxClients: 1 }]));
  using device = await PlayedDevice.link(server, identity);
  const port = portOf((await device.offer(true)).text);
  using first = await Stream.connect(port);
  const channel = await device.accept();
  await device.offer(false);
  assert.equal(portOf((await device.offer(true)).text), port);
  using second = await Stream.connect(port);
  assert.equal((await second.readToEnd()).length, 0);
  assert.equal((await server.events.next("client-end")).reason, "too-many-channels");
  assert.equal(await hears(first, device, channel), "word");
  first.close();
  await device.next(V2Command.END);
  await device.send(closeFrame(channel, "service-closed"));
  await server.events.next("client-end");
  using third = await Stream.connect(port);
  assert.equal(await hears(third, device, await device.accept()), "word");
});

for (
  const [what, grants] of [
    ["is taken away", []],
    ["gets another port", ["ssh=127.0.0.2:0"]],
  ] as const
) {
  test(`v2 listen: when a service ${what} while it is withdrawn, its clients are ended too`, async () => {
    await using server = await startV2Server({ serve: { keepAlive: OFF } });
    const identity = await createIdentity();
    server.directory.put(authorized("gw1", identity, ["ssh=127.0.0.1:0"]));
    using device = await PlayedDevice.link(server, identity);
    const port = portOf((await device.offer(true)).text);
    using client = await Stream.connect(port);
    const channel = await device.accept();
    await device.offer(false);
    await refusesClients(port);
    server.directory.put(authorized("gw1", identity, ["ssh=127.0.0.1:0", "web=127.0.0.1:0"]));
    assert.equal(await hears(client, device, channel), "word");
    server.directory.put(authorized("gw1", identity, grants));
    assert.equal((await within(client.readToEnd(), "the client's end")).length, 0);
    assert.equal((await server.events.next("client-end")).reason, "service-withdrawn");
  });
}

test("v2 listen: of a range that devices share, the port of one that is away is left to it", async () => {
  await using server = await startV2Server({ serve: { keepAlive: OFF } });
  const [a, b] = [await createIdentity(), await createIdentity()];
  for (const [name, identity] of [["a", a], ["b", b]] as const) {
    server.directory.put(authorized(name, identity, ["ssh=127.0.0.70:20000-29999"]));
  }
  const first = await PlayedDevice.link(server, a);
  const port = portOf((await first.offer(true)).text);
  first[Symbol.dispose]();
  await server.events.next("link-down");
  await refusesClients(port, "127.0.0.70");
  using other = await PlayedDevice.link(server, b);
  assert.notEqual(portOf((await other.offer(true)).text), port);
  using again = await PlayedDevice.link(server, a);
  assert.equal(portOf((await again.offer(true)).text), port);
});
