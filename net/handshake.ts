/**
 * The v2 handshake on a connection: a few small frames each way, within bounds. Deadlines are the caller's, who closes the
 * connection; so are the decisions between AUTH and WELCOME.
 *
 * @module
 */

import {
  type Authenticated,
  DeviceHandshake,
  type DeviceParty,
  firstFrame,
  type HandshakeCrypto,
  HandshakeError,
  type HandshakeParty,
  readWelcome,
  ServerHandshake,
  type Welcome,
} from "../protocol/v2_handshake.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { readGoodbye } from "../protocol/goodbye.ts";
import { V2_MAX_HANDSHAKE } from "../protocol/limits.ts";
import { V2_PREAMBLE, V2Command } from "../protocol/v2_commands.ts";
import { verify } from "./identity.ts";
import type { Duplex } from "./transport.ts";

/** The runtime's cryptography. */
export const systemCrypto: HandshakeCrypto = {
  verify,
  async hmac(key, bytes) {
    const hmacKey = await crypto.subtle.importKey("raw", copyOf(key), { name: "HMAC", hash: "SHA-256" }, false, [
      "sign",
    ]);
    return new Uint8Array(await crypto.subtle.sign("HMAC", hmacKey, copyOf(bytes)));
  },
};

/** WebCrypto takes views of unshared buffers only, which the type of a view does not tell. */
function copyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bytes);
}

/** `count` random bytes. */
export function randomBytes(count: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(count));
}

/** The other side went away before the handshake was done. */
export class HandshakeCut extends Error {
  /** After `bytes` bytes of it. */
  constructor(bytes: number) {
    super(bytes === 0 ? "it closed without a word" : `it closed after ${bytes} bytes, before the handshake was done`);
    this.name = "HandshakeCut";
  }
}

/** Reads the frames of a handshake, and not much more. */
class HandshakeReader {
  readonly #duplex: Duplex;
  readonly #buffer = new Uint8Array(V2_MAX_HANDSHAKE);
  #start = 0;
  #fill = 0;

  constructor(duplex: Duplex, opening: Uint8Array) {
    this.#duplex = duplex;
    if (opening.length > V2_MAX_HANDSHAKE) throw tooMuch();
    this.#buffer.set(opening);
    this.#fill = opening.length;
  }

  /** What has been read beyond the last frame. */
  get rest(): Uint8Array {
    return this.#buffer.subarray(this.#start, this.#fill);
  }

  /** Expects `bytes`. */
  async preamble(bytes: Uint8Array): Promise<void> {
    while (this.#fill < bytes.length) await this.#read();
    const wrong = bytes.some((byte, at) => this.#buffer[at] !== byte);
    if (wrong) throw new ProtocolError("listen-expected", "it did not begin as a v2 device does");
    this.#start = bytes.length;
  }

  /** The next frame, which has to be `command`, and its payload. @throws {HandshakeError} for a GOODBYE. */
  async expect(
    command: V2Command,
    name: string,
  ): Promise<{ readonly frame: Uint8Array; readonly payload: Uint8Array }> {
    for (;;) {
      const first = firstFrame(this.rest);
      if (!first) {
        await this.#read();
        continue;
      }
      this.#start += first.frame.length;
      if (first.command === V2Command.GOODBYE) throw new HandshakeError(readGoodbye(first.payload), true);
      if (first.command !== command) {
        throw new ProtocolError("listen-expected", `expected ${name}, got command ${first.command}`);
      }
      return first;
    }
  }

  async #read(): Promise<void> {
    if (this.#fill === this.#buffer.length) throw tooMuch();
    const count = await this.#duplex.read(this.#buffer.subarray(this.#fill));
    if (count === null) throw new HandshakeCut(this.#fill);
    this.#fill += count;
  }
}

function tooMuch(): ProtocolError {
  return new ProtocolError("bad-size", `more than ${V2_MAX_HANDSHAKE} bytes came before the handshake was done`);
}

/** Writes all of `bytes`. */
export async function writeAll(duplex: Duplex, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await duplex.write(bytes.subarray(at));
}

/** A device's handshake that went well. */
export interface DeviceGreeting {
  /** What the server said. */
  readonly welcome: Welcome;
  /** The server's wall clock in the handshake, in milliseconds since 1970. */
  readonly serverClock: number;
  /** The server's name and version. */
  readonly serverSoftware: string;
  /** What was read beyond it. */
  readonly rest: Uint8Array;
}

/**
 * The device's side.
 *
 * @throws {HandshakeError} if the server said goodbye or is not the right one; {ProtocolError} for garbage; what the socket throws.
 */
export async function greetServer(duplex: Duplex, party: DeviceParty): Promise<DeviceGreeting> {
  const handshake = new DeviceHandshake(party, systemCrypto);
  const reader = new HandshakeReader(duplex, new Uint8Array(0));
  await writeAll(duplex, handshake.hello);
  await writeAll(duplex, await handshake.answer((await reader.expect(V2Command.CHALLENGE, "CHALLENGE")).frame));
  const welcome = readWelcome((await reader.expect(V2Command.WELCOME, "WELCOME")).payload);
  const { serverClock, serverSoftware } = handshake;
  return { welcome, serverClock, serverSoftware, rest: reader.rest.slice() };
}

/** A device that has proved its key; the server has not answered yet. */
export interface ServerGreeting {
  /** Who it is. */
  readonly device: Authenticated;
  /** What was read beyond the handshake. */
  readonly rest: Uint8Array;
}

/**
 * The server's side, up to AUTH. `opening` is what was read before.
 *
 * @throws {HandshakeError} with the goodbye to say; {ProtocolError} for garbage; what the socket throws.
 */
export async function greetDevice(duplex: Duplex, opening: Uint8Array, party: HandshakeParty): Promise<ServerGreeting> {
  const handshake = new ServerHandshake(party, systemCrypto);
  const reader = new HandshakeReader(duplex, opening);
  await reader.preamble(V2_PREAMBLE);
  await writeAll(duplex, await handshake.challenge((await reader.expect(V2Command.HELLO, "HELLO")).frame));
  const device = await handshake.authenticate((await reader.expect(V2Command.AUTH, "AUTH")).payload);
  return { device, rest: reader.rest.slice() };
}
