/**
 * What a client's protocol is to the service: bytes in, requests out; frames in, bytes out. Nothing here waits, knows the
 * time, or has a socket.
 *
 * @module
 */

import type { CanFilter, CanFrame } from "./frame.ts";

/** The names of the wires, as users and events have them. */
export type WireName = "remote-v4" | "remote-v5" | "remote-websocket" | "cannelloni" | "socketcand" | "slcan";

/** What a client wants. */
export type Request =
  | OpenRequest
  | { readonly type: "filters"; readonly filters: readonly CanFilter[] }
  | { readonly type: "frame"; readonly frame: CanFrame }
  | PeriodicRequest
  | { readonly type: "periodic-stop"; readonly key: string }
  /** Frames stop coming; the connection stays. */
  | { readonly type: "detach" }
  /** This is to be answered; no frame goes out for so many milliseconds behind it. */
  | { readonly type: "answer"; readonly bytes: Uint8Array; readonly pause?: number }
  /** Something was wrong with a request, which counts for nothing; the client is told in its own words. */
  | { readonly type: "mistake"; readonly text: string; readonly bytes: Uint8Array }
  /** The client is to be ended, after these bytes. */
  | { readonly type: "end"; readonly bytes: Uint8Array; readonly why?: string };

/** Opens the bus for this client. */
export interface OpenRequest {
  readonly type: "open";
  /** Bits per second that it would like. */
  readonly bitrate?: number;
  /** Only what passes one of these; none: everything. */
  readonly filters?: readonly CanFilter[];
  /** Whether it wants to see what it sends itself. */
  readonly ownFrames?: boolean;
  /** Whether nothing that it sends goes to the bus. */
  readonly listenOnly?: boolean;
  /** The name that it has for the bus, where its wire has names. */
  readonly bus?: string;
}

/** Sends a frame again and again. Of one that runs already, the data is changed. */
export interface PeriodicRequest {
  readonly type: "periodic-start";
  /** What tells it from others of this client. */
  readonly key: string;
  readonly frame: CanFrame;
  /** Milliseconds between two; 0: only data is changed. */
  readonly period: number;
  /** Milliseconds until it ends by itself; 0: never. */
  readonly duration: number;
}

/** One client's protocol, and how far it is. */
export interface Wire {
  readonly name: WireName;
  /** What `writeFrame` writes at most, in bytes. */
  readonly maxFrame: number;
  /** Whether a client has to open the bus within a time. */
  readonly opensSoon: boolean;
  /** What this side says before the client does. */
  greeting(): Uint8Array;
  /**
   * Takes bytes, in any pieces. Each request is to be dealt with before the next is asked for; the chunk is the caller's
   * again when all are.
   *
   * @throws {WireError} if these are no bytes of this wire: the client is to be ended.
   */
  push(chunk: Uint8Array): Generator<Request, void, void>;
  /** The bus is open. @param info what people call it. */
  opened(info: string): Uint8Array;
  /** It cannot be opened; the client is ended after this, unless the wire lets it try again. */
  refused(why: string): Said;
  /** A frame of the client went to the bus. */
  sent(frame: CanFrame): Uint8Array;
  /** A frame of the client did not. */
  notSent(frame: CanFrame, why: string): Uint8Array;
  /** The bus is in trouble. @param gone whether nothing more will come from it. */
  troubled(why: string, gone: boolean): Said;
  /**
   * Writes a frame where there is room for `maxFrame` bytes.
   *
   * @returns where it ends; `at` if this wire has no words for it, or the client did not ask for it.
   */
  writeFrame(frame: CanFrame, into: Uint8Array, at: number): number;
  /** The last words, where the client has ended, or this side does. */
  lastWords(): Uint8Array;
}

/** Bytes, and whether the client is ended behind them. */
export interface Said {
  readonly bytes: Uint8Array;
  readonly end: boolean;
}

/** What came is not of this wire; the message is for people. */
export class WireError extends Error {
  override readonly name = "WireError";
  /** What the client is told before its end. */
  readonly lastWords: Uint8Array | undefined;

  constructor(message: string, lastWords?: Uint8Array) {
    super(message);
    this.lastWords = lastWords;
  }
}

/** Nothing to say. */
export const SILENCE = new Uint8Array(0);
