/**
 * What each side brings to a handshake; `v2.md`, "Handshake".
 *
 * @module
 */

import { CAN_BIND } from "./capabilities.ts";
import type { ResumeOffer } from "./claims.ts";
import { EXPORTER_SIZE } from "./transcript.ts";

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
  /**
   * What it can do beyond what all can: `CAN_RESUME`, `IS_MOVING`, `HAS_EPOCHS`, `ADAPTS`. A side with an exporter
   * has {@linkcode CAN_BIND}, and a device with `nextEpoch` has `HAS_EPOCHS`.
   *
   * @default {0}
   */
  readonly capabilities?: number;
  /**
   * The 32 bytes `tls-exporter` (RFC 9266) of the TLS connection under this handshake, where its TLS can give them. Both
   * sides sign them if both have some.
   */
  readonly exporter?: Uint8Array | undefined;
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
  resume?(): Pick<ResumeOffer, "session" | "received"> | undefined;
  /** Whether the handshake ends before AUTH where the link would not be bound to its TLS connection. @default {false} */
  readonly demandsBinding?: boolean;
  /**
   * The number of this link: greater than those of all that came before, 1 to `V2_MAX_EPOCH`. Called once, when the server
   * has proved its key, if it has epochs too.
   */
  nextEpoch?(): number;
}

/** What a side can do on this connection. @throws {RangeError} for an exporter of another size. */
export function capabilitiesOf({ capabilities = 0, exporter }: HandshakeParty): number {
  if (!exporter) return capabilities;
  if (exporter.length !== EXPORTER_SIZE) {
    throw new RangeError(`Cannot bind to an exporter of ${exporter.length} bytes: it has to have ${EXPORTER_SIZE}`);
  }
  return capabilities | CAN_BIND;
}
