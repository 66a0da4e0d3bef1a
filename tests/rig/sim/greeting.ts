/**
 * The v2 handshake on a simulated connection. Its frames are the real ones; the cryptography is not, so that it takes no
 * time and says the same in every run.
 *
 * @module
 */

import { sameBytes } from "../../../protocol/bytes.ts";
import {
  ADAPTS,
  CAN_RESUME,
  type DeviceParty,
  type HandshakeCrypto,
  type HandshakeParty,
  HAS_EPOCHS,
  type Signer,
} from "../../../protocol/v2/wire/handshake.ts";
import type { Duplex } from "../../../net/socket.ts";
import * as relay from "../../../relay/handshake.ts";
import type { DeviceGreeting, ServerGreeting } from "../../../relay/handshake.ts";

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

/** What a device that makes no claims says. */
export const PARTY: Omit<DeviceParty, "signer" | "serverKey" | "nonce" | "instance"> = {
  wallClock: 0,
  software: "simulation",
  capabilities: CAN_RESUME,
};

/** The device's side of a handshake, with the only device's key. */
export function greetServer(
  duplex: Duplex,
  party: Omit<DeviceParty, "signer" | "serverKey">,
): Promise<DeviceGreeting> {
  return relay.greetServer(duplex, { ...party, signer: DEVICE, serverKey: SERVER.publicKey }, pretended);
}

/** The server's side, up to AUTH; `nonce` tells it from all others. */
export function greetDevice(
  duplex: Duplex,
  nonce: number,
  changes: Pick<HandshakeParty, "capabilities" | "exporter"> = {},
): Promise<ServerGreeting> {
  const party: HandshakeParty = {
    signer: SERVER,
    nonce: new Uint8Array(32).fill(nonce),
    wallClock: 0,
    software: "simulation",
    capabilities: CAN_RESUME | HAS_EPOCHS | ADAPTS,
    ...changes,
  };
  return relay.greetDevice(duplex, new Uint8Array(0), party, () => {}, pretended);
}
