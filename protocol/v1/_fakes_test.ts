/**
 * What the tests of this folder share: frames written by hand, and recorders. No tests here.
 *
 * @module
 */

import { hex } from "../../tests/rig/bytes.ts";
import type { Address } from "../address.ts";
import type { V1FrameHandler } from "./decoder.ts";
import type { FrameFate, LinkOutput } from "../link.ts";

/** A frame written by hand, without the codec. */
export function frameOf(command: number, id: number, payload: Uint8Array = new Uint8Array(0)): Uint8Array {
  return Uint8Array.of(payload.length >> 8, payload.length & 255, command, id, ...payload);
}

/** A CONNECT payload written by hand. */
export function connectPayload(host: string, port: number): Uint8Array {
  const text = new TextEncoder().encode(host);
  return Uint8Array.of(text.length >> 8, text.length & 255, ...text, port >> 8, port & 255);
}

/** What a decoder told. */
export type Told =
  | { readonly type: "listen" }
  | { readonly type: "connect"; readonly id: number; readonly target: Address }
  | { readonly type: "bad-connect"; readonly id: number }
  | { readonly type: "data"; readonly id: number; readonly bytes: string }
  | { readonly type: "close"; readonly id: number }
  | { readonly type: "ignored"; readonly command: number; readonly id: number };

/** Writes down what a decoder tells. */
export class RecordingHandler implements V1FrameHandler {
  /** All of it, in order. */
  readonly told: Told[] = [];
  /** Why CONNECTs were bad. */
  readonly whys: string[] = [];

  onListen(): void {
    this.told.push({ type: "listen" });
  }

  onConnect(id: number, target: Address): void {
    this.told.push({ type: "connect", id, target });
  }

  onBadConnect(id: number, why: string): void {
    this.told.push({ type: "bad-connect", id });
    this.whys.push(why);
  }

  onData(id: number, bytes: Uint8Array): void {
    this.told.push({ type: "data", id, bytes: hex(bytes) });
  }

  onClose(id: number): void {
    this.told.push({ type: "close", id });
  }

  onIgnored(command: number, id: number): void {
    this.told.push({ type: "ignored", command, id });
  }
}

/** Neighbouring DATA of one id as one, and no empty DATA: what stays the same however a stream is cut. */
export function normalized(told: readonly Told[]): Told[] {
  const result: Told[] = [];
  for (const next of told) {
    const last = result.at(-1);
    if (next.type === "data" && next.bytes === "") continue;
    if (next.type === "data" && last?.type === "data" && last.id === next.id) {
      result[result.length - 1] = { ...last, bytes: `${last.bytes} ${next.bytes}` };
    } else {
      result.push(next);
    }
  }
  return result;
}

/** Writes down the frames of a link. */
export class RecordingOutput implements LinkOutput {
  pending = 0;
  /** All frames since the last {@linkcode RecordingOutput.take}, as text. */
  frames: string[] = [];

  control(frame: Uint8Array): void {
    this.frames.push(hex(frame));
  }

  data(frame: Uint8Array, fate: FrameFate): FrameFate {
    this.frames.push(hex(frame));
    return fate;
  }

  /** The frames since the last call. */
  take(): string[] {
    return this.frames.splice(0);
  }
}
