/**
 * slcan over TCP, as an adapter speaks it: lines that end with CR, each answered.
 *
 * @module
 */

import type { CanFrame } from "../frame.ts";
import { EXTENDED } from "../frame.ts";
import { MAX_SLCAN_LINE } from "../limits.ts";
import { bytesOf } from "../text.ts";
import { type Request, type Said, SILENCE, type Wire } from "../wire.ts";
import { MAX_FRAME_LINE, readSlcanFrame, SLCAN_BITRATES, SlcanLines, writeSlcanFrame } from "./slcan_frames.ts";

const OK = bytesOf("\r");
const NO = bytesOf("\x07");
const SENT = bytesOf("z\r");
const SENT_EXTENDED = bytesOf("Z\r");
const VERSION = bytesOf("V1013\r");
const SERIAL = bytesOf("NSLPT\r");
const STATUS = bytesOf("F00\r");

/** One client of slcan. */
export class SlcanWire implements Wire {
  readonly name = "slcan";
  readonly maxFrame = MAX_FRAME_LINE;
  readonly opensSoon = false;
  readonly #lines = new SlcanLines(MAX_SLCAN_LINE);
  #bitrate: number | undefined;
  #open = false;
  #times = false;

  greeting(): Uint8Array {
    return SILENCE;
  }

  *push(chunk: Uint8Array): Generator<Request, void, void> {
    for (const line of this.#lines.push(chunk)) {
      const request = this.#request(line ?? "?");
      yield request;
      if (request.type === "detach") yield answer(OK);
    }
  }

  #request(line: string): Request {
    switch (line[0]) {
      case undefined: // python-can sends one where there is no data bitrate; others to get in step
        return answer(OK);
      case "S":
        return this.#setBitrate(SLCAN_BITRATES[/^S\d$/.test(line) ? Number(line[1]) : -1]);
      case "s":
        return answer(/^s[\da-f]{4,6}$/i.test(line) && !this.#open ? OK : NO);
      case "O":
      case "L":
        if (line.length > 1) return mistake(line);
        if (this.#open) return answer(OK);
        this.#open = true;
        return {
          type: "open",
          listenOnly: line === "L",
          ...(this.#bitrate !== undefined && { bitrate: this.#bitrate }),
        };
      case "C":
        return this.#close(line);
      case "V":
      case "v":
        return answer(VERSION);
      case "N":
        return answer(SERIAL);
      case "F":
        return answer(STATUS);
      case "Z":
        if (!/^Z[01]$/.test(line)) return mistake(line);
        this.#times = line === "Z1";
        return answer(OK);
      case "M": // acceptance masks of one chip
      case "m":
        return answer(/^[Mm][\da-f]{8}$/i.test(line) ? OK : NO);
      default:
        return this.#send(line);
    }
  }

  #setBitrate(bitrate: number | undefined): Request {
    if (bitrate === undefined || this.#open) return answer(NO);
    this.#bitrate = bitrate;
    return answer(OK);
  }

  #close(line: string): Request {
    if (line.length > 1) return mistake(line);
    if (!this.#open) return answer(OK);
    this.#open = false;
    return { type: "detach" };
  }

  #send(line: string): Request {
    const frame = readSlcanFrame(line, false);
    return frame && this.#open ? { type: "frame", frame } : mistake(line);
  }

  opened(): Uint8Array {
    return OK;
  }

  refused(): Said {
    this.#open = false;
    return { bytes: NO, end: false };
  }

  sent({ flags }: CanFrame): Uint8Array {
    return flags & EXTENDED ? SENT_EXTENDED : SENT;
  }

  notSent(): Uint8Array {
    return NO;
  }

  troubled(): Said {
    return { bytes: SILENCE, end: true };
  }

  writeFrame(frame: CanFrame, into: Uint8Array, at: number): number {
    const millis = this.#times ? Math.floor(frame.time * 1000) % 60_000 : undefined;
    return writeSlcanFrame(frame, into, at, millis);
  }

  lastWords(): Uint8Array {
    return SILENCE;
  }
}

function answer(bytes: Uint8Array): Request {
  return { type: "answer", bytes };
}

function mistake(line: string): Request {
  return { type: "mistake", text: `"${line.slice(0, 40)}" is no command of slcan, or not for now`, bytes: NO };
}
