/**
 * The handshake of wire profile v2: both sides prove their keys over all that was said; `v2.md`, "Handshake".
 *
 * Sans I/O: frames and random numbers come in as arguments. Signatures and digests are the caller's.
 *
 * @module
 */

import { V2_HEADER_SIZE } from "../limits.ts";
import { concat, sameBytes } from "../../bytes.ts";
import { type Goodbye, goodbye } from "./goodbye.ts";
import { publicKeyFault } from "../../public_key.ts";
import { V2_PREAMBLE, V2Command } from "./commands.ts";
import { v2Frame } from "./codec.ts";
import { FieldReader, FieldWriter, readUint, uintOf } from "./fields.ts";

export { readWelcome, RESUME_REFUSALS, type ResumeRefusal, type Welcome, welcomeFrame } from "./welcome.ts";

/** Lowest and highest version of profile v2 that this code speaks. */
export const V2_VERSIONS: readonly [number, number] = [2, 2];

/** Capability: sessions outlive their links; `v2.md`, "Resume". */
export const CAN_RESUME = 1;

/** Capability, of one handshake: the device comes by another way while its link is still up; `v2.md`, "Resume". */
export const IS_MOVING = 2;

/** A session that a device wants to go on with. */
export interface ResumeOffer {
  /** Its name, 16 bytes. */
  readonly session: Uint8Array;
  /** Position up to which the device has received. */
  readonly received: number;
}

/** Who can sign with the private key that belongs to a public one. */
export interface Signer {
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** The signature, 64 bytes. */
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}

/** What the handshake needs of cryptography. */
export interface HandshakeCrypto {
  /** Whether `signature` is that of `publicKey` over `bytes`. */
  verify(publicKey: Uint8Array, signature: Uint8Array, bytes: Uint8Array): Promise<boolean>;
  /** HMAC-SHA-256. */
  hmac(key: Uint8Array, bytes: Uint8Array): Promise<Uint8Array>;
}

/** What each side brings to a handshake. */
export interface HandshakeParty {
  /** Its own key. */
  readonly signer: Signer;
  /** 32 random bytes, new for each handshake. */
  readonly nonce: Uint8Array;
  /** Milliseconds since 1970. */
  readonly wallClock: number;
  /** Name and version of the program. */
  readonly software: string;
  /** What it can do beyond what all can: {@linkcode CAN_RESUME}, {@linkcode IS_MOVING}. @default {0} */
  readonly capabilities?: number;
}

/** What a device brings. */
export interface DeviceParty extends HandshakeParty {
  /** The server's public key. */
  readonly serverKey: Uint8Array;
  /** 16 bytes that tell this process from others with the same key. */
  readonly instance: Uint8Array;
  /** The token of an enrolment: its id, and the SHA-256 of its secret. */
  readonly enrolment?: { readonly id: Uint8Array; readonly key: Uint8Array } | undefined;
  /**
   * Called once the server has proved its key, and only where it can resume. From then on nothing that an older link of
   * the session brings may be applied.
   */
  resume?(): ResumeOffer | undefined;
}

/** The other side cannot be what it has to be; nothing was sent that could be used elsewhere. */
export class HandshakeError extends Error {
  /** The other side's goodbye, or the one to say to it. */
  readonly goodbye: Goodbye;
  /** Whether the other side said it. */
  readonly byPeer: boolean;

  /** One line for people is the goodbye's text. */
  constructor(reason: Goodbye, byPeer = false) {
    super(reason.text);
    this.byPeer = byPeer;
    this.name = "HandshakeError";
    this.goodbye = reason;
  }
}

const SERVER_LABEL = new TextEncoder().encode("sallyport v2 server\0");
const DEVICE_LABEL = new TextEncoder().encode("sallyport v2 device\0");
const ENROL_LABEL = new TextEncoder().encode("sallyport v2 enrol\0");

const SIGNATURE_FIELD_SIZE = 3 + 64;

const NONE = new Uint8Array(0);

const EVERY_TAG = Array.from({ length: 256 }, (_, tag) => tag);

/** The device's side: {@linkcode DeviceHandshake.hello}, then {@linkcode DeviceHandshake.answer}, then `readWelcome`. */
export class DeviceHandshake {
  /** Preamble and HELLO: what the device sends first. */
  readonly hello: Uint8Array;

  readonly #party: DeviceParty;
  readonly #crypto: HandshakeCrypto;

  /** One handshake. */
  constructor(party: DeviceParty, crypto: HandshakeCrypto) {
    const fault = publicKeyFault(party.serverKey);
    if (fault) throw new RangeError(`Cannot greet a server with this key: ${fault}`);
    this.#party = party;
    this.#crypto = crypto;
    const fields = new FieldWriter().bytes(1, Uint8Array.from(V2_VERSIONS)).uint(2, 4, party.capabilities ?? 0)
      .bytes(3, party.signer.publicKey).bytes(4, party.nonce).uint(5, 8, party.wallClock).bytes(6, party.instance)
      .text(128, party.software);
    this.hello = concat([V2_PREAMBLE, v2Frame(V2Command.HELLO, 0, fields.end())]);
  }

  /**
   * Checks CHALLENGE, the frame as it came: what is signed are all its bytes.
   *
   * @returns AUTH.
   * @throws {HandshakeError} if the server is not the one whose key this device knows. {ProtocolError} for garbage.
   */
  async answer(frame: Uint8Array): Promise<Uint8Array> {
    const fields = new FieldReader("CHALLENGE", frame.subarray(V2_HEADER_SIZE), [1, 2, 3, 4, 5, 6]);
    const version = fields.uint(1, 1);
    if (version < V2_VERSIONS[0] || version > V2_VERSIONS[1]) {
      throw new HandshakeError(goodbye("incompatible", `the server chose version ${version}`, V2_VERSIONS));
    }
    const capabilities = fields.uint(2, 4) & (this.#party.capabilities ?? 0);
    fields.bytes(4, 32);
    const { serverKey, signer, enrolment } = this.#party;
    const signed = concat([SERVER_LABEL, this.hello, frame.subarray(0, frame.length - SIGNATURE_FIELD_SIZE)]);
    const isServer = sameBytes(fields.bytes(3, 32), serverKey) &&
      await this.#crypto.verify(serverKey, fields.bytes(6, 64), signed);
    if (!isServer) {
      throw new HandshakeError(goodbye("bad-credentials", "the server did not prove the key that this device knows"));
    }
    fields.uint(5, 8); // the server's clock, for whoever looks at the wire: PONG says it again
    const transcript = concat([this.hello, frame]);
    const offer = (capabilities & CAN_RESUME) === 0 ? undefined : this.#party.resume?.();
    const resume = offer ? new FieldWriter().bytes(3, concat([offer.session, uintOf(8, offer.received)])).end() : NONE;
    const auth = new FieldWriter().bytes(1, await signer.sign(concat([DEVICE_LABEL, transcript, resume])));
    if (enrolment) {
      const proof = await this.#crypto.hmac(enrolment.key, concat([ENROL_LABEL, transcript]));
      auth.bytes(2, concat([enrolment.id, proof]));
    }
    return v2Frame(V2Command.AUTH, 0, concat([auth.end(), resume]));
  }
}

/** What a HELLO says. */
export interface Hello {
  /** The device's public key; not proved yet. */
  readonly deviceKey: Uint8Array;
  /** Tells machines with the same key apart. */
  readonly instance: Uint8Array;
  /** The device's wall clock, in milliseconds since 1970. */
  readonly deviceClock: number;
  /** The device's name and version. */
  readonly software: string;
}

/** A device that has proved its key, and perhaps wants to be enrolled. */
export interface Authenticated extends Hello {
  /** The token id that it offers. */
  readonly token: Uint8Array | undefined;
  /** The session that it wants to go on with. */
  readonly resume: ResumeOffer | undefined;
  /** What both sides can do. */
  readonly capabilities: number;
  /** Whether it knows the secret whose SHA-256 is `key`. */
  provesToken(key: Uint8Array): Promise<boolean>;
}

/** The server's side: {@linkcode ServerHandshake.challenge}, then {@linkcode ServerHandshake.authenticate}. */
export class ServerHandshake {
  readonly #party: HandshakeParty;
  readonly #crypto: HandshakeCrypto;
  #hello: Hello | undefined;
  #capabilities = 0;
  #transcript: Uint8Array = NONE;

  /** One handshake. */
  constructor(party: HandshakeParty, crypto: HandshakeCrypto) {
    this.#party = party;
    this.#crypto = crypto;
  }

  /**
   * Reads HELLO, the frame as it came: what is signed are all its bytes.
   *
   * @returns CHALLENGE.
   * @throws {HandshakeError} if there is no common version. {ProtocolError} for garbage.
   */
  async challenge(helloFrame: Uint8Array): Promise<Uint8Array> {
    const payload = helloFrame.subarray(V2_HEADER_SIZE);
    // A later version may have fields that this one does not know: its device has to hear of the versions first.
    const [lowest = 0, highest = 0] = new FieldReader("HELLO", payload, EVERY_TAG).bytes(1, 2);
    if (lowest > V2_VERSIONS[1] || highest < V2_VERSIONS[0] || lowest > highest) {
      const [from, to] = V2_VERSIONS;
      const text = `the device speaks versions ${lowest} to ${highest}, this server ${from} to ${to}`;
      throw new HandshakeError(goodbye("incompatible", text, V2_VERSIONS));
    }
    const fields = new FieldReader("HELLO", payload, [1, 2, 3, 4, 5, 6]);
    this.#capabilities = fields.uint(2, 4) & (this.#party.capabilities ?? 0);
    fields.bytes(4, 32);
    this.#hello = {
      deviceKey: fields.bytes(3, 32).slice(),
      instance: fields.bytes(6, 16).slice(),
      deviceClock: fields.uint(5, 8),
      software: fields.text(128),
    };
    const fault = publicKeyFault(this.#hello.deviceKey);
    if (fault) throw new HandshakeError(goodbye("bad-credentials", `the device's key is nobody's: ${fault}`));
    const { signer, nonce, wallClock, software } = this.#party;
    const unsigned = new FieldWriter().uint(1, 1, Math.min(highest, V2_VERSIONS[1]))
      .uint(2, 4, this.#capabilities)
      .bytes(3, signer.publicKey).bytes(4, nonce).uint(5, 8, wallClock).text(128, software);
    // The header states the size with the signature, so it is signed as it is sent.
    const frame = v2Frame(V2Command.CHALLENGE, 0, concat([unsigned.end(), new Uint8Array(SIGNATURE_FIELD_SIZE)]));
    const hello = concat([V2_PREAMBLE, helloFrame]);
    const signed = concat([SERVER_LABEL, hello, frame.subarray(0, frame.length - SIGNATURE_FIELD_SIZE)]);
    const signature = new FieldWriter().bytes(6, await signer.sign(signed));
    frame.set(signature.end(), frame.length - SIGNATURE_FIELD_SIZE);
    this.#transcript = concat([hello, frame]);
    return frame;
  }

  /**
   * Reads the payload of AUTH.
   *
   * @throws {HandshakeError} if the signature does not verify. {ProtocolError} for garbage.
   */
  async authenticate(payload: Uint8Array): Promise<Authenticated> {
    const hello = this.#hello;
    if (!hello) throw new Error("Cannot authenticate before HELLO");
    const fields = new FieldReader("AUTH", payload, [1, 2, 3]);
    const resume = fields.optionalBytes(3, 16 + 8);
    const field = resume ? new FieldWriter().bytes(3, resume).end() : NONE;
    const signed = concat([DEVICE_LABEL, this.#transcript, field]);
    if (!await this.#crypto.verify(hello.deviceKey, fields.bytes(1, 64), signed)) {
      throw new HandshakeError(goodbye("bad-credentials", "the signature does not fit the device's key"));
    }
    const enrolment = fields.optionalBytes(2, 8 + 32)?.slice();
    const transcript = this.#transcript;
    return {
      ...hello,
      token: enrolment?.subarray(0, 8),
      capabilities: this.#capabilities,
      resume: resume && (this.#capabilities & CAN_RESUME) !== 0
        ? { session: resume.slice(0, 16), received: readUint(resume, 16, 8) }
        : undefined,
      provesToken: async (key) =>
        enrolment !== undefined &&
        sameBytes(enrolment.subarray(8), await this.#crypto.hmac(key, concat([ENROL_LABEL, transcript]))),
    };
  }
}

/** The first frame in `bytes`, if it is whole. */
export function firstFrame(
  bytes: Uint8Array,
): { readonly command: number; readonly frame: Uint8Array; readonly payload: Uint8Array } | undefined {
  if (bytes.length < V2_HEADER_SIZE) return undefined;
  const end = V2_HEADER_SIZE + (bytes[0]! << 8 | bytes[1]!);
  if (bytes.length < end) return undefined;
  return { command: bytes[2]!, frame: bytes.subarray(0, end), payload: bytes.subarray(V2_HEADER_SIZE, end) };
}
