/**
 * Wire profile v1: the ReadyAgent's TCP Remote Connection, byte for byte. `v1.md` is its specification.
 *
 * @module
 */

import { type Address, formatAddress, MAX_HOST_LENGTH } from "../address.ts";
import type { Codec } from "../codec.ts";
import { V1_HEADER_SIZE, V1_MAX_CHANNELS, V1_MAX_PAYLOAD } from "../limits.ts";
import { V1Command } from "./commands.ts";
import { V1Decoder } from "./decoder.ts";

/** The v1 profile. */
export const v1Codec: Codec = {
  name: "v1",
  capabilities: { maxChannels: V1_MAX_CHANNELS, halfClose: false, credit: false },
  headroom: V1_HEADER_SIZE,
  maxPayload: V1_MAX_PAYLOAD,
  createDecoder: (handler) => new V1Decoder(handler),
  listen: () => Uint8Array.of(0, 0, V1Command.LISTEN, 0),
  connect: encodeConnect,
  close: (id) => Uint8Array.of(0, 0, V1Command.CLOSE, id),
  writeDataHeader(frame, id, size) {
    frame[0] = size >>> 8;
    frame[1] = size;
    frame[2] = V1Command.DATA;
    frame[3] = id;
  },
};

/** Payload: address length (u16), address as text, port (u16); all big-endian. */
function encodeConnect(id: number, target: Address): Uint8Array {
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
