/**
 * The push parser of wire profile v2.
 *
 * As v1's: DATA is passed on as it arrives, and consecutive DATA frames of one channel are moved together and passed on
 * at once. Other frames are passed on whole; one that spans chunks is collected first.
 *
 * @module
 */

import { V2_HEADER_SIZE, V2_MAX_CONTROL_PAYLOAD } from "../limits.ts";
import { ProtocolError } from "../../errors.ts";
import { FLAG_ACKNOWLEDGE, isKnown, NOT_NUMBERED, SKIPPABLE, V2Command } from "./commands.ts";

/** What a decoder tells, frame by frame. Views are valid during the call only, unless their owner pins the chunk. */
export interface V2FrameHandler {
  /** Bytes of a channel, in order: a part of a frame, a frame, or several joined. Never empty. */
  onData(channel: number, bytes: Uint8Array): void;
  /** Any other frame that is known, whole. */
  onFrame(command: V2Command, channel: number, payload: Uint8Array): void;
  /** A frame that is not known begins, and is passed over. */
  onSkipped(command: number): void;
  /** A frame asked to be acknowledged at once. */
  onAcknowledge(): void;
}

/** No channel has this number. */
const NONE = -1;

const NO_PAYLOAD = new Uint8Array(0);

/** Decodes the frames of one session's links, one after the other. */
export class V2Decoder {
  readonly #handler: V2FrameHandler;
  #position = 0;
  #stopped = false;

  // The frame under way.
  readonly #header = new Uint8Array(V2_HEADER_SIZE);
  #headerFill = 0;
  #command: number = V2Command.DATA;
  #channel = 0;
  #flagged = false;
  #left = 0; // payload bytes still to come
  #skipping = false;
  #collected: Uint8Array | undefined; // the payload of a control frame that spans chunks
  #collectedFill = 0;

  // The run of joined DATA payloads in the chunk at hand.
  #runChannel = NONE;
  #runStart = 0;
  #runEnd = 0;

  /** A decoder that tells `handler`. */
  constructor(handler: V2FrameHandler) {
    this.#handler = handler;
  }

  /** Numbered bytes received, headers included. */
  get position(): number {
    return this.#position;
  }

  /** Whether the last chunk ended with a whole frame. */
  get atBoundary(): boolean {
    return this.#headerFill === 0 && this.#left === 0;
  }

  /**
   * The next bytes come on another link: from {@linkcode V2Decoder.position} on, in the middle of a numbered frame if
   * that is where the last link ended. What it brought of a header, or of a frame that is not numbered, is dropped.
   */
  resume(): void {
    this.#headerFill = 0;
    if ((this.#command & NOT_NUMBERED) === 0) return;
    this.#left = 0;
    this.#collected = undefined;
  }

  /** Tells nothing more, also of the chunk at hand. */
  stop(): void {
    this.#stopped = true;
  }

  /**
   * Decodes `chunk` to its end; a frame may end in a later chunk. May move bytes within `chunk`.
   *
   * @throws {ProtocolError} if the peer broke the protocol; the decoder is of no use from there on.
   */
  push(chunk: Uint8Array): void {
    const end = chunk.length;
    let at = 0;
    while (at < end && !this.#stopped) {
      if (this.#left === 0) {
        if (this.#headerFill === 0 && end - at >= V2_HEADER_SIZE) {
          this.#begin(chunk, at, chunk);
          at += V2_HEADER_SIZE;
        } else {
          this.#header[this.#headerFill++] = chunk[at++]!;
          if (this.#headerFill < V2_HEADER_SIZE) continue;
          this.#headerFill = 0;
          this.#begin(this.#header, 0, chunk);
        }
        continue;
      }
      const take = Math.min(this.#left, end - at);
      this.#left -= take;
      if ((this.#command & NOT_NUMBERED) === 0) this.#position += take;
      if (this.#command === V2Command.DATA) this.#data(chunk, at, take);
      else this.#controlPart(chunk.subarray(at, at + take));
      if (this.#left === 0) this.#frameEnd();
      at += take;
    }
    this.#flushRun(chunk);
  }

  #begin(from: Uint8Array, at: number, chunk: Uint8Array): void {
    const size = from[at]! << 8 | from[at + 1]!;
    const command = from[at + 2]!;
    this.#command = command;
    this.#flagged = (from[at + 3]! & FLAG_ACKNOWLEDGE) !== 0;
    this.#channel = (from[at + 4]! * 0x1000000) + (from[at + 5]! << 16 | from[at + 6]! << 8 | from[at + 7]!);
    this.#left = size;
    if ((command & NOT_NUMBERED) === 0) this.#position += V2_HEADER_SIZE;
    if (command === V2Command.DATA && size > 0) return; // the hot one
    this.#flushRun(chunk);
    if (command === V2Command.DATA) throw new ProtocolError("bad-size", "DATA has no payload");
    this.#skipping = !isKnown(command);
    if (this.#skipping && (command & SKIPPABLE) === 0) {
      throw new ProtocolError("unknown-command", `Unknown command ${command} with ${size} bytes of payload`);
    }
    if (size > V2_MAX_CONTROL_PAYLOAD) throw new ProtocolError("bad-size", `Command ${command} has ${size} bytes`);
    this.#collectedFill = 0;
    if (this.#skipping && !this.#stopped) this.#handler.onSkipped(command);
    if (size > 0) return;
    this.#deliver(NO_PAYLOAD);
    this.#frameEnd();
  }

  #frameEnd(): void {
    if (this.#flagged && !this.#stopped) this.#handler.onAcknowledge();
  }

  #data(chunk: Uint8Array, at: number, size: number): void {
    if (this.#runChannel === this.#channel) {
      chunk.copyWithin(this.#runEnd, at, at + size);
      this.#runEnd += size;
      return;
    }
    this.#flushRun(chunk);
    this.#runChannel = this.#channel;
    this.#runStart = at;
    this.#runEnd = at + size;
  }

  #flushRun(chunk: Uint8Array): void {
    if (this.#runChannel === NONE || this.#stopped) return;
    const channel = this.#runChannel;
    this.#runChannel = NONE;
    this.#handler.onData(channel, chunk.subarray(this.#runStart, this.#runEnd));
  }

  #controlPart(part: Uint8Array): void {
    if (this.#skipping) return;
    if (this.#collectedFill === 0 && this.#left === 0) return this.#deliver(part);
    this.#collected ??= new Uint8Array(part.length + this.#left);
    this.#collected.set(part, this.#collectedFill);
    this.#collectedFill += part.length;
    if (this.#left > 0) return;
    const payload = this.#collected;
    this.#collected = undefined;
    this.#deliver(payload);
  }

  #deliver(payload: Uint8Array): void {
    if (!this.#skipping && !this.#stopped) this.#handler.onFrame(this.#command as V2Command, this.#channel, payload);
  }
}
