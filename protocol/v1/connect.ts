/**
 * The payload of a v1 CONNECT, read without trust.
 *
 * @module
 */

import { type Address, isHost } from "../address.ts";

/**
 * Reads address length (u16), address text and port (u16), all big-endian.
 *
 * @param payload What there is of the payload.
 * @param size What the header said.
 * @returns The address, or what is wrong with it.
 */
export function readConnect(payload: Uint8Array, size: number): Address | string {
  if (size < 5) return `its payload has ${size} bytes, and needs 5 at least`;
  if (payload.length < size) return `its payload has ${size} bytes, and no address is that long`;
  const view = new DataView(payload.buffer, payload.byteOffset, size);
  const length = view.getUint16(0);
  if (length !== size - 4) return `its address length ${length} does not fit a payload of ${size} bytes`;
  const host = String.fromCharCode(...payload.subarray(2, 2 + length));
  if (!isHost(host)) return `its address ${JSON.stringify(host)} is neither a host name nor an IP address`;
  const port = view.getUint16(2 + length);
  if (port === 0) return "its port is 0";
  return { host, port };
}
