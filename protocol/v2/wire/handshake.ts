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
import { ProtocolError } from "../../errors.ts";
import { publicKeyFault } from "../../public_key.ts";
import { V2_PREAMBLE, V2Command } from "./commands.ts";
import { v2Frame } from "./codec.ts";
import { ADAPTS, CAN_BIND, CAN_RESUME, HAS_EPOCHS } from "./capabilities.ts";
import { authTags, claimFields, type Claims, readClaims } from "./claims.ts";
import { FieldReader, FieldWriter } from "./fields.ts";
import { capabilitiesOf, type DeviceParty, type HandshakeCrypto, type HandshakeParty } from "./party.ts";
import { provedByToken, SIGNATURE_FIELD_SIZE, signedByDevice, signedByServer, type Transcript } from "./transcript.ts";
import { readWelcome, type Welcome } from "./welcome.ts";

export {
  ADAPTS,
  CAN_BIND,
  CAN_DATAGRAMS,
  CAN_NAME_ADDRESSES,
  CAN_RESUME,
  HAS_EPOCHS,
  IS_MOVING,
} from "./capabilities.ts";
export type { ResumeOffer } from "./claims.ts";
export type { DeviceParty, HandshakeCrypto, HandshakeParty, Signer } from "./party.ts";
export { RESUME_REFUSALS, type ResumeRefusal, type Welcome, welcomeFrame } from "./welcome.ts";

/** Lowest and highest version of profile v2 that this code speaks. */
export const V2_VERSIONS: readonly [number, number] = [2, 2];

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

/** A device speaks no version that this code does. What else it says is not proved, and may be of another kind. */
export class IncompatibleHello extends HandshakeError {
  /** The lowest and the highest version that it speaks. */
  readonly versions: readonly [number, number];
  /** The key that it shows. */
  readonly deviceKey: Uint8Array | undefined;
  /** The device's name and version. */
  readonly software: string;

  /** As HELLO has it. */
  constructor(versions: readonly [number, number], fields: FieldReader) {
    const [from, to] = V2_VERSIONS;
    const text = `the device speaks versions ${versions[0]} to ${versions[1]}, this server ${from} to ${to}`;
    super(goodbye("incompatible", text, V2_VERSIONS));
    this.name = "IncompatibleHello";
    this.versions = versions;
    this.deviceKey = lenient(() => fields.bytes(3, 32).slice());
    this.software = lenient(() => fields.text(128)) ?? "";
  }
}

function lenient<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

const EVERY_TAG = Array.from({ length: 256 }, (_, tag) => tag);

/** The device's side: {@linkcode DeviceHandshake.hello}, then `answer`, then `welcome`. */
export class DeviceHandshake {
  /** Preamble and HELLO: what the device sends first. */
  readonly hello: Uint8Array;

  readonly #party: DeviceParty;
  readonly #crypto: HandshakeCrypto;
  readonly #offered: number;
  #agreed = 0;

  /** One handshake. @throws {RangeError} for a server's key that is nobody's, and an exporter of another size. */
  constructor(party: DeviceParty, crypto: HandshakeCrypto) {
    const fault = publicKeyFault(party.serverKey);
    if (fault) throw new RangeError(`Cannot greet a server with this key: ${fault}`);
    this.#party = party;
    this.#crypto = crypto;
    this.#offered = capabilitiesOf(party) | (party.nextEpoch ? HAS_EPOCHS : 0);
    const fields = new FieldWriter().bytes(1, Uint8Array.from(V2_VERSIONS)).uint(2, 4, this.#offered)
      .bytes(3, party.signer.publicKey).bytes(4, party.nonce).uint(5, 8, party.wallClock).bytes(6, party.instance)
      .text(128, party.software);
    this.hello = concat([V2_PREAMBLE, v2Frame(V2Command.HELLO, 0, fields.end())]);
  }

  /** What both sides can do; known once the server has proved its key. */
  get capabilities(): number {
    return this.#agreed;
  }

  /** Whether both sides sign the exporter of their TLS connection; known once the server has proved its key. */
  get bound(): boolean {
    return (this.#agreed & CAN_BIND) !== 0;
  }

  /** Whether both sides have `ADAPTS`; known once the server has proved its key. */
  get adapts(): boolean {
    return (this.#agreed & ADAPTS) !== 0;
  }

  /**
   * Checks CHALLENGE, the frame as it came: what is signed are all its bytes.
   *
   * @returns AUTH.
   * @throws {HandshakeError} if the server is not the one whose key this device knows, or is at the end of another TLS
   *   connection. {ProtocolError} for garbage.
   */
  async answer(frame: Uint8Array): Promise<Uint8Array> {
    const fields = new FieldReader("CHALLENGE", frame.subarray(V2_HEADER_SIZE), [1, 2, 3, 4, 5, 6]);
    const version = fields.uint(1, 1);
    if (version < V2_VERSIONS[0] || version > V2_VERSIONS[1]) {
      throw new HandshakeError(goodbye("incompatible", `the server chose version ${version}`, V2_VERSIONS));
    }
    const agreed = fields.uint(2, 4) & this.#offered;
    fields.bytes(4, 32);
    const { serverKey, signer, enrolment, exporter } = this.#party;
    const isBound = (agreed & CAN_BIND) !== 0;
    const transcript: Transcript = { hello: this.hello, challenge: frame, exporter: isBound ? exporter : undefined };
    const isServer = sameBytes(fields.bytes(3, 32), serverKey) &&
      await this.#crypto.verify(serverKey, fields.bytes(6, 64), signedByServer(transcript));
    if (!isServer) {
      const where = isBound ? ", for this TLS connection: is there somebody in between?" : "";
      const text = `the server did not prove the key that this device knows${where}`;
      throw new HandshakeError(goodbye("bad-credentials", text));
    }
    if (this.#party.demandsBinding && !isBound) {
      const text = `the link is not bound to its TLS connection, as this device demands: ` +
        (exporter ? "the server has no exporter for it" : "this side has no exporter for it");
      throw new HandshakeError(goodbye("bad-credentials", text));
    }
    fields.uint(5, 8); // the server's clock, for whoever looks at the wire: PONG says it again
    this.#agreed = agreed;
    const claims = claimFields(this.#claims());
    const auth = new FieldWriter().bytes(1, await signer.sign(signedByDevice(transcript, claims)));
    if (enrolment) {
      const proof = await this.#crypto.hmac(enrolment.key, provedByToken(transcript));
      auth.bytes(2, concat([enrolment.id, proof]));
    }
    return v2Frame(V2Command.AUTH, 0, concat([auth.end(), claims]));
  }

  /**
   * Reads the payload of WELCOME.
   *
   * @throws {ProtocolError} for garbage, and if it names a session that this device did not begin.
   */
  welcome(payload: Uint8Array): Welcome {
    const welcome = readWelcome(payload, (this.#agreed & HAS_EPOCHS) !== 0);
    const { initiator } = welcome;
    if (initiator && !sameBytes(initiator, this.#party.signer.publicKey)) {
      throw new ProtocolError("bad-field", "WELCOME names a session that another than this device began");
    }
    return welcome;
  }

  /** What this device claims beside its key, as far as the server understands it. */
  #claims(): Claims {
    const { signer, nextEpoch, resume } = this.#party;
    const hasEpochs = (this.#agreed & HAS_EPOCHS) !== 0;
    const offer = (this.#agreed & CAN_RESUME) === 0 ? undefined : resume?.call(this.#party);
    return {
      epoch: hasEpochs ? nextEpoch!.call(this.#party) : undefined,
      resume: offer && { ...offer, initiator: hasEpochs ? signer.publicKey : undefined },
    };
  }
}

/** What a HELLO says. */
export interface Hello {
  /** The lowest and the highest version that the device speaks. */
  readonly versions: readonly [number, number];
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
export interface Authenticated extends Hello, Claims {
  /** The token id that it offers. */
  readonly token: Uint8Array | undefined;
  /** What both sides can do. */
  readonly capabilities: number;
  /** Whether it knows the secret whose SHA-256 is `key`. */
  provesToken(key: Uint8Array): Promise<boolean>;
}

/** The server's side: {@linkcode ServerHandshake.challenge}, then {@linkcode ServerHandshake.authenticate}. */
export class ServerHandshake {
  readonly #party: HandshakeParty;
  readonly #crypto: HandshakeCrypto;
  readonly #offered: number;
  #hello: Hello | undefined;
  #capabilities = 0;
  #transcript: Transcript | undefined;

  /** One handshake. @throws {RangeError} for an exporter of another size. */
  constructor(party: HandshakeParty, crypto: HandshakeCrypto) {
    this.#party = party;
    this.#offered = capabilitiesOf(party);
    this.#crypto = crypto;
  }

  /** The key that the device shows; known once HELLO is read, and nobody has proved it. */
  get claimedKey(): Uint8Array | undefined {
    return this.#hello?.deviceKey;
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
    const all = new FieldReader("HELLO", payload, EVERY_TAG);
    const [lowest = 0, highest = 0] = all.bytes(1, 2);
    if (lowest > V2_VERSIONS[1] || highest < V2_VERSIONS[0] || lowest > highest) {
      throw new IncompatibleHello([lowest, highest], all);
    }
    const fields = new FieldReader("HELLO", payload, [1, 2, 3, 4, 5, 6]);
    this.#capabilities = fields.uint(2, 4) & this.#offered;
    fields.bytes(4, 32);
    this.#hello = {
      versions: [lowest, highest],
      deviceKey: fields.bytes(3, 32).slice(),
      instance: fields.bytes(6, 16).slice(),
      deviceClock: fields.uint(5, 8),
      software: fields.text(128),
    };
    const fault = publicKeyFault(this.#hello.deviceKey);
    if (fault) throw new HandshakeError(goodbye("bad-credentials", `the device's key is nobody's: ${fault}`));
    const { signer, nonce, wallClock, software, exporter } = this.#party;
    const unsigned = new FieldWriter().uint(1, 1, Math.min(highest, V2_VERSIONS[1]))
      .uint(2, 4, this.#capabilities)
      .bytes(3, signer.publicKey).bytes(4, nonce).uint(5, 8, wallClock).text(128, software);
    // The header states the size with the signature, so it is signed as it is sent.
    const challenge = v2Frame(V2Command.CHALLENGE, 0, concat([unsigned.end(), new Uint8Array(SIGNATURE_FIELD_SIZE)]));
    const isBound = (this.#capabilities & CAN_BIND) !== 0;
    const hello = concat([V2_PREAMBLE, helloFrame]);
    this.#transcript = { hello, challenge, exporter: isBound ? exporter : undefined };
    const signature = new FieldWriter().bytes(6, await signer.sign(signedByServer(this.#transcript)));
    challenge.set(signature.end(), challenge.length - SIGNATURE_FIELD_SIZE);
    return challenge;
  }

  /**
   * Reads the payload of AUTH.
   *
   * @throws {HandshakeError} if the signature does not verify. {ProtocolError} for garbage.
   */
  async authenticate(payload: Uint8Array): Promise<Authenticated> {
    const [hello, transcript] = [this.#hello, this.#transcript];
    if (!hello || !transcript) throw new Error("Cannot authenticate before HELLO");
    const fields = new FieldReader("AUTH", payload, authTags(this.#capabilities));
    const { claims, signed } = readClaims(fields, this.#capabilities);
    if (!await this.#crypto.verify(hello.deviceKey, fields.bytes(1, 64), signedByDevice(transcript, signed))) {
      const where = transcript.exporter ? ", or is not for this TLS connection: is there somebody in between?" : "";
      throw new HandshakeError(goodbye("bad-credentials", `the signature does not fit the device's key${where}`));
    }
    const enrolment = fields.optionalBytes(2, 8 + 32)?.slice();
    return {
      ...hello,
      ...claims,
      token: enrolment?.subarray(0, 8),
      capabilities: this.#capabilities,
      provesToken: async (key) =>
        enrolment !== undefined &&
        sameBytes(enrolment.subarray(8), await this.#crypto.hmac(key, provedByToken(transcript))),
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
