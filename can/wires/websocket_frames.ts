/**
 * WebSocket frames (RFC 6455) as python-can-remote has them: masked from the client, whole messages only.
 *
 * @module
 */

import { Gather } from "../gather.ts";
import { MAX_CLOSE_REASON, MAX_SOCKET_MESSAGE } from "../limits.ts";
import { cutText } from "../text.ts";
import { WireError } from "../wire.ts";

/** Kinds of frames. */
export const Opcode = { TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 } as const;

/** Why a WebSocket ends. */
export const CloseCode = {
  NORMAL: 1000,
  GOING_AWAY: 1001,
  PROTOCOL: 1002,
  NOT_UTF8: 1007,
  TOO_LARGE: 1009,
  TROUBLE: 1011,
} as const;

const FIN = 0x80;
const MASKED = 0x80;
const MAX_CONTROL = 125;
const MASK_SIZE = 4;

/** One message. */
export interface SocketMessage {
  readonly opcode: number;
  /** Valid until the next one is asked for. */
  readonly payload: Uint8Array;
}

/** Puts a client's bytes together to messages. */
export class SocketReader {
  readonly #piece = new Gather(256);

  /** @throws {WireError} for what no client here may send, with the CLOSE that answers it. */
  *push(chunk: Uint8Array): Generator<SocketMessage, void, void> {
    const piece = this.#piece;
    for (let at = 0; at < chunk.length || piece.length > 0;) {
      at = piece.fill(chunk, at, 2);
      if (piece.length < 2) return;
      const head = headSize(piece.view);
      at = piece.fill(chunk, at, head);
      if (piece.length < head) return;
      const size = payloadSize(piece.view);
      at = piece.fill(chunk, at, head + size);
      if (piece.length < head + size) return;
      const opcode = piece.view[0]! & 0x0f;
      const payload = piece.view.subarray(head);
      unmask(payload, piece.view.subarray(head - MASK_SIZE, head));
      yield { opcode, payload };
      piece.clear();
    }
  }
}

/** Checks the first two bytes. @returns the size of the whole head. */
function headSize(bytes: Uint8Array): number {
  const [first = 0, second = 0] = bytes;
  const opcode = first & 0x0f;
  if ((first & 0x70) !== 0) throw fault(CloseCode.PROTOCOL, "an extension that was not agreed on");
  if ((second & MASKED) === 0) throw fault(CloseCode.PROTOCOL, "a frame without a mask");
  if (!Object.values(Opcode).includes(opcode as never)) {
    throw fault(CloseCode.PROTOCOL, opcode === 0 ? "a message in fragments" : `a frame of kind ${opcode}`);
  }
  if ((first & FIN) === 0) throw fault(CloseCode.PROTOCOL, "a message in fragments");
  const length = second & 0x7f;
  if (opcode >= Opcode.CLOSE && length > MAX_CONTROL) throw fault(CloseCode.PROTOCOL, "a long control frame");
  return 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + MASK_SIZE;
}

function payloadSize(head: Uint8Array): number {
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const short = head[1]! & 0x7f;
  const size = short === 126 ? view.getUint16(2) : short === 127 ? Number(view.getBigUint64(2)) : short;
  if (size > MAX_SOCKET_MESSAGE) throw fault(CloseCode.TOO_LARGE, `a message of ${size} bytes`);
  return size;
}

function unmask(payload: Uint8Array, mask: Uint8Array): void {
  for (let at = 0; at < payload.length; at++) payload[at]! ^= mask[at & 3]!;
}

/** An error, and the CLOSE that tells it. */
export function fault(code: number, text: string): WireError {
  return new WireError(text, closeFrame(code, text));
}

/** What a message has in front of it, at most. */
export const MAX_SOCKET_HEAD = 10;

/** Writes the head of a message, unmasked. @returns where it ends. */
export function putSocketHead(opcode: number, size: number, into: Uint8Array, at: number): number {
  into[at++] = FIN | opcode;
  if (size < 126) {
    into[at++] = size;
  } else if (size < 0x1_0000) {
    into[at++] = 126;
    into[at++] = size >>> 8;
    into[at++] = size & 0xff;
  } else {
    into[at++] = 127;
    new DataView(into.buffer, into.byteOffset + at, 8).setBigUint64(0, BigInt(size));
    at += 8;
  }
  return at;
}

/** A message. */
export function socketFrame(opcode: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(MAX_SOCKET_HEAD + payload.length);
  const at = putSocketHead(opcode, payload.length, frame, 0);
  frame.set(payload, at);
  return frame.subarray(0, at + payload.length);
}

/** A CLOSE; its reason is cut to what a control frame has room for. */
export function closeFrame(code: number, reason = ""): Uint8Array<ArrayBuffer> {
  const text = cutText(reason, MAX_CLOSE_REASON);
  const payload = new Uint8Array(2 + text.length);
  payload[0] = code >>> 8;
  payload[1] = code & 0xff;
  payload.set(text, 2);
  return socketFrame(Opcode.CLOSE, payload);
}
