import assert from "node:assert/strict";
import fc from "fast-check";
import { V2Decoder } from "./decoder.ts";
import { concat } from "../../bytes.ts";
import { protocolError, v2FrameOf, V2Recorder } from "../_fakes_test.ts";
import { cut, hex, unhex } from "../../../tests/rig/bytes.ts";
import { test } from "../../../tests/rig/test.ts";

const KNOWN = [1, 2, 3, 4, 5, 6, 7, 8, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47];
const CONTROL = KNOWN.filter((command) => command !== 3);

/** A frame, and what has to be told of it. */
interface Sample {
  readonly command: number;
  readonly bytes: Uint8Array;
  readonly told: readonly string[];
}

function sampleOf(command: number, channel: number, payload: Uint8Array, flags = 0): Sample {
  const told = command === 3
    ? [`data ${channel} ${hex(payload)}`]
    : command >= 0x80
    ? []
    : [`frame ${command} ${channel} ${hex(payload)}`];
  const bytes = v2FrameOf(command, channel, payload, flags);
  return { command, bytes, told: flags & 1 ? [...told, "acknowledge"] : told };
}

const channel = fc.oneof({ weight: 4, arbitrary: fc.nat(2) }, fc.nat(0xffff_ffff));
const flags = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(255));
const control = fc.oneof(fc.constantFrom(...CONTROL), fc.integer({ min: 0x80, max: 0xff }));
const sample: fc.Arbitrary<Sample> = fc.oneof(
  fc.tuple(channel, fc.uint8Array({ minLength: 1, maxLength: 40 }), flags).map(([id, payload, flags]) =>
    sampleOf(3, id, payload, flags)
  ),
  fc.tuple(control, channel, fc.uint8Array({ maxLength: 40 }), flags).map(([command, id, payload, flags]) =>
    sampleOf(command, id, payload, flags)
  ),
);

/** All commands, numbered and not, known and not, with and without a payload, flagged and not. */
const ALL: readonly Sample[] = [
  ...KNOWN.map((command) => sampleOf(command, command * 0x1010101, unhex("01 02 03"), command & 1)),
  ...CONTROL.map((command) => sampleOf(command, 1, new Uint8Array(0))),
  ...[0x80, 0xbf, 0xc0, 0xff].map((command) => sampleOf(command, 5, unhex("09 08"), 1)),
  ...[0x80, 0xc0].map((command) => sampleOf(command, 5, new Uint8Array(0))),
  sampleOf(3, 1, unhex("61")),
  sampleOf(3, 1, unhex("62 63"), 1),
  sampleOf(3, 2, unhex("64"), 0xfe),
];

/** What stays the same however a stream is cut: DATA as one per run, acknowledgements only as to whether there are any. */
function normalized(told: readonly string[]): string[] {
  const lines: string[] = [];
  for (const line of told.filter((line) => line !== "acknowledge")) {
    const [, head, bytes] = /^(data \d+) (.*)$/.exec(line) ?? [];
    const last = lines.at(-1);
    if (head !== undefined && last?.startsWith(`${head} `)) lines[lines.length - 1] = `${last} ${bytes}`;
    else lines.push(line);
  }
  return lines;
}

function countAcknowledge(told: readonly string[]): number {
  return told.filter((line) => line === "acknowledge").length;
}

interface Result {
  readonly told: string[];
  readonly decoder: V2Decoder;
}

function decode(chunks: readonly Uint8Array[]): Result {
  const recorder = new V2Recorder();
  const decoder = new V2Decoder(recorder);
  for (const chunk of chunks) decoder.push(chunk.slice());
  return { told: recorder.told, decoder };
}

/** Numbered bytes in the first `length` bytes of a stream. A header counts once it is whole: before, nobody knows. */
function positionAfter(samples: readonly Sample[], length: number): number {
  let position = 0;
  for (const { command, bytes } of samples) {
    const have = Math.min(length, bytes.length);
    if ((command & 0x40) === 0 && have >= 8) position += have;
    length -= have;
  }
  return position;
}

test("all frames, cut in two at any byte and byte by byte: the same is told, at the same positions", () => {
  const stream = concat(ALL.map(({ bytes }) => bytes));
  const expected = ALL.flatMap(({ told }) => told);
  let boundary = 0;
  const boundaries = new Set([0, ...ALL.map(({ bytes }) => boundary += bytes.length)]);
  for (let at = 0; at <= stream.length; at++) {
    const recorder = new V2Recorder();
    const decoder = new V2Decoder(recorder);
    decoder.push(stream.slice(0, at));
    assert.equal(decoder.position, positionAfter(ALL, at), `position at ${at}`);
    assert.equal(decoder.atBoundary, boundaries.has(at), `boundary at ${at}`);
    decoder.push(stream.slice(at));
    assert.deepEqual(normalized(recorder.told), normalized(expected), `cut at ${at}`);
    assert.equal(countAcknowledge(recorder.told), countAcknowledge(expected), `cut at ${at}`);
    assert.equal(decoder.position, positionAfter(ALL, stream.length));
  }
  const recorder = new V2Recorder();
  const decoder = new V2Decoder(recorder);
  for (let at = 0; at < stream.length; at++) {
    decoder.push(stream.slice(at, at + 1));
    assert.equal(decoder.position, positionAfter(ALL, at + 1), `position after byte ${at}`);
  }
  assert.deepEqual(normalized(recorder.told), normalized(expected));
});

test("any frames, cut anywhere, are decoded to the same frames in the same order", () => {
  fc.assert(fc.property(
    fc.array(sample, { maxLength: 30 }),
    fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 8 }),
    (frames, sizes) => {
      const expected = frames.flatMap(({ told }) => told);
      const { told, decoder } = decode(cut(concat(frames.map(({ bytes }) => bytes)), sizes));
      assert.deepEqual(normalized(told), normalized(expected));
      assert.equal(countAcknowledge(told), countAcknowledge(expected));
      assert.equal(decoder.atBoundary, true);
      assert.equal(decoder.position, positionAfter(frames, Infinity));
    },
  ));
});

test("consecutive DATA of one channel in one chunk is told once, and never across another frame", () => {
  fc.assert(fc.property(fc.array(sample, { minLength: 1, maxLength: 30 }), (frames) => {
    const { told } = decode([concat(frames.map(({ bytes }) => bytes))]);
    // A frame that is skipped ends a run as well: nobody misses it, but the order of the rest stays.
    const lines = frames.flatMap(({ told, command }) => command >= 0x80 ? ["skipped"] : told);
    const expected = normalized(lines).filter((line) => line !== "skipped");
    assert.deepEqual(told.filter((line) => line !== "acknowledge"), expected);
  }));
});

test("every command below 0x80 that is not known ends the link, whatever its payload; from 0x80 on it is skipped", () => {
  for (const size of [0, 1, 300]) {
    for (let command = 0; command <= 255; command++) {
      const stream = concat([v2FrameOf(command, 7, new Uint8Array(size)), v2FrameOf(6, 9)]);
      for (const sizes of [[1], [1_000]]) {
        const expected = KNOWN.includes(command)
          ? command === 3 && size === 0 ? "bad-size" : "nothing"
          : command < 0x80
          ? "unknown-command"
          : "nothing";
        assert.equal(protocolError(() => decode(cut(stream, sizes))), expected, `command ${command}, ${size} bytes`);
        if (command < 0x80) continue;
        const { told, decoder } = decode(cut(stream, sizes));
        assert.deepEqual(told, ["frame 6 9 "]);
        assert.equal(decoder.position, 8 + (command & 0x40 ? 0 : 8 + size));
      }
    }
  }
});

test("DATA is told as it arrives, and counts as it does, without waiting for the rest of its frame", () => {
  const recorder = new V2Recorder();
  const decoder = new V2Decoder(recorder);
  decoder.push(unhex("ff ff 03 01 00 00 00 05 61"));
  assert.deepEqual(recorder.told, ["data 5 61"]);
  assert.equal(decoder.position, 9);
  decoder.push(unhex("62 63"));
  assert.deepEqual(recorder.told, ["data 5 61", "data 5 62 63"]);
  assert.equal(decoder.position, 11);
  assert.equal(decoder.atBoundary, false);
});

test("a frame asks to be acknowledged when it is whole, not before", () => {
  const recorder = new V2Recorder();
  const decoder = new V2Decoder(recorder);
  decoder.push(unhex("00 02 03 01 00 00 00 05 61"));
  assert.deepEqual(recorder.told, ["data 5 61"]);
  decoder.push(unhex("62"));
  assert.equal(countAcknowledge(recorder.told), 1);
});

test("channels have 32 bits, the highest too", () => {
  const { told } = decode([v2FrameOf(6, 0xffff_ffff), v2FrameOf(3, 0x8000_0001, unhex("01"))]);
  assert.deepEqual(told, ["frame 6 4294967295 ", "data 2147483649 01"]);
});

test("the largest frames arrive whole, in pieces and at once", () => {
  const payload = Uint8Array.from({ length: 65_535 }, (_, at) => at * 7);
  for (const sizes of [[16_384], [70_000]]) {
    const { told, decoder } = decode(cut(concat([v2FrameOf(3, 1, payload), v2FrameOf(4, 0, payload)]), sizes));
    assert.deepEqual(normalized(told), [`data 1 ${hex(payload)}`, `frame 4 0 ${hex(payload)}`]);
    assert.equal(decoder.position, 2 * 65_543);
  }
});

test("a decoder that is stopped tells nothing more, also of the chunk at hand", () => {
  const recorder = new V2Recorder();
  const decoder: V2Decoder = new V2Decoder({
    onData: (channel, bytes) => recorder.onData(channel, bytes),
    onFrame(command, channel, payload) {
      recorder.onFrame(command, channel, payload);
      decoder.stop();
    },
    onSkipped: () => {},
    onAcknowledge: () => recorder.onAcknowledge(),
  });
  decoder.push(concat([v2FrameOf(3, 1, unhex("61")), v2FrameOf(0x44, 0, new Uint8Array(0), 1), v2FrameOf(6, 1)]));
  decoder.push(concat([v2FrameOf(6, 2), v2FrameOf(0x20, 2)]));
  assert.deepEqual(recorder.told, ["data 1 61", "frame 68 0 "]);
});

test("a decoder that is stopped while it tells DATA tells nothing behind it", () => {
  for (const next of [v2FrameOf(6, 1), v2FrameOf(3, 2, unhex("62")), v2FrameOf(2, 1, unhex("01"), 1)]) {
    const recorder = new V2Recorder();
    const decoder: V2Decoder = new V2Decoder({
      onData(channel, bytes) {
        recorder.onData(channel, bytes);
        decoder.stop();
      },
      onFrame: (command, channel, payload) => recorder.onFrame(command, channel, payload),
      onSkipped: () => {},
      onAcknowledge: () => recorder.onAcknowledge(),
    });
    decoder.push(concat([v2FrameOf(3, 1, unhex("61")), next, v2FrameOf(3, 3, unhex("63"))]));
    assert.deepEqual(recorder.told, ["data 1 61"]);
  }
});

test("whatever bytes come, nothing but a protocol error is thrown", () => {
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 200, max: 8 }));
  fc.assert(fc.property(bytes, fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (bytes, sizes) => {
    protocolError(() => decode(cut(bytes, sizes)));
  }));
});

test("a frame that is skipped costs no memory, and one that is collected no more than itself", () => {
  const allocated: number[] = [];
  const real = globalThis.Uint8Array;
  const recorder = new V2Recorder();
  const decoder = new V2Decoder(recorder);
  const chunks = (command: number) => cut(v2FrameOf(command, 1, new Uint8Array(65_535)), [1_000]);
  const [skipped, collected] = [chunks(0x80), chunks(0x04)];
  globalThis.Uint8Array = new Proxy(real, {
    construct(target, args: [number]) {
      if (typeof args[0] === "number") allocated.push(args[0]);
      return new target(...args);
    },
  });
  try {
    for (const chunk of skipped) decoder.push(chunk);
    assert.deepEqual(allocated, []);
    for (const chunk of collected) decoder.push(chunk);
    assert.deepEqual(allocated, [65_535]);
  } finally {
    globalThis.Uint8Array = real;
  }
});
