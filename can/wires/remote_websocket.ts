/**
 * python-can's remote interface over a WebSocket, as python-can-remote speaks it.
 *
 * @module
 */

import type { CanFrame } from "../frame.ts";
import { Gather } from "../gather.ts";
import { MAX_OPENING_HEAD } from "../limits.ts";
import { bytesOf } from "../text.ts";
import { type Request, type Said, SILENCE, type Wire, WireError } from "../wire.ts";
import { messageSize, putMessage, readMessage } from "./remote_binary.ts";
import { EventFault, readEvent, writeEvent, writeMessage } from "./remote_json.ts";
import {
  CloseCode,
  closeFrame,
  fault,
  MAX_SOCKET_HEAD,
  Opcode,
  putSocketHead,
  socketFrame,
  type SocketMessage,
  SocketReader,
} from "./websocket_frames.ts";
import { judgeOpening } from "./websocket_opening.ts";

/** The longest event of a frame as text: 64 numbers of three digits, and what stands around them. */
const MAX_MESSAGE_TEXT = 768;

const CRLFCRLF = [13, 10, 13, 10];

/** One client over a WebSocket. */
export class RemoteWebSocketWire implements Wire {
  readonly name = "remote-websocket";
  readonly maxFrame = MAX_SOCKET_HEAD + MAX_MESSAGE_TEXT;
  readonly opensSoon = true;
  readonly #head = new Gather(1_024);
  readonly #reader = new SocketReader();
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });
  #state: "head" | "new" | "open" | "ended" = "head";
  #binary = false;

  greeting(): Uint8Array {
    return SILENCE;
  }

  *push(chunk: Uint8Array): Generator<Request, void, void> {
    let at = 0;
    if (this.#state === "head") {
      at = this.#takeHead(chunk);
      if (at < 0) return;
      const { answer, protocol, why } = judgeOpening(new TextDecoder().decode(this.#head.view).slice(0, -4));
      this.#head.clear();
      if (protocol === undefined) {
        this.#state = "ended";
        return yield { type: "end", bytes: answer, ...(why !== undefined && { why }) };
      }
      this.#binary = protocol === "can.binary+json.v1";
      this.#state = "new";
      yield { type: "answer", bytes: answer };
    }
    if (this.#state === "ended") return; // nothing counts behind CLOSE
    for (const message of this.#reader.push(chunk.subarray(at))) {
      const request = this.#request(message);
      if (request) yield request;
      if (request?.type === "end") return;
    }
  }

  /** Takes bytes up to the empty line. @returns how far, or -1 if it has not come. */
  #takeHead(chunk: Uint8Array): number {
    for (let at = 0; at < chunk.length;) {
      at = this.#head.fill(chunk, at, this.#head.length + 1);
      const { view, length } = this.#head;
      if (length >= 4 && CRLFCRLF.every((byte, i) => view[length - 4 + i] === byte)) return at;
      if (length >= MAX_OPENING_HEAD) throw new WireError(`a head of more than ${MAX_OPENING_HEAD} bytes`);
    }
    return -1;
  }

  #request({ opcode, payload }: SocketMessage): Request | undefined {
    switch (opcode) {
      case Opcode.PING:
        return { type: "answer", bytes: socketFrame(Opcode.PONG, payload) };
      case Opcode.PONG:
        return undefined;
      case Opcode.CLOSE:
        this.#state = "ended";
        return { type: "end", bytes: closeFrame(closeCode(payload)) };
      case Opcode.BINARY: {
        this.#demandOpen();
        const frame = readMessage(payload);
        if (frame === undefined) return undefined;
        return typeof frame === "string" ? mistake(frame) : { type: "frame", frame };
      }
      default:
        return this.#event(payload);
    }
  }

  #event(payload: Uint8Array): Request | undefined {
    let text: string;
    try {
      text = this.#decoder.decode(payload);
    } catch {
      throw fault(CloseCode.NOT_UTF8, "a text that is not UTF-8");
    }
    try {
      const request = readEvent(text);
      if (request?.type === "open") {
        if (this.#state === "open") return mistake("the bus is open already");
        this.#state = "open";
      } else if (request) {
        this.#demandOpen();
      }
      return request;
    } catch (error) {
      if (!(error instanceof EventFault)) throw error;
      return mistake(error.message);
    }
  }

  #demandOpen(): void {
    if (this.#state === "new") throw fault(CloseCode.PROTOCOL, "the first event has to be bus_request");
  }

  opened(info: string): Uint8Array {
    return event("bus_response", { channel_info: info });
  }

  refused(why: string): Said {
    this.#state = "ended";
    return { bytes: closeFrame(CloseCode.TROUBLE, why), end: true };
  }

  sent(): Uint8Array {
    return SILENCE;
  }

  notSent(_frame: CanFrame, why: string): Uint8Array {
    return event("error", why);
  }

  troubled(why: string, gone: boolean): Said {
    if (!gone) return { bytes: event("error", why), end: false };
    const close = this.#state === "ended" ? SILENCE : closeFrame(CloseCode.TROUBLE, why);
    this.#state = "ended";
    return { bytes: close, end: true };
  }

  writeFrame(frame: CanFrame, into: Uint8Array, at: number): number {
    if (this.#binary) {
      at = putSocketHead(Opcode.BINARY, messageSize(frame), into, at);
      return putMessage(frame, into, at);
    }
    const text = writeMessage(frame); // ASCII
    at = putSocketHead(Opcode.TEXT, text.length, into, at);
    const { written } = encoder.encodeInto(text, into.subarray(at));
    return at + written;
  }

  lastWords(): Uint8Array {
    if (this.#state === "head" || this.#state === "ended") return SILENCE;
    this.#state = "ended";
    return closeFrame(CloseCode.GOING_AWAY, "the service ends");
  }
}

const encoder = new TextEncoder();

/** CLOSE is answered with the same status; 1000 where there is none that may stand on the wire. */
function closeCode(payload: Uint8Array): number {
  const code = payload.length >= 2 ? payload[0]! << 8 | payload[1]! : CloseCode.NORMAL;
  return code < 1000 || code >= 5000 || [1004, 1005, 1006, 1015].includes(code) ? CloseCode.NORMAL : code;
}

function event(type: string, payload: unknown): Uint8Array {
  return socketFrame(Opcode.TEXT, bytesOf(writeEvent(type, payload)));
}

function mistake(text: string): Request {
  return { type: "mistake", text, bytes: event("error", text) };
}
