/**
 * cannelloni over TCP: both sides say who they are, then frames go both ways, with nothing between them.
 *
 * @module
 */

import { BRS, type CanFrame, ERROR, ESI, EXTENDED, FD, frameFault, NO_DATA, REMOTE } from "../frame.ts";
import { Gather } from "../gather.ts";
import { MAX_FD_DATA } from "../limits.ts";
import { bytesOf } from "../text.ts";
import { type Request, type Said, SILENCE, type Wire, WireError } from "../wire.ts";

const HELLO = bytesOf("CANNELLONIv1");
const HEAD = 5;
const FD_BIT = 0x80;
const EFF = 0x8000_0000;
const RTR = 0x4000_0000;
const ERR = 0x2000_0000;

/** One client of cannelloni. */
export class CannelloniWire implements Wire {
  readonly name = "cannelloni";
  readonly maxFrame = HEAD + 1 + MAX_FD_DATA;
  readonly opensSoon = true;
  readonly #piece = new Gather(HELLO.length);
  #greeted = false;

  greeting(): Uint8Array {
    return HELLO;
  }

  *push(chunk: Uint8Array): Generator<Request, void, void> {
    const piece = this.#piece;
    let at = 0;
    if (!this.#greeted) {
      at = piece.fill(chunk, at, HELLO.length);
      const wrong = piece.view.findIndex((byte, i) => byte !== HELLO[i]);
      if (wrong >= 0) throw new WireError("it does not begin with CANNELLONIv1");
      if (piece.length < HELLO.length) return;
      piece.clear();
      this.#greeted = true;
      yield { type: "open" };
    }
    while (at < chunk.length || piece.length > 0) {
      at = piece.fill(chunk, at, HEAD);
      if (piece.length < HEAD) return;
      const size = sizeOf(piece.view);
      at = piece.fill(chunk, at, size);
      if (piece.length < size) return;
      const frame = readFrame(piece.view);
      piece.clear();
      const fault = frameFault(frame);
      yield fault === undefined ? { type: "frame", frame } : { type: "mistake", text: fault, bytes: SILENCE };
    }
  }

  opened(): Uint8Array {
    return SILENCE;
  }

  refused(): Said {
    return { bytes: SILENCE, end: true };
  }

  sent(): Uint8Array {
    return SILENCE;
  }

  notSent(): Uint8Array {
    return SILENCE;
  }

  troubled(): Said {
    return { bytes: SILENCE, end: true };
  }

  writeFrame({ id, flags, length, data }: CanFrame, into: Uint8Array, at: number): number {
    const word = id | (flags & EXTENDED ? EFF : 0) | (flags & REMOTE ? RTR : 0) | (flags & ERROR ? ERR : 0);
    for (let shift = 24; shift >= 0; shift -= 8) into[at++] = (word >>> shift) & 0xff;
    into[at++] = flags & FD ? length | FD_BIT : length;
    if (flags & FD) into[at++] = (flags & BRS ? 1 : 0) | (flags & ESI ? 2 : 0);
    into.set(data, at);
    return at + data.length;
  }

  lastWords(): Uint8Array {
    return SILENCE;
  }
}

/** The size of a frame, by its head. */
function sizeOf(head: Uint8Array): number {
  const length = head[4]! & ~FD_BIT;
  const isFd = (head[4]! & FD_BIT) !== 0;
  if (length > (isFd ? 64 : 8)) throw new WireError(`a frame of ${length} bytes`);
  if (isFd) return HEAD + 1 + length;
  return (head[0]! & 0x40) !== 0 ? HEAD : HEAD + length;
}

function readFrame(bytes: Uint8Array): CanFrame {
  const word = (bytes[0]! << 24 | bytes[1]! << 16 | bytes[2]! << 8 | bytes[3]!) >>> 0;
  const length = bytes[4]! & ~FD_BIT;
  let flags = (word & EFF ? EXTENDED : 0) | (word & RTR ? REMOTE : 0) | (word & ERR ? ERROR : 0);
  const isFd = (bytes[4]! & FD_BIT) !== 0;
  if (isFd) flags |= FD | (bytes[HEAD]! & 1 ? BRS : 0) | (bytes[HEAD]! & 2 ? ESI : 0);
  const data = flags & REMOTE && !isFd ? NO_DATA : bytes.slice(isFd ? HEAD + 1 : HEAD);
  return { id: word & 0x1fff_ffff, flags, length, data, time: 0 };
}
