/**
 * A handshake in memory, with real keys and somebody in the middle. No tests here.
 *
 * @module
 */

import { systemCrypto } from "../../../relay/handshake.ts";
import { createIdentity } from "../../../net/tls/identity.ts";
import { ProtocolError } from "../../errors.ts";
import {
  type Authenticated,
  DeviceHandshake,
  type DeviceParty,
  HandshakeError,
  type HandshakeParty,
  ServerHandshake,
  type Signer,
} from "./handshake.ts";
import { concat } from "../../bytes.ts";
import { uintOf } from "../_fakes_test.ts";

/** Real keys: the server's, the device's, and those of somebody else. */
export const [SERVER, DEVICE, STRANGER] = await Promise.all([createIdentity(), createIdentity(), createIdentity()]);
/** Bytes of the preamble, of a frame's header, and of a field with a signature. */
export const PREAMBLE = 8;
export const HEADER = 8;
export const SIGNATURE_FIELD = 67;

let turn = 0;
/** 32 bytes that were not used before. */
export function nonce(): Uint8Array {
  return concat([uintOf(8, ++turn), new Uint8Array(24).fill(7)]);
}

/** What a device brings. */
export function deviceParty(changes: Partial<DeviceParty> = {}): DeviceParty {
  const instance = new Uint8Array(16).fill(3);
  const base = {
    signer: DEVICE,
    nonce: nonce(),
    wallClock: 1_700_000_000_123,
    software: "d/1",
    serverKey: SERVER.publicKey,
  };
  return { ...base, instance, ...changes };
}

/** What a server brings. */
export function serverParty(changes: Partial<HandshakeParty> = {}): HandshakeParty {
  return { signer: SERVER, nonce: nonce(), wallClock: 1_700_000_000_456, software: "s/1", ...changes };
}

/** What somebody in the middle does to each message; by default nothing. */
export interface Middle {
  hello?(bytes: Uint8Array): Uint8Array;
  challenge?(bytes: Uint8Array): Uint8Array;
  auth?(bytes: Uint8Array): Uint8Array;
}

export interface Outcome {
  readonly device: DeviceHandshake;
  readonly authenticated: Authenticated;
}

/** A whole handshake. What the device sends first is the preamble and HELLO. */
export async function shake(device: DeviceParty, server: HandshakeParty, middle: Middle = {}): Promise<Outcome> {
  const same = (bytes: Uint8Array) => bytes;
  const { hello = same, challenge = same, auth = same } = middle;
  const [atDevice, atServer] = [new DeviceHandshake(device, systemCrypto), new ServerHandshake(server, systemCrypto)];
  const challenged = await atServer.challenge(hello(atDevice.hello.slice()).subarray(PREAMBLE));
  const answer = await atDevice.answer(challenge(challenged.slice()));
  const authenticated = await atServer.authenticate(auth(answer.slice()).subarray(HEADER));
  return { device: atDevice, authenticated };
}

/** How a handshake failed: the code of a goodbye, or of a protocol error. Whatever else fails the test. */
export async function failure(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof HandshakeError) return error.goodbye.code;
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
  return "nothing";
}

/** Changes the byte at `at`. */
export function flip(at: number, by = 1): (bytes: Uint8Array) => Uint8Array {
  return (bytes) => {
    bytes[at]! ^= by;
    return bytes;
  };
}

/** Claims a key, and signs with another. */
export function impostor(publicKey: Uint8Array): Signer {
  return { publicKey, sign: (bytes) => STRANGER.sign(bytes) };
}
