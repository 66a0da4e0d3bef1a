/**
 * The structures of SocketCAN: `can_frame`, `canfd_frame`, `sockaddr_can` and `ifreq`. Numbers are in the machine's order.
 *
 * @module
 */

import { BRS, type CanFrame, ERROR, ESI, EXTENDED, FD, NO_DATA, REMOTE } from "../frame.ts";

/** Size of `struct can_frame`, in bytes. */
export const CAN_FRAME_SIZE = 16;
/** Size of `struct canfd_frame`, in bytes. */
export const FD_FRAME_SIZE = 72;

const EFF = 0x8000_0000;
const RTR = 0x4000_0000;
const ERR = 0x2000_0000;
const FD_BRS = 1;
const FD_ESI = 2;
const DATA = 8;

/** Whether the machine puts the lowest byte first. */
export const LITTLE = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Reads what one `read` gave; its size tells which structure it is. */
export function readStruct(bytes: Uint8Array, time: number): CanFrame | undefined {
  if (bytes.length !== CAN_FRAME_SIZE && bytes.length !== FD_FRAME_SIZE) return undefined;
  const isFd = bytes.length === FD_FRAME_SIZE;
  const word = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, LITTLE);
  const length = Math.min(bytes[4]!, bytes.length - DATA);
  let flags = (word & EFF ? EXTENDED : 0) | (word & RTR ? REMOTE : 0) | (word & ERR ? ERROR : 0);
  if (isFd) flags |= FD | (bytes[5]! & FD_BRS ? BRS : 0) | (bytes[5]! & FD_ESI ? ESI : 0);
  const data = flags & REMOTE || length === 0 ? NO_DATA : bytes.slice(DATA, DATA + length);
  const mask = flags & (EXTENDED | ERROR) ? 0x1fff_ffff : 0x7ff;
  return { id: word & mask, flags, length, data, time };
}

/** Writes a frame. @returns the size of the structure. */
export function writeStruct({ id, flags, length, data }: CanFrame, into: Uint8Array): number {
  into.fill(0);
  const word = (id | (flags & EXTENDED ? EFF : 0) | (flags & REMOTE ? RTR : 0)) >>> 0;
  new DataView(into.buffer, into.byteOffset, 4).setUint32(0, word, LITTLE);
  into[4] = length;
  into.set(data, DATA);
  if (!(flags & FD)) return CAN_FRAME_SIZE;
  into[5] = (flags & BRS ? FD_BRS : 0) | (flags & ESI ? FD_ESI : 0);
  return FD_FRAME_SIZE;
}

/** `struct sockaddr_can` of an interface. */
export function canAddress(index: number): Uint8Array<ArrayBuffer> {
  const address = new Uint8Array(24);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_CAN, LITTLE);
  view.setInt32(4, index, LITTLE);
  return address;
}

/** The family of CAN. */
export const AF_CAN = 29;

/** Longest name of an interface, in bytes. */
export const MAX_INTERFACE_NAME = 15;

/** `struct ifreq` with the name of an interface. */
export function interfaceRequest(name: string): Uint8Array<ArrayBuffer> {
  const request = new Uint8Array(40);
  new TextEncoder().encodeInto(name, request.subarray(0, MAX_INTERFACE_NAME));
  return request;
}

/** What an `ioctl` has put behind the name: a number. */
export function requestNumber(request: Uint8Array<ArrayBuffer>): number {
  return new DataView(request.buffer).getInt32(16, LITTLE);
}

/** The flags of an interface, of such a request. */
export function requestFlags(request: Uint8Array<ArrayBuffer>): number {
  return new DataView(request.buffer).getUint16(16, LITTLE);
}

/** `struct timeval`, in seconds. */
export function readTime(bytes: Uint8Array<ArrayBuffer>): number {
  const view = new DataView(bytes.buffer);
  return Number(view.getBigInt64(0, LITTLE)) + Number(view.getBigInt64(8, LITTLE)) / 1e6;
}

/** A number as an option of a socket. */
export function optionValue(value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Uint32Array.of(value).buffer);
}
