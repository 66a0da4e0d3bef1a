import assert from "node:assert/strict";
import fc from "fast-check";
import { V2Decoder } from "./decoder.ts";
import { concat } from "../../bytes.ts";
import { v2FrameOf, V2Recorder } from "../_fakes_test.ts";
import { hex, unhex } from "../../../tests/rig/bytes.ts";
import { test } from "../../../tests/rig/test.ts";

/** A frame of a stream, and what has to be told of it. */
interface Sample {
  readonly bytes: Uint8Array;
  readonly numbered: boolean;
  readonly told: readonly string[];
}

function sampleOf(command: number, channel: number, payload: Uint8Array, flags = 0): Sample {
  const bytes = v2FrameOf(command, channel, payload, flags);
  const frame = command === 3 ? `data ${channel} ${hex(payload)}` : `frame ${command} ${channel} ${hex(payload)}`;
  const told = command >= 0x80 ? [] : [frame];
  return { bytes, numbered: (command & 0x40) === 0, told: flags & 1 ? [...told, "acknowledge"] : told };
}

/** Numbered frames and others, with payloads and without, of commands that are known and others that are skipped. */
const STREAM: readonly Sample[] = [
  sampleOf(0x01, 7, unhex("01 00 02 00 05")), // CONNECT
  sampleOf(0x03, 7, unhex("61 62 63 64"), 1), // DATA that asks to be acknowledged
  sampleOf(0x45, 0, unhex("00 00 00 00 00 00 00 11")), // ACK
  sampleOf(0x03, 7, unhex("65")),
  sampleOf(0x03, 9, unhex("66 67")),
  sampleOf(0x46, 0, unhex("00 00 00 00 00 00 00 12 00 00 00 00 00 00 00 01"), 1), // PING
  sampleOf(0x06, 7, new Uint8Array(0)), // END
  sampleOf(0x81, 3, unhex("aa bb cc")), // numbered, of a later version
  sampleOf(0xc1, 3, unhex("dd ee")), // not numbered, of a later version
  sampleOf(0x07, 9, unhex("00 00 10 00"), 1), // CREDIT
  sampleOf(0x02, 9, unhex("01 78 79")), // CLOSE
];

/** The numbered bytes of a stream. */
function numbered(frames: readonly Sample[]): Uint8Array {
  return concat(frames.filter(({ numbered }) => numbered).map(({ bytes }) => bytes));
}

/** What has to be told of numbered frames, whatever became of the others. */
function toldOfNumbered(frames: readonly Sample[]): string[] {
  return joined(frames.filter(({ numbered }) => numbered).flatMap(({ told }) => told));
}

/** What was told of numbered frames, DATA of one channel in a row as one. */
function joined(told: readonly string[]): string[] {
  const lines: string[] = [];
  for (const line of told) {
    const command = /^frame (\d+) /.exec(line)?.[1];
    if (line === "acknowledge" || (command !== undefined && (Number(command) & 0x40) !== 0)) continue;
    const [, head, bytes] = /^(data \d+) (.*)$/.exec(line) ?? [];
    if (head !== undefined && lines.at(-1)?.startsWith(`${head} `)) lines[lines.length - 1] += ` ${bytes}`;
    else lines.push(line);
  }
  return lines;
}

/** A decoder that goes through links that are cut: each brings what the last one did not, as a peer that replays does. */
function resumeAt(frames: readonly Sample[], cuts: readonly number[], noise: Uint8Array): V2Recorder {
  const recorder = new V2Recorder();
  const decoder = new V2Decoder(recorder);
  const whole = numbered(frames);
  const first = concat(frames.map(({ bytes }) => bytes));
  for (const [turn, cut] of [...cuts, Infinity].entries()) {
    // The first link has the stream as it was sent. Those after it begin with what they are about, and then replay.
    if (turn > 0) decoder.resume();
    const replay = whole.slice(decoder.position);
    const link = turn === 0 ? first : concat(decoder.atBoundary ? [noise, replay] : [replay]);
    decoder.push(link.slice(0, cut));
  }
  assert.equal(decoder.position, whole.length);
  assert.equal(decoder.atBoundary, true);
  return recorder;
}

const PING = v2FrameOf(0x46, 0, new Uint8Array(16));

test("cut at any byte of a stream: the next link goes on there, and each numbered frame is told once, whole, in order", () => {
  const { length } = concat(STREAM.map(({ bytes }) => bytes));
  for (let cut = 0; cut <= length; cut++) {
    assert.deepEqual(joined(resumeAt(STREAM, [cut], PING).told), toldOfNumbered(STREAM), `cut at ${cut}`);
  }
});

test("cut twice, at any two bytes: the same", () => {
  const { length } = concat(STREAM.map(({ bytes }) => bytes));
  for (let first = 0; first <= length; first += 1) {
    for (let second = 0; second <= 60; second++) {
      const { told } = resumeAt(STREAM, [first, second], PING);
      assert.deepEqual(joined(told), toldOfNumbered(STREAM), `cut at ${first}, then at ${second}`);
    }
  }
});

const payload = fc.uint8Array({ minLength: 1, maxLength: 30 });
const sample: fc.Arbitrary<Sample> = fc.oneof(
  fc.tuple(fc.nat(2), payload, fc.nat(1)).map(([channel, bytes, flags]) => sampleOf(3, channel, bytes, flags)),
  fc.tuple(fc.constantFrom(1, 2, 4, 5, 6, 7, 8, 0x45, 0x46, 0x47, 0x80, 0xc0), payload, fc.nat(1)).map((
    [command, bytes, flags],
  ) => sampleOf(command, 1, bytes, flags)),
);

test("any stream, cut any number of times: each numbered frame is told once, whole, in order", () => {
  fc.assert(fc.property(
    fc.array(sample, { maxLength: 12 }),
    fc.array(fc.nat(150), { maxLength: 12 }),
    (frames, cuts) => assert.deepEqual(joined(resumeAt(frames, cuts, PING).told), toldOfNumbered(frames)),
  ));
});

test("golden: a link that ends within DATA, and the next that brings the rest", () => {
  const recorder = new V2Recorder();
  const decoder = new V2Decoder(recorder);
  decoder.push(unhex("00 05 03 01 00 00 00 07 61 62"));
  assert.equal(decoder.position, 10);
  decoder.resume();
  decoder.push(unhex("63 64 65 00 00 06 00 00 00 00 07"));
  assert.deepEqual(recorder.told.filter((line) => line !== "acknowledge"), [
    "data 7 61 62",
    "data 7 63 64 65",
    "frame 6 7 ",
  ]);
  assert.equal(recorder.told.length, 4, "the frame asked to be acknowledged, on the first link");
  assert.equal(decoder.position, 21);
});

test("golden: a link that ends within the payload of a control frame, and the next that brings the rest", () => {
  const recorder = new V2Recorder();
  const decoder = new V2Decoder(recorder);
  decoder.push(unhex("00 04 07 00 00 00 00 07 00 01"));
  decoder.resume();
  decoder.push(unhex("02 03"));
  assert.deepEqual(recorder.told, ["frame 7 7 00 01 02 03"]);
});

test("golden: part of a header does not count, and comes again in whole", () => {
  const recorder = new V2Recorder();
  const decoder = new V2Decoder(recorder);
  decoder.push(unhex("00 04 07 00 00 00 00"));
  assert.equal(decoder.position, 0);
  decoder.resume();
  assert.equal(decoder.atBoundary, true);
  decoder.push(unhex("00 04 07 00 00 00 00 07 00 01 02 03"));
  assert.deepEqual(recorder.told, ["frame 7 7 00 01 02 03"]);
  assert.equal(decoder.position, 12);
});

test("golden: what came of a frame that is not numbered is dropped, and never told", () => {
  const recorder = new V2Recorder();
  const decoder = new V2Decoder(recorder);
  decoder.push(unhex("00 08 45 01 00 00 00 00 00 00 00"));
  assert.equal(decoder.atBoundary, false);
  decoder.resume();
  assert.equal(decoder.atBoundary, true);
  decoder.push(unhex("00 08 45 00 00 00 00 00 00 00 00 00 00 00 00 09"));
  assert.deepEqual(recorder.told, ["frame 69 0 00 00 00 00 00 00 00 09"]);
  assert.equal(decoder.position, 0);
});
