/**
 * Reads the v1 frames that go by, one by one, with the project's own decoder.
 *
 * The decoder joins what belongs together, as a relay wants it; here every frame is to be seen. So the stream is cut at
 * the frames' borders first, and each piece decoded for itself.
 *
 * @module
 */

import { V1_HEADER_SIZE } from "../../../protocol/v1/limits.ts";
import { type Address, formatAddress } from "../../../protocol/address.ts";
import { V1Decoder, type V1FrameHandler } from "../../../protocol/v1/decoder.ts";

/** Bytes of each frame that are kept to be shown. */
export const SHOWN_BYTES = 32;

/** A frame that went by. */
export interface SeenFrame {
  /** The command's name. */
  readonly command: string;
  /** The client id. */
  readonly id: number;
  /** What the decoder made of the payload, beyond its size. */
  readonly detail: string;
  /** Bytes of payload. */
  readonly size: number;
  /** The frame's first bytes, header included. */
  readonly head: Uint8Array;
}

/** Cuts one direction of a link into frames and tells each at its end. */
export class FrameReader implements V1FrameHandler {
  readonly #decoder = new V1Decoder(this);
  readonly #onFrame: (frame: SeenFrame) => void;
  readonly #head = new Uint8Array(SHOWN_BYTES);
  #got = 0; // bytes of the frame under way
  #total = V1_HEADER_SIZE; // its length, as far as it is known
  #command = "";
  #detail = "";

  /** Tells each frame to `onFrame`. */
  constructor(onFrame: (frame: SeenFrame) => void) {
    this.#onFrame = onFrame;
  }

  /** Takes what a read brought, and leaves it as it is. */
  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + this.#total - this.#got);
      this.#keep(part);
      this.#decoder.push(part); // of one frame at most: nothing to join, so nothing is moved
      this.#got += part.length;
      at += part.length;
      if (this.#got === V1_HEADER_SIZE) this.#total += this.#head[0]! << 8 | this.#head[1]!;
      if (this.#got === this.#total) this.#tell();
    }
  }

  onListen(): void {
    this.#command = "LISTEN";
  }

  onConnect(_id: number, target: Address): void {
    this.#command = "CONNECT";
    this.#detail = `→ ${formatAddress(target)}`;
  }

  onBadConnect(_id: number, why: string): void {
    this.#command = "CONNECT";
    this.#detail = `(${why})`;
  }

  onData(): void {
    this.#command = "DATA";
  }

  onClose(): void {
    this.#command = "CLOSE";
  }

  onIgnored(command: number): void {
    this.#command = `#${command}`;
  }

  #keep(part: Uint8Array): void {
    if (this.#got < SHOWN_BYTES) this.#head.set(part.subarray(0, SHOWN_BYTES - this.#got), this.#got);
  }

  #tell(): void {
    const frame: SeenFrame = {
      command: this.#command,
      id: this.#head[3]!,
      detail: this.#detail,
      size: this.#total - V1_HEADER_SIZE,
      head: this.#head.slice(0, Math.min(this.#total, SHOWN_BYTES)),
    };
    this.#got = 0;
    this.#total = V1_HEADER_SIZE;
    this.#command = "DATA"; // an empty one means nothing to the decoder, and is told by nobody
    this.#detail = "";
    this.#onFrame(frame);
  }
}
