/**
 * A v2 device that the test plays on a plain link: it can do what ours never does, or as little as it may.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type DeviceGreeting, greetServer, randomBytes } from "../../../relay/handshake.ts";
import type { Identity } from "../../../net/tls/identity.ts";
import { concat } from "../../../protocol/bytes.ts";
import { V2Command } from "../../../protocol/v2/wire/commands.ts";
import { type DeviceParty, firstFrame } from "../../../protocol/v2/wire/handshake.ts";
import { resultFrame } from "../../../protocol/v2/wire/messages.ts";
import { Stream } from "../stream.ts";
import { within } from "../wait.ts";
import type { V2Server } from "./relay.ts";

/** What a device of the test brings to a handshake: a process of its own, with nothing to resume. */
export function deviceParty(
  server: Pick<V2Server, "identity">,
  signer: Identity,
  more: Partial<DeviceParty> = {},
): DeviceParty {
  return {
    signer,
    serverKey: server.identity.publicKey,
    nonce: randomBytes(32),
    instance: randomBytes(16),
    wallClock: Date.now(),
    software: "a test",
    ...more,
  };
}

/** Dials a server, and makes the handshake. @throws {HandshakeError} if the server refuses. */
export async function greet(
  server: Pick<V2Server, "identity" | "port">,
  signer: Identity,
  more: Partial<DeviceParty> = {},
): Promise<DeviceGreeting & { readonly conn: Deno.TcpConn }> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  try {
    return { ...await greetServer(conn, deviceParty(server, signer, more)), conn };
  } catch (error) {
    conn.close();
    throw error;
  }
}

/** A device of which the test writes every frame. */
export class PlayedDevice implements Disposable {
  readonly #stream: Stream;
  #rest: Uint8Array;

  private constructor(stream: Stream, rest: Uint8Array) {
    this.#stream = stream;
    this.#rest = rest;
  }

  static async link(
    server: Pick<V2Server, "identity" | "port">,
    signer: Identity,
    more: Partial<DeviceParty> = {},
  ): Promise<PlayedDevice> {
    const { conn, rest } = await greet(server, signer, more);
    return new PlayedDevice(new Stream(conn), rest);
  }

  /** Sends frames as they are. */
  send(...frames: Uint8Array[]): Promise<void> {
    return this.#stream.write(concat(frames));
  }

  /** The next frame of a kind; those before it are left out. */
  async next(wanted: V2Command): Promise<{ readonly channel: number; readonly payload: Uint8Array }> {
    for (;;) {
      const first = firstFrame(this.#rest);
      if (!first) {
        const more = await within(this.#stream.readSome(), "a frame of the server");
        assert.ok(more, "the link ended");
        this.#rest = concat([this.#rest, more]);
        continue;
      }
      const { frame, command, payload } = first;
      this.#rest = this.#rest.subarray(frame.length);
      if (command === wanted) return { channel: new DataView(frame.buffer, frame.byteOffset).getUint32(4), payload };
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
}
