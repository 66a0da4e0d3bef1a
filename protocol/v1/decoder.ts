/**
 * The push parser of wire profile v1.
 *
 * DATA is passed on as it arrives, without waiting for the rest of its frame, so nothing of a payload is ever buffered
 * here; and the payloads of consecutive DATA frames of one channel are moved together, so that their receiver can
 * write them at once. Only a header (4 bytes) or a CONNECT payload (259 bytes at most) is kept between two chunks.
 *
 * @module
 */

import { V1_HEADER_SIZE, V1_MAX_CONNECT_PAYLOAD } from "./limits.ts";
import type { Address } from "../address.ts";
import { ProtocolError } from "../errors.ts";
import { V1Command } from "./commands.ts";
import { readConnect } from "./connect.ts";

/** No channel: client ids are 0–255. */
const NONE = -1;

/** What a decoder tells, frame by frame. Views are valid during the call only, unless their owner pins the chunk. */
export interface V1FrameHandler {
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

/** A push parser for one v1 link: takes what a read brought, tells a {@linkcode V1FrameHandler} what is in it. */
export class V1Decoder {
  readonly #handler: V1FrameHandler;

  // The frame under way.
  readonly #header = new Uint8Array(V1_HEADER_SIZE);
  #headerFill = 0;
  #command = 0;
  #id = 0;
  #left = 0; // payload bytes still to come
  #connect: Uint8Array | undefined; // what has come of a CONNECT payload that spans chunks
  #connectFill = 0;

  // The run of joined DATA payloads in the chunk at hand.
  #runId = NONE;
  #runStart = 0;
  #runEnd = 0;

  /** A decoder that tells `handler`. */
  constructor(handler: V1FrameHandler) {
    this.#handler = handler;
  }

  /** Whether the last chunk ended with a whole frame. */
  get atBoundary(): boolean {
    return this.#headerFill === 0 && this.#left === 0;
  }

  /**
   * Decodes `chunk` to its end; a frame may end in a later chunk. May move bytes within `chunk`.
   *
   * @throws {ProtocolError} if the peer broke the protocol; the decoder is of no use from there on.
   */
  push(chunk: Uint8Array): void {
    const end = chunk.length;
    let at = 0;
    while (at < end) {
      if (this.#left === 0) {
        if (this.#headerFill === 0 && end - at >= V1_HEADER_SIZE) {
          this.#begin(chunk, at, chunk);
          at += V1_HEADER_SIZE;
        } else {
          this.#header[this.#headerFill++] = chunk[at++]!;
          if (this.#headerFill < V1_HEADER_SIZE) continue;
          this.#headerFill = 0;
          this.#begin(this.#header, 0, chunk);
        }
        continue;
      }
      const take = Math.min(this.#left, end - at);
      this.#left -= take;
      if (this.#command === V1Command.DATA) this.#data(chunk, at, take);
      else this.#connectPart(chunk.subarray(at, at + take));
      at += take;
    }
    this.#flushRun(chunk);
  }

  /** Reads a header at `at` of `from`, checks it, and handles frames without a payload. */
  #begin(from: Uint8Array, at: number, chunk: Uint8Array): void {
    const size = from[at]! << 8 | from[at + 1]!;
    const command = from[at + 2]!;
    const id = from[at + 3]!;
    this.#command = command;
    this.#id = id;
    this.#left = size;
    if (command === V1Command.DATA) return; // the hot one; of size 0 it means nothing
    this.#flushRun(chunk);
    switch (command) {
      case V1Command.CONNECT:
        if (size === 0) this.#handler.onBadConnect(id, "it has no payload");
        else this.#connectFill = 0;
        return;
      case V1Command.CLOSE:
        if (size !== 0) throw badSize("CLOSE", size);
        return this.#handler.onClose(id);
      case V1Command.LISTEN:
        if (size !== 0) throw badSize("LISTEN", size);
        return this.#handler.onListen();
      default:
        if (size !== 0) {
          throw new ProtocolError("unknown-command", `Unknown command ${command} with ${size} bytes of payload`);
        }
        return this.#handler.onIgnored(command, id);
    }
  }

  #data(chunk: Uint8Array, at: number, size: number): void {
    if (this.#runId === this.#id) {
      chunk.copyWithin(this.#runEnd, at, at + size);
      this.#runEnd += size;
      return;
    }
    this.#flushRun(chunk);
    this.#runId = this.#id;
    this.#runStart = at;
    this.#runEnd = at + size;
  }

  #flushRun(chunk: Uint8Array): void {
    if (this.#runId === NONE) return;
    const id = this.#runId;
    this.#runId = NONE;
    this.#handler.onData(id, chunk.subarray(this.#runStart, this.#runEnd));
  }

  /** Collects a CONNECT payload; one that is too long is skipped, as its end is known. */
  #connectPart(part: Uint8Array): void {
    const room = V1_MAX_CONNECT_PAYLOAD - this.#connectFill;
    this.#connect ??= new Uint8Array(V1_MAX_CONNECT_PAYLOAD);
    this.#connect.set(part.subarray(0, Math.max(0, room)), Math.min(this.#connectFill, V1_MAX_CONNECT_PAYLOAD));
    this.#connectFill += part.length;
    if (this.#left > 0) return;
    const size = this.#connectFill;
    const payload = this.#connect.subarray(0, Math.min(size, V1_MAX_CONNECT_PAYLOAD));
    this.#connect = undefined;
    const read = readConnect(payload, size);
    if (typeof read === "string") this.#handler.onBadConnect(this.#id, read);
    else this.#handler.onConnect(this.#id, read);
  }
}

function badSize(command: string, size: number): ProtocolError {
  return new ProtocolError("bad-size", `${command} has a payload of ${size} bytes, and can have none`);
}
