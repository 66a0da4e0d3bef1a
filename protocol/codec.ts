/**
 * The one interface behind which a wire profile sits. Nothing above it asks for a version: a profile has capabilities.
 *
 * @module
 */

import type { Address } from "./address.ts";

/** What a link of a profile can do. */
export interface Capabilities {
  /** Channels that can be open at once. */
  readonly maxChannels: number;
  /** Whether one direction of a channel can end while the other goes on. Without: an end is an end of both. */
  readonly halfClose: boolean;
  /** Whether each channel is flow-controlled apart. Without: a slow receiver pauses the reading of the whole link. */
  readonly credit: boolean;
}

/** What a decoder tells, frame by frame. Views are valid during the call only, unless their owner pins the chunk. */
export interface FrameHandler {
  /** The peer is a device and offers its services. */
  onListen(): void;
  /** A client wants to reach `target`. */
  onConnect(id: number, target: Address): void;
  /** A CONNECT that cannot be read; its frame was skipped. */
  onBadConnect(id: number, why: string): void;
  /** Bytes of a channel, in order: a part of a frame, a frame, or several frames joined. Never empty. */
  onData(id: number, bytes: Uint8Array): void;
  /** A channel ended. */
  onClose(id: number): void;
  /** A frame of no meaning and no harm, skipped. */
  onIgnored(command: number, id: number): void;
}

/** A push parser: takes what a read brought, tells a {@linkcode FrameHandler} what is in it. */
export interface FrameDecoder {
  /**
   * Decodes `chunk` to its end; a frame may end in a later chunk. May move bytes within `chunk`.
   *
   * @throws {ProtocolError} if the peer broke the protocol; the decoder is of no use from there on.
   */
  push(chunk: Uint8Array): void;
  /** Whether the last chunk ended with a whole frame. */
  readonly atBoundary: boolean;
}

/** A wire profile: how frames are written and read. */
export interface Codec {
  /** The name that the configuration knows it by. */
  readonly name: "v1";
  /** What links of this profile can do. */
  readonly capabilities: Capabilities;
  /** Bytes that {@linkcode Codec.writeDataHeader} needs in front of a payload. */
  readonly headroom: number;
  /** Largest payload of one DATA frame. */
  readonly maxPayload: number;
  /** A decoder for one link. */
  createDecoder(handler: FrameHandler): FrameDecoder;
  /** The frame that opens a link. */
  listen(): Uint8Array;
  /** The frame that opens a channel. */
  connect(id: number, target: Address): Uint8Array;
  /** The frame that ends a channel. */
  close(id: number): Uint8Array;
  /** Writes the header of a DATA frame with `size` payload bytes into the first `headroom` bytes of `frame`. */
  writeDataHeader(frame: Uint8Array, id: number, size: number): void;
}
