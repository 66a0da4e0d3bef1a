/**
 * What is fuzzed of CAN's wires, and what has to hold: a target throws if it does not.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type CanFrame, ERROR, FD, frameFault } from "../../can/frame.ts";
import { MAX_CAN_FILTERS } from "../../can/limits.ts";
import { type Request, type Wire, WireError } from "../../can/wire.ts";
import { CannelloniWire } from "../../can/wires/cannelloni.ts";
import { detectWire, WIRE_CHOICES } from "../../can/wires/detect.ts";
import { RemoteWire } from "../../can/wires/remote.ts";
import { readSlcanFrame } from "../../can/wires/slcan_frames.ts";
import { SlcanWire } from "../../can/wires/slcan.ts";
import type { Random } from "../../tests/rig/random.ts";
import { type CanSpeaker, canStream, someFrame, SPEAKERS, written } from "./can_inputs.ts";
import { chunksOf } from "./inputs.ts";

/** Frames that the bus says to a client, however far that has come. */
const HEARD = [
  { id: 0x123, flags: 0, length: 2, data: Uint8Array.of(1, 2), time: 1.5 },
  { id: 4, flags: ERROR, length: 8, data: new Uint8Array(8), time: 0 },
] as const;

/** A wire makes the same of a client's bytes, wherever they are cut, and asks for nothing that no bus can do. */
export function fuzzCanWires(random: Random): void {
  const speaker = SPEAKERS[random.upTo(SPEAKERS.length - 1)]!;
  const stream = canStream(random, speaker);
  const whole = outcome(speaker, [stream.slice()]);
  assert.deepEqual(outcome(speaker, chunksOf(random, stream)), whole, speaker.name);
}

/** What becomes of a client, as text. */
function outcome({ make }: CanSpeaker, chunks: readonly Uint8Array[]): string[] {
  const wire = make();
  const told: string[] = [];
  try {
    for (const chunk of chunks) {
      for (const request of wire.push(chunk)) {
        told.push(JSON.stringify(request, (_, value) => value instanceof Uint8Array ? [...value] : value));
        judge(request);
        told.push(...answers(wire, request));
        if (request.type === "end") return told;
      }
      chunk.fill(0xee); // the caller's again
      hear(wire);
    }
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    assert(!/[\n\r]/.test(error.message) && error.message.length < 300, `not a line: ${error.message}`);
    told.push(error.message);
  }
  return told;
}

function judge(request: Request): void {
  if (request.type === "frame" || request.type === "periodic-start") assert.equal(frameFault(request.frame), undefined);
  if (request.type === "mistake") assert(request.text.length < 300, "a long mistake");
  if (request.type === "open" || request.type === "filters") {
    assert((request.filters ?? []).length <= MAX_CAN_FILTERS, "too many filters");
    for (const { id, mask } of request.filters ?? []) assert(id >= 0 && mask >= 0, "a filter below 0");
  }
}

/** What the service would say to a request. */
function answers(wire: Wire, request: Request): string[] {
  const said = (bytes: Uint8Array) => [`said ${bytes.join()}`];
  switch (request.type) {
    case "open":
      return said(wire.opened("test0"));
    case "frame":
      return said(request.frame.id % 2 === 0 ? wire.sent(request.frame) : wire.notSent(request.frame, "full"));
    default:
      return [];
  }
}

/** Whatever the client has said, what the bus says has the room that the wire asks for. */
function hear(wire: Wire): void {
  const room = new Uint8Array(wire.maxFrame);
  for (const frame of HEARD) assert(wire.writeFrame(frame, room, 0) <= wire.maxFrame, "more than its most");
}

/** A frame that a wire writes is the same frame where it is read. */
export function fuzzCanFrames(random: Random): void {
  const frame = someFrame(random, true);
  const { id, flags, length, data } = frame;
  const same = (read: CanFrame | undefined, by: string) =>
    assert.deepEqual(read && { ...read, data: [...read.data], time: 0 }, {
      id,
      flags,
      length,
      data: [...data],
      time: 0,
    }, by);
  const cannelloni = new CannelloniWire();
  same(frameBehind(cannelloni, cannelloni.greeting(), written(cannelloni, frame)), "cannelloni");
  if (!(flags & ERROR)) {
    same(readSlcanFrame(new TextDecoder().decode(written(new SlcanWire(), frame)).trimEnd(), true), "slcan");
  }
  if (flags & FD) return;
  const opening = Uint8Array.of(1, 5, 0, 7, 0xa1, 0x20, 10, 0);
  same(frameBehind(new RemoteWire(), opening, written(new RemoteWire(), frame)), "remote");
}

function frameBehind(wire: Wire, opening: Uint8Array, bytes: Uint8Array): CanFrame | undefined {
  for (const _ of wire.push(opening)) { /* open */ }
  for (const request of wire.push(bytes)) if (request.type === "frame") return request.frame;
  return undefined;
}

/** The wire of a client is told by its first bytes, and more of them do not change that. */
export function fuzzCanDetection(random: Random): void {
  const speaker = SPEAKERS[random.upTo(SPEAKERS.length - 1)]!;
  const stream = canStream(random, speaker).subarray(0, 16);
  const choice = random.of(...(WIRE_CHOICES as unknown as [typeof WIRE_CHOICES[number]]));
  let before: string | undefined;
  for (let length = 1; length <= stream.length; length++) {
    const now = detected(stream.subarray(0, length), choice);
    if (before !== undefined) assert.equal(now, before, "it was another wire before");
    assert(now !== undefined || length < 4, "four bytes say nothing");
    before = now;
  }
}

function detected(bytes: Uint8Array, choice: typeof WIRE_CHOICES[number]): string | undefined {
  try {
    return detectWire(bytes, choice)?.constructor.name;
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return "none";
  }
}
