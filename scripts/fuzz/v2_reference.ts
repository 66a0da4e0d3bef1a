/**
 * A slow and obvious decoder of wire profile v2, written from the specification: it has the whole stream before it, and
 * shares no code with `protocol/`.
 *
 * @module
 */

import { hex, joinData, type Reading } from "./reference.ts";

const KNOWN = new Set([1, 2, 3, 4, 5, 6, 7, 8, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47]);

/** What a v2 stream says, how far it counts, and how often it asks to be acknowledged. */
export interface V2Reading extends Reading {
  /** Numbered bytes. */
  readonly position: number;
  /** Whole frames with the flag. */
  readonly asked: number;
}

/** Reads a whole stream, which may stop inside a frame. */
export function readV2Stream(stream: Uint8Array): V2Reading {
  const told: string[] = [];
  let [position, asked, at] = [0, 0, 0];
  const end = (error: string | undefined, atBoundary: boolean | undefined): V2Reading => ({
    told: joinData(told),
    error,
    atBoundary,
    position,
    asked,
  });
  while (at < stream.length) {
    if (stream.length - at < 8) return end(undefined, false);
    const [high = 0, low = 0, command = 0, flags = 0, a = 0, b = 0, c = 0, d = 0] = stream.subarray(at, at + 8);
    const size = high * 256 + low;
    const channel = ((a * 256 + b) * 256 + c) * 256 + d;
    const payload = stream.subarray(at + 8, at + 8 + size);
    const whole = payload.length === size;
    const numbered = Math.floor(command / 0x40) % 2 === 0;
    if (numbered) position += 8 + payload.length;
    if (command === 3 && size === 0) return end("bad-size", undefined);
    if (command < 0x80 && !KNOWN.has(command)) return end("unknown-command", undefined);
    if (command === 3 && payload.length > 0) told.push(`data ${channel} ${hex(payload)}`);
    // A frame between two of one channel's DATA keeps them apart, also one that is skipped.
    if (command !== 3 && (whole || command >= 0x80)) {
      told.push(command >= 0x80 ? "skipped" : frameLine(command, channel, payload));
    }
    if (!whole) return end(undefined, false);
    asked += flags % 2;
    at += 8 + size;
  }
  return end(undefined, true);
}

function frameLine(command: number, channel: number, payload: Uint8Array): string {
  return `frame ${command} ${channel} ${hex(payload)}`;
}
