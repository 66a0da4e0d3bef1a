/**
 * The v2 handshake on a simulated connection. Its frames are the real ones; the cryptography is not, so that it takes no
 * time and says the same in every run.
 *
 * @module
 */

import { concat, sameBytes } from "../../../protocol/bytes.ts";
import { readGoodbye } from "../../../protocol/v2/wire/goodbye.ts";
import { V2_PREAMBLE, V2Command } from "../../../protocol/v2/wire/commands.ts";
import {
  type Authenticated,
  CAN_RESUME,
  DeviceHandshake,
  firstFrame,
  type HandshakeCrypto,
  HandshakeError,
  readWelcome,
  type ResumeOffer,
  ServerHandshake,
  type Signer,
  type Welcome,
} from "../../../protocol/v2/wire/handshake.ts";
import type { Duplex } from "../../../net/transport.ts";

const READ_SIZE = 1024;

/** Bytes that stand for a signature: they depend on the key and on every byte. */
function digest(key: Uint8Array, bytes: Uint8Array, size: number): Uint8Array {
  let state = 0x811c9dc5;
  for (const byte of [...key, ...bytes]) state = Math.imul(state ^ byte, 0x01000193);
  return Uint8Array.from({ length: size }, (_, at) => Math.imul(state ^ at, 0x9e3779b1) >>> 24);
}

const pretended: HandshakeCrypto = {
  verify: (key, signature, bytes) => Promise.resolve(sameBytes(signature, digest(key, bytes, 64))),
  hmac: (key, bytes) => Promise.resolve(digest(key, bytes, 32)),
};

function signer(key: number): Signer {
  const publicKey = new Uint8Array(32).fill(key);
  return { publicKey, sign: (bytes) => Promise.resolve(digest(publicKey, bytes, 64)) };
}

const SERVER = signer(1);
/** The key of the only device. */
export const DEVICE = signer(2);

/** Reads the frames of a handshake. */
class FrameReader {
  readonly #duplex: Duplex;
  #bytes: Uint8Array = new Uint8Array(0);

  constructor(duplex: Duplex) {
    this.#duplex = duplex;
  }

  /** What was read beyond the last frame. */
  get rest(): Uint8Array {
    return this.#bytes.slice();
  }

  async skip(count: number): Promise<void> {
    while (this.#bytes.length < count) await this.#read();
    this.#bytes = this.#bytes.slice(count);
  }

  async expect(command: V2Command): Promise<{ readonly frame: Uint8Array; readonly payload: Uint8Array }> {
    for (;;) {
      const first = firstFrame(this.#bytes);
      if (!first) {
        await this.#read();
        continue;
      }
      this.#bytes = this.#bytes.slice(first.frame.length);
      if (first.command === V2Command.GOODBYE) throw new HandshakeError(readGoodbye(first.payload), true);
      if (first.command !== command) throw new Error(`expected command ${command}, got ${first.command}`);
      return first;
    }
  }

  async #read(): Promise<void> {
    const into = new Uint8Array(READ_SIZE);
    const count = await this.#duplex.read(into);
    if (count === null) throw new Error("it hung up during the handshake");
    this.#bytes = concat([this.#bytes, into.subarray(0, count)]);
  }
}

/** Writes all of `bytes`. */
export async function writeAll(duplex: Duplex, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await duplex.write(bytes.subarray(at));
}

/** The device's side of a handshake; `nonce` tells it from all others. */
export async function greetServer(
  duplex: Duplex,
  { nonce, instance, resume }: { nonce: number; instance: number; resume: () => ResumeOffer | undefined },
): Promise<{ readonly welcome: Welcome; readonly rest: Uint8Array }> {
  const handshake = new DeviceHandshake({
    signer: DEVICE,
    serverKey: SERVER.publicKey,
    nonce: new Uint8Array(32).fill(nonce),
    instance: new Uint8Array(16).fill(instance),
    wallClock: 0,
    software: "simulation",
    capabilities: CAN_RESUME,
    resume,
  }, pretended);
  const reader = new FrameReader(duplex);
  await writeAll(duplex, handshake.hello);
  await writeAll(duplex, await handshake.answer((await reader.expect(V2Command.CHALLENGE)).frame));
  const { payload } = await reader.expect(V2Command.WELCOME);
  return { welcome: readWelcome(payload), rest: reader.rest };
}

/** The server's side, up to AUTH. */
export async function greetDevice(
  duplex: Duplex,
  nonce: number,
): Promise<{ readonly device: Authenticated; readonly rest: Uint8Array }> {
  const handshake = new ServerHandshake({
    signer: SERVER,
    nonce: new Uint8Array(32).fill(nonce),
    wallClock: 0,
    software: "simulation",
    capabilities: CAN_RESUME,
  }, pretended);
  const reader = new FrameReader(duplex);
  await reader.skip(V2_PREAMBLE.length);
  await writeAll(duplex, await handshake.challenge((await reader.expect(V2Command.HELLO)).frame));
  const device = await handshake.authenticate((await reader.expect(V2Command.AUTH)).payload);
  return { device, rest: reader.rest };
}
