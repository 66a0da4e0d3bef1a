/**
 * A CAN frame as a binary message of python-can-remote.
 *
 * @module
 */

import { type CanFrame, frameFault, NO_DATA, REMOTE } from "../frame.ts";

const KIND = 1;
const HEAD = 15;
const KNOWN_FLAGS = 0x3f;

/** The size of a frame's message, in bytes. */
export function messageSize({ data }: CanFrame): number {
  return HEAD + data.length;
}

/** Writes a message. @returns where it ends. */
export function putMessage({ id, flags, length, data, time }: CanFrame, into: Uint8Array, at: number): number {
  const view = new DataView(into.buffer, into.byteOffset + at, HEAD);
  view.setUint8(0, KIND);
  view.setFloat64(1, time);
  view.setUint32(9, id);
  view.setUint8(13, length);
  view.setUint8(14, flags);
  into.set(data, at + HEAD);
  return at + HEAD + data.length;
}

/** Reads a message. @returns the frame; a text that says what is wrong with it; `undefined` for one of another kind. */
export function readMessage(bytes: Uint8Array): CanFrame | string | undefined {
  if (bytes[0] !== KIND) return undefined;
  if (bytes.length < HEAD) return `a binary message of ${bytes.length} bytes`;
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEAD);
  const flags = view.getUint8(14) & KNOWN_FLAGS;
  const data = flags & REMOTE ? NO_DATA : bytes.slice(HEAD);
  const frame = { id: view.getUint32(9), flags, length: view.getUint8(13), data, time: 0 };
  return frameFault(frame) ?? frame;
}
