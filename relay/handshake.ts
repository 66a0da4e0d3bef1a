/**
 * The v2 handshake on a connection: a few small frames each way, within bounds. Deadlines are the caller's, who closes the
 * connection; so are the decisions between AUTH and WELCOME.
 *
 * @module
 */

import { V2_MAX_HANDSHAKE } from "../protocol/v2/limits.ts";
import { UNPROVED_COME_BACK_MS } from "./limits.ts";
import {
  type Authenticated,
  DeviceHandshake,
  type DeviceParty,
  firstFrame,
  type HandshakeCrypto,
  HandshakeError,
  type HandshakeParty,
  ServerHandshake,
  type Welcome,
} from "../protocol/v2/wire/handshake.ts";
import { describeStranger, type Stranger } from "../protocol/detect.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { goodbye, goodbyeFrame, readGoodbye } from "../protocol/v2/wire/goodbye.ts";
import { PROXY_HINT } from "../net/proxy/read_header.ts";
import { isSkipped, V2_PREAMBLE, V2Command } from "../protocol/v2/wire/commands.ts";
import { verify } from "../net/tls/identity.ts";
import { hmacNow } from "../net/tls/signatures.ts";
import type { Duplex } from "../net/socket.ts";

/** The runtime's cryptography. */
export const systemCrypto: HandshakeCrypto = {
  verify,
  hmac: (key, bytes) => Promise.resolve(hmacNow(key, bytes)),
};

/** `count` random bytes. */
export function randomBytes(count: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(count));
}

/** The other side went away before the handshake was done. */
export class HandshakeCut extends Error {
  /** Whether it spoke TLS where none was asked for. */
  readonly speaksTls: boolean;
  /** What it had sent by then. */
  readonly bytes: number;

  /** After `bytes` bytes of it. */
  constructor(bytes: number, speaksTls = false, options?: ErrorOptions) {
    const text = bytes === 0
      ? "it closed without a word"
      : `it closed after ${bytes} bytes, before the handshake was done`;
    super(text, options);
    this.name = "HandshakeCut";
    this.speaksTls = speaksTls;
    this.bytes = bytes;
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

  /** Whether nothing has been read. */
  get isEmpty(): boolean {
    return this.#fill === 0;
  }

  /** Expects `bytes`; what is not among them is refused as it comes. */
  async preamble(bytes: Uint8Array): Promise<void> {
    for (;;) {
      const come = bytes.subarray(0, this.#fill);
      const wrong = come.some((byte, at) => this.#buffer[at] !== byte);
      if (wrong) throw strangerAt(this.#buffer.subarray(0, this.#fill));
      if (come.length === bytes.length) break;
      await this.#read();
    }
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
        if (isTlsAlert(this.rest)) throw new HandshakeCut(this.#fill, true);
        await this.#read();
        continue;
      }
      this.#start += first.frame.length;
      if (isSkipped(first.command)) continue;
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

/** What is said of somebody on a listener without TLS, or within it. */
const STRANGER_HINTS: Readonly<Record<Stranger["speaks"], string>> = {
  v1: "; this listener is for profile v2: a v1 device needs one for v1, or --profile v2",
  tls: "; this listener is plain: a device needs --plain, or the listener TLS",
  v2: "",
  proxy: `; ${PROXY_HINT}`,
  other: "",
};

function strangerAt(bytes: Uint8Array): ProtocolError {
  const { speaks, what } = describeStranger(bytes);
  const text = `it did not begin as a v2 device does, but with ${what}${STRANGER_HINTS[speaks]}`;
  return new ProtocolError("listen-expected", text);
}

/** Whether a server that was greeted without TLS answered as TLS does: with an alert. */
function isTlsAlert(bytes: Uint8Array): boolean {
  return bytes[0] === 0x15 && bytes[1] === 0x03;
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
  /** What was read beyond it. */
  readonly rest: Uint8Array;
  /** Whether both sides signed the exporter of their TLS connection. */
  readonly bound: boolean;
  /** Whether both sides adapt their keep-alive to whether somebody waits. */
  readonly adapts: boolean;
  /** What both sides can do. */
  readonly capabilities: number;
}

/**
 * The device's side.
 *
 * @throws {HandshakeError} if the server said goodbye or is not the right one; {ProtocolError} for garbage; what the socket throws.
 */
export async function greetServer(
  duplex: Duplex,
  party: DeviceParty,
  crypto: HandshakeCrypto = systemCrypto,
): Promise<DeviceGreeting> {
  const handshake = new DeviceHandshake(party, crypto);
  const reader = new HandshakeReader(duplex, new Uint8Array(0));
  await writeAll(duplex, handshake.hello);
  const challenge = await reader.expect(V2Command.CHALLENGE, "CHALLENGE").catch((error: unknown) => {
    throw error instanceof HandshakeError ? unproved(error) : error;
  });
  await writeAll(duplex, await handshake.answer(challenge.frame));
  const welcome = handshake.welcome((await reader.expect(V2Command.WELCOME, "WELCOME")).payload);
  return {
    welcome,
    rest: reader.rest.slice(),
    bound: handshake.bound,
    adapts: handshake.adapts,
    capabilities: handshake.capabilities,
  };
}

/**
 * Takes leave of a server in place of greeting it: whoever only looks whether it answers says so, and waits until the
 * server has ended, which it does at once.
 *
 * @throws What the socket throws, also if the server ends with a reset.
 */
export async function lookAtServer(duplex: Duplex, why: string): Promise<void> {
  await writeAll(duplex, V2_PREAMBLE);
  await writeAll(duplex, goodbyeFrame(goodbye("shutting-down", why)));
  const buffer = new Uint8Array(V2_MAX_HANDSHAKE);
  while (await duplex.read(buffer) !== null);
}

/** What somebody said who has not proved the server's key: it may keep the device away for a little, and change nothing. */
function unproved({ goodbye }: HandshakeError): HandshakeError {
  const { epoch: _epoch, ...word } = goodbye;
  const { comeBackAfter } = word;
  if (comeBackAfter === undefined) return new HandshakeError(word, true);
  return new HandshakeError({ ...word, comeBackAfter: Math.min(UNPROVED_COME_BACK_MS, comeBackAfter) }, true);
}

/** A device that has proved its key; the server has not answered yet. */
export interface ServerGreeting {
  /** Who it is. */
  readonly device: Authenticated;
  /** What was read beyond the handshake. */
  readonly rest: Uint8Array;
}

/**
 * The server's side, up to AUTH. `opening` is what was read before; `onHello` is called when the device has said HELLO, with the
 * key that it shows, and has not proved.
 *
 * @throws {HandshakeError} with the goodbye to say; {ProtocolError} for garbage; what the socket throws.
 */
export async function greetDevice(
  duplex: Duplex,
  opening: Uint8Array,
  party: HandshakeParty,
  onHello: (claimed: Uint8Array | undefined) => void = () => {},
  crypto: HandshakeCrypto = systemCrypto,
): Promise<ServerGreeting> {
  const handshake = new ServerHandshake(party, crypto);
  const reader = new HandshakeReader(duplex, opening);
  await reader.preamble(V2_PREAMBLE).catch((error: unknown) => {
    throw reader.isEmpty && !(error instanceof HandshakeCut) ? new HandshakeCut(0, false, { cause: error }) : error;
  });
  const hello = await reader.expect(V2Command.HELLO, "HELLO");
  const challenge = handshake.challenge(hello.frame);
  onHello(handshake.claimedKey);
  await writeAll(duplex, await challenge);
  const device = await handshake.authenticate((await reader.expect(V2Command.AUTH, "AUTH")).payload);
  return { device, rest: reader.rest.slice() };
}
