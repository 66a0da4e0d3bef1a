/**
 * Wire profile v2: how frames are written. `v2.md` is its specification.
 *
 * @module
 */

import { V2_HEADER_SIZE, V2_MAX_PAYLOAD } from "../limits.ts";
import { FLAG_ACKNOWLEDGE, V2Command } from "./commands.ts";
import { writeUint } from "./fields.ts";

const EMPTY = new Uint8Array(0);

/** A whole frame. */
export function v2Frame(command: V2Command, channel: number, payload: Uint8Array = EMPTY): Uint8Array {
  if (payload.length > V2_MAX_PAYLOAD) throw new RangeError(`A frame cannot carry ${payload.length} bytes`);
  const frame = new Uint8Array(V2_HEADER_SIZE + payload.length);
  writeV2Header(frame, 0, payload.length, command, channel);
  frame.set(payload, V2_HEADER_SIZE);
  return frame;
}

/** Writes a header without flags at `at`. */
export function writeV2Header(into: Uint8Array, at: number, size: number, command: V2Command, channel: number): void {
  into[at] = size >>> 8;
  into[at + 1] = size;
  into[at + 2] = command;
  into[at + 3] = 0;
  into[at + 4] = channel >>> 24;
  into[at + 5] = channel >>> 16;
  into[at + 6] = channel >>> 8;
  into[at + 7] = channel;
}

/** Asks that the frame at `at` be acknowledged at once. */
export function flagAcknowledge(into: Uint8Array, at: number): void {
  into[at + 3]! |= FLAG_ACKNOWLEDGE;
}

/** CREDIT: `bytes` more may be sent on the channel. */
export function creditFrame(channel: number, bytes: number): Uint8Array {
  const frame = v2Frame(V2Command.CREDIT, channel, new Uint8Array(4));
  writeUint(frame, V2_HEADER_SIZE, 4, bytes);
  return frame;
}

/** ACK: everything before `position` has been received. */
export function ackFrame(position: number): Uint8Array {
  const frame = v2Frame(V2Command.ACK, 0, new Uint8Array(8));
  writeUint(frame, V2_HEADER_SIZE, 8, position);
  return frame;
}

export function pingFrame(position: number, token: number): Uint8Array {
  const frame = v2Frame(V2Command.PING, 0, new Uint8Array(16));
  writeUint(frame, V2_HEADER_SIZE, 8, position);
  writeUint(frame, V2_HEADER_SIZE + 8, 8, token);
  return frame;
}

/** PONG; `wallClock` in milliseconds since 1970. */
export function pongFrame(position: number, token: Uint8Array, wallClock: number): Uint8Array {
  const frame = v2Frame(V2Command.PONG, 0, new Uint8Array(24));
  writeUint(frame, V2_HEADER_SIZE, 8, position);
  frame.set(token, V2_HEADER_SIZE + 8);
  writeUint(frame, V2_HEADER_SIZE + 16, 8, wallClock);
  return frame;
}
