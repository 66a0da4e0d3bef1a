/**
 * socketcand's protocol: text, and the server speaks first.
 *
 * @module
 */

import { type CanFrame, FD, REMOTE } from "../frame.ts";
import { MAX_BUS_NAME, RAW_MODE_PAUSE_MS } from "../limits.ts";
import { bytesOf, oneLine } from "../text.ts";
import { type Request, type Said, SILENCE, type Wire } from "../wire.ts";
import {
  Elements,
  MAX_FRAME_ELEMENT,
  readFrameWords,
  readId,
  readNumber,
  writeElement,
} from "./socketcand_elements.ts";
import { Subscriptions } from "./subscriptions.ts";

const HI = bytesOf("< hi >");
const OK = bytesOf("< ok >");
const ECHO = bytesOf("< echo >");
const UNKNOWN = bytesOf("< error unknown command >");
const SYNTAX = bytesOf("< error syntax error >");
const FULL = bytesOf("< error too many subscriptions >");

const MAX_U32 = 0xffff_ffff;

/** One client of socketcand. */
export class SocketcandWire implements Wire {
  readonly name = "socketcand";
  readonly maxFrame = MAX_FRAME_ELEMENT;
  readonly opensSoon = true;
  readonly #elements = new Elements();
  readonly #subscriptions = new Subscriptions();
  #mode: "closed" | "bcm" | "raw" = "closed";

  greeting(): Uint8Array {
    return HI;
  }

  *push(chunk: Uint8Array): Generator<Request, void, void> {
    for (const words of this.#elements.push(chunk)) {
      const request = this.#request(words);
      if (request) yield request;
    }
  }

  #request(words: string[]): Request | undefined {
    const [word, ...rest] = words;
    if (word === "echo") return answer(ECHO);
    if (this.#mode === "closed") return this.#beforeOpen(word, rest);
    switch (word) {
      case "open": // it is
        return answer(OK);
      case "rawmode":
        this.#mode = "raw";
        return { type: "answer", bytes: OK, pause: RAW_MODE_PAUSE_MS };
      case "bcmmode":
        this.#mode = "bcm";
        return answer(OK);
      case "send":
        return this.#frame(rest, (frame) => ({ type: "frame", frame }));
    }
    return this.#mode === "bcm" ? this.#inBcm(word, rest) : mistake(words, UNKNOWN);
  }

  #beforeOpen(word: string | undefined, rest: readonly string[]): Request {
    if (word === "open") {
      const [bus] = rest;
      if (bus === undefined || bus.length > MAX_BUS_NAME) return { type: "end", bytes: failure("could not open bus") };
      this.#mode = "bcm";
      return { type: "open", bus };
    }
    // `< can0 B … >` and `< can0 C … >`: the bus is set up by whoever runs the service.
    if (rest[0] === "B" || rest[0] === "C") return { type: "end", bytes: failure("the bus is set up already") };
    return mistake([word ?? "", ...rest], UNKNOWN);
  }

  #inBcm(word: string | undefined, rest: readonly string[]): Request | undefined {
    switch (word) {
      case "add": {
        const period = millis(rest);
        if (period === undefined) return mistake(["add", ...rest], SYNTAX);
        return this.#frame(rest.slice(2), (frame) => ({ ...periodic(frame), period }));
      }
      case "update":
        return this.#frame(rest, (frame) => ({ ...periodic(frame), period: 0 }));
      case "delete": {
        const id = readId(rest[0]);
        return id ? { type: "periodic-stop", key: keyOf(id) } : mistake(["delete", ...rest], SYNTAX);
      }
      case "subscribe":
      case "filter": {
        const interval = millis(rest);
        const mask = word === "filter" ? readFrameWords(rest.slice(2)) : undefined;
        const id = readId(rest[2]);
        if (interval === undefined || !id || (word === "filter" && !mask)) return mistake([word, ...rest], SYNTAX);
        const isIn = this.#subscriptions.add(id.id, id.flags, interval / 1000, mask?.data);
        return isIn ? undefined : { type: "mistake", text: "too many subscriptions", bytes: FULL };
      }
      case "unsubscribe": {
        const id = readId(rest[0]);
        if (!id) return mistake(["unsubscribe", ...rest], SYNTAX);
        this.#subscriptions.remove(id.id, id.flags);
        return undefined;
      }
    }
    return mistake([word ?? "", ...rest], UNKNOWN);
  }

  #frame(words: readonly string[], request: (frame: CanFrame) => Request): Request {
    const frame = readFrameWords(words);
    return frame ? request(frame) : mistake(words, SYNTAX);
  }

  opened(): Uint8Array {
    return OK;
  }

  refused(): Said {
    return { bytes: failure("could not open bus"), end: true };
  }

  sent(): Uint8Array {
    return SILENCE;
  }

  notSent(_frame: CanFrame, why: string): Uint8Array {
    return failure(`could not send: ${why}`);
  }

  troubled(why: string): Said {
    return { bytes: failure(why), end: true };
  }

  writeFrame(frame: CanFrame, into: Uint8Array, at: number): number {
    if (frame.flags & (REMOTE | FD)) return at; // it has no words for either
    if (this.#mode !== "raw" && !this.#subscriptions.wants(frame)) return at;
    return writeElement(frame, into, at);
  }

  lastWords(): Uint8Array {
    return SILENCE;
  }
}

function periodic(frame: CanFrame) {
  return { type: "periodic-start", key: keyOf(frame), frame, duration: 0 } as const;
}

function keyOf({ id, flags }: { readonly id: number; readonly flags: number }): string {
  return `${id}/${flags}`;
}

/** Seconds and microseconds as milliseconds. */
function millis([s, us]: readonly string[]): number | undefined {
  const seconds = readNumber(s, MAX_U32);
  const micros = readNumber(us, MAX_U32);
  return seconds === undefined || micros === undefined ? undefined : seconds * 1000 + micros / 1000;
}

function answer(bytes: Uint8Array): Request {
  return { type: "answer", bytes };
}

function failure(text: string): Uint8Array {
  return bytesOf(`< error ${oneLine(text).replaceAll(/[<>]/g, "")} >`);
}

function mistake(words: readonly string[], bytes: Uint8Array): Request {
  return { type: "mistake", text: `"${words.join(" ").slice(0, 40)}" is nothing that socketcand knows`, bytes };
}
