/**
 * How the frames of wire profile v1 are written: the ReadyAgent's TCP Remote Connection, byte for byte. `v1.md` is its
 * specification.
 *
 * @module
 */

import { V1_HEADER_SIZE } from "./limits.ts";
import { type Address, formatAddress } from "../address.ts";
import { MAX_HOST_LENGTH } from "../limits.ts";
import { V1Command } from "./commands.ts";

/** LISTEN: the frame that opens a link. */
export function v1Listen(): Uint8Array {
  return Uint8Array.of(0, 0, V1Command.LISTEN, 0);
}

/**
 * CONNECT: the frame that opens a channel. Payload: address length (u16), address as text, port (u16); all big-endian.
 *
 * @throws {RangeError} if the host has no bytes, or more than {@linkcode MAX_HOST_LENGTH}.
 */
export function v1Connect(id: number, target: Address): Uint8Array {
  const host = new TextEncoder().encode(target.host);
  if (host.length === 0 || host.length > MAX_HOST_LENGTH) {
    throw new RangeError(`Cannot encode CONNECT to ${formatAddress(target)}: the host has ${host.length} bytes`);
  }
  const size = 2 + host.length + 2;
  const frame = new Uint8Array(V1_HEADER_SIZE + size);
  const view = new DataView(frame.buffer);
  view.setUint16(0, size);
  view.setUint8(2, V1Command.CONNECT);
  view.setUint8(3, id);
  view.setUint16(4, host.length);
  frame.set(host, 6);
  view.setUint16(6 + host.length, target.port);
  return frame;
}

/** CLOSE: the frame that ends a channel. */
export function v1Close(id: number): Uint8Array {
  return Uint8Array.of(0, 0, V1Command.CLOSE, id);
}

/** Writes the header of a DATA frame with `size` bytes of payload into the first {@linkcode V1_HEADER_SIZE} of `frame`. */
export function writeV1Header(frame: Uint8Array, id: number, size: number): void {
  frame[0] = size >>> 8;
  frame[1] = size;
  frame[2] = V1Command.DATA;
  frame[3] = id;
}
