/**
 * What the tests of all wires share.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { BRS, type CanFrame, ERROR, ESI, EXTENDED, FD, FD_LENGTHS, NO_DATA, REMOTE } from "../frame.ts";
import { hex, unhex } from "../../tests/rig/bytes.ts";
import { type Request, type Wire, WireError } from "../wire.ts";

/** A frame, as tests write one. */
export function frame(id: number, data: number[] = [], flags = 0, time = 0): CanFrame {
  return { id, flags, length: data.length, data: Uint8Array.from(data), time };
}

/** A remote frame. */
export function remoteFrame(id: number, length: number, flags = 0): CanFrame {
  return { id, flags: flags | REMOTE, length, data: NO_DATA, time: 0 };
}

/** Bytes in hexadecimal, with spaces as people like them. */
export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return unhex(text.replaceAll(" ", ""));
}

/** Hexadecimal without spaces. */
export function hexOf(bytes: Uint8Array): string {
  return hex(bytes).replaceAll(" ", "");
}

/** What a frame becomes. */
export function written(wire: Wire, frame: CanFrame): Uint8Array {
  const room = new Uint8Array(wire.maxFrame + 6);
  const end = wire.writeFrame(frame, room, 3);
  assert.ok(end - 3 <= wire.maxFrame, "it has the room that it says");
  return room.slice(3, end);
}

/** All that a wire makes of these pieces, with its fault at the end if there is one. */
export function requests(wire: Wire, pieces: readonly Uint8Array[]): (Request | string)[] {
  const found: (Request | string)[] = [];
  try {
    for (const piece of pieces) {
      const copy = piece.slice();
      for (const request of wire.push(copy)) found.push(request);
      copy.fill(0xee); // the caller's again
    }
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    found.push(error.message);
  }
  return found;
}

/** A wire makes the same of bytes, wherever they are cut. */
export function sameAtEverySplit(make: () => Wire, whole: Uint8Array): (Request | string)[] {
  const expected = requests(make(), [whole]);
  for (let at = 1; at < whole.length; at++) {
    assert.deepEqual(requests(make(), [whole.subarray(0, at), whole.subarray(at)]), expected, `cut at ${at}`);
  }
  assert.deepEqual(requests(make(), [...whole].map((byte) => Uint8Array.of(byte))), expected, "byte by byte");
  return expected;
}

/** Hostile bytes behind `start`: nothing but a WireError comes of them, and cuts make no difference. */
export function fuzz(make: () => Wire, start: Uint8Array, alphabet?: string): void {
  const some = alphabet === undefined
    ? fc.uint8Array({ maxLength: 200 })
    : fc.array(fc.constantFrom(...alphabet), { maxLength: 200 }).map((text) => new TextEncoder().encode(text.join("")));
  fc.assert(fc.property(some, fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 20 }), (noise, sizes) => {
    const whole = Uint8Array.from([...start, ...noise]);
    const expected = requests(make(), [whole]);
    const pieces: Uint8Array[] = [];
    for (let at = 0, turn = 0; at < whole.length; turn++) {
      const size = sizes.length === 0 ? 1 : sizes[turn % sizes.length]!;
      pieces.push(whole.subarray(at, at + size));
      at += size;
    }
    assert.deepEqual(requests(make(), pieces), expected);
    for (const request of expected) {
      if (typeof request !== "string" && request.type === "frame") {
        assert.ok(request.frame.data.length <= 64 && request.frame.id <= 0x1fff_ffff);
      }
    }
  }));
}

/** Frames of every kind; `fd` if the wire has those. */
export function anyFrame(fd: boolean): fc.Arbitrary<CanFrame> {
  const id = fc.oneof(
    fc.integer({ min: 0, max: 0x7ff }).map((id) => ({ id, flags: 0 })),
    fc.integer({ min: 0, max: 0x1fff_ffff }).map((id) => ({ id, flags: EXTENDED })),
  );
  const classic = fc.record({ id, data: fc.uint8Array({ maxLength: 8 }) }).map(({ id, data }) => ({
    ...id,
    length: data.length,
    data,
    time: 0,
  }));
  const remote = fc.record({ id, length: fc.integer({ min: 0, max: 8 }) }).map(({ id, length }) => ({
    ...id,
    flags: id.flags | REMOTE,
    length,
    data: NO_DATA as Uint8Array,
    time: 0,
  }));
  if (!fd) return fc.oneof(classic, remote);
  const long = fc.record({ id, length: fc.constantFrom(...FD_LENGTHS), more: fc.constantFrom(0, BRS, ESI, BRS | ESI) })
    .map(({ id, length, more }) => ({
      ...id,
      flags: id.flags | FD | more,
      length,
      data: new Uint8Array(length).fill(7),
      time: 0,
    }));
  return fc.oneof(classic, remote, long);
}

/** An error frame. */
export const errorFrame: CanFrame = { id: 0, flags: ERROR, length: 0, data: NO_DATA, time: 0 };
