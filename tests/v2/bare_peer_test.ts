/**
 * A device that does as little as the specification lets it: no SETTINGS, no ACK but where it is asked.
 *
 * @module
 */

import assert from "node:assert/strict";
import { greetServer, randomBytes, writeAll } from "../../relay/handshake.ts";
import { createIdentity } from "../../net/tls/identity.ts";
import { concat } from "../../protocol/bytes.ts";
import { uintOf } from "../../protocol/v2/wire/fields.ts";
import { firstFrame } from "../../protocol/v2/wire/handshake.ts";
import { listenFrame, readGrants, resultFrame } from "../../protocol/v2/wire/messages.ts";
import { v2Frame } from "../../protocol/v2/wire/codec.ts";
import { V2Command } from "../../protocol/v2/wire/commands.ts";
import { portOf } from "../rig/ports.ts";
import { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";
import { authorized, startV2Server } from "../rig/v2/relay.ts";

/** Reads frames of a connection until one of `command` comes. */
class Frames {
  readonly #conn: Deno.Conn;
  #bytes: Uint8Array;

  constructor(conn: Deno.Conn, rest: Uint8Array) {
    this.#conn = conn;
    this.#bytes = rest;
  }

  async next(command: V2Command): Promise<{ readonly channel: number; readonly payload: Uint8Array }> {
    for (;;) {
      const first = firstFrame(this.#bytes);
      if (!first) {
        const chunk = new Uint8Array(4096);
        const count = await this.#conn.read(chunk);
        assert(count !== null, "the server has closed the link");
        this.#bytes = concat([this.#bytes, chunk.subarray(0, count)]);
        continue;
      }
      this.#bytes = this.#bytes.subarray(first.frame.length);
      if (first.command === command) return { channel: first.frame[7]!, payload: first.payload };
    }
  }
}

test("v2 bare peer: a device that never says SETTINGS is served, and hears answers by number, in order", async () => {
  await using server = await startV2Server();
  const identity = await createIdentity();
  server.directory.put(authorized("gw1", identity, ["a=127.0.0.1:0", "c=127.0.0.1:0"]));
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  const { rest } = await greetServer(conn, {
    signer: identity,
    serverKey: server.identity.publicKey,
    nonce: randomBytes(32),
    instance: randomBytes(16),
    wallClock: 0,
    software: "",
  });
  const frames = new Frames(conn, rest);
  const offers = ["a", "b", "c"].map((name, at) => ({ number: 30 - at, offered: true, name }));
  await writeAll(conn, listenFrame(offers));
  const grants = [];
  while (grants.length < 3) grants.push(...readGrants((await frames.next(V2Command.LISTEN)).payload));
  const codes = new Map(grants.map(({ number, code }) => [number, code]));
  assert.deepEqual(codes.get(29), "not-granted");
  assert.deepEqual([codes.get(30), codes.get(28)], ["granted", "granted"]);

  const address = grants.find(({ number }) => number === 28)!.text;
  using client = await Stream.connect(portOf(address), "127.0.0.1");
  await client.write("hi");
  const { channel } = await frames.next(V2Command.CONNECT);
  assert.deepEqual((await frames.next(V2Command.DATA)).payload, new TextEncoder().encode("hi"));
  const answer = v2Frame(V2Command.DATA, channel, new TextEncoder().encode("ho"));
  await writeAll(conn, concat([resultFrame(channel, "connected", 65_536), answer]));
  assert.equal(await client.readText(2), "ho");
});

test("v2 bare peer: a device that offers what is no name hears why its link ends", async () => {
  await using server = await startV2Server();
  const identity = await createIdentity();
  server.directory.put(authorized("gw1", identity, []));
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  const { rest } = await greetServer(conn, {
    signer: identity,
    serverKey: server.identity.publicKey,
    nonce: randomBytes(32),
    instance: randomBytes(16),
    wallClock: 0,
    software: "",
  });
  await writeAll(conn, v2Frame(V2Command.LISTEN, 0, concat([uintOf(2, 1), Uint8Array.of(1, 2, 0x0a, 0x20)])));
  const { payload } = await new Frames(conn, rest).next(V2Command.GOODBYE);
  assert.match(new TextDecoder().decode(payload), /LISTEN names a service with what is no name/);
});
