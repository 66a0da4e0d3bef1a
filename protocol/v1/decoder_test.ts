import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolError } from "../errors.ts";
import { v1Connect } from "./codec.ts";
import { V1Decoder } from "./decoder.ts";
import { connectPayload, frameOf, normalized, RecordingHandler, type Told } from "./_fakes_test.ts";
import { concat } from "../bytes.ts";
import { cut, hex, unhex } from "../../tests/rig/bytes.ts";
import { test } from "../../tests/rig/test.ts";

function decode(chunks: readonly Uint8Array[]): RecordingHandler & { atBoundary: boolean } {
  const handler = new RecordingHandler();
  const decoder = new V1Decoder(handler);
  for (const chunk of chunks) decoder.push(chunk.slice());
  return Object.assign(handler, { atBoundary: decoder.atBoundary });
}

/** The bytes of a frame, and what a decoder has to tell of it. */
interface Sample {
  readonly bytes: Uint8Array;
  readonly told: Told;
}

const id = fc.oneof({ weight: 4, arbitrary: fc.nat(2) }, fc.nat(255));

const sample: fc.Arbitrary<Sample> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(id, fc.uint8Array({ maxLength: 40 })).map(([id, payload]): Sample => ({
      bytes: frameOf(3, id, payload),
      told: { type: "data", id, bytes: hex(payload) },
    })),
  },
  {
    weight: 2,
    arbitrary: id.map((id): Sample => ({ bytes: frameOf(2, id), told: { type: "close", id } })),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(
      id,
      fc.constantFrom("10.41.51.152", "a", "::1", "x".repeat(63)),
      fc.integer({ min: 1, max: 65535 }),
    )
      .map(([id, host, port]): Sample => ({
        bytes: frameOf(1, id, connectPayload(host, port)),
        told: { type: "connect", id, target: { host, port } },
      })),
  },
  fc.tuple(id, fc.uint8Array({ maxLength: 400 })).filter(([, payload]) => payload.length < 5 || payload[0]! > 2)
    .map(([id, payload]): Sample => ({ bytes: frameOf(1, id, payload), told: { type: "bad-connect", id } })),
  id.map((id): Sample => ({ bytes: frameOf(4, id), told: { type: "listen" } })),
  fc.tuple(fc.integer({ min: 5, max: 255 }), id).map(([command, id]): Sample => ({
    bytes: frameOf(command, id),
    told: { type: "ignored", command, id },
  })),
);

const GOLDEN: readonly Sample[] = [
  { bytes: unhex("00 00 04 00"), told: { type: "listen" } },
  {
    bytes: unhex("00 10 01 01 00 0c 31 30 2e 34 31 2e 35 31 2e 31 35 32 00 17"),
    told: { type: "connect", id: 1, target: { host: "10.41.51.152", port: 23 } },
  },
  { bytes: unhex("00 02 03 01 68 69"), told: { type: "data", id: 1, bytes: "68 69" } },
  { bytes: unhex("00 01 03 01 21"), told: { type: "data", id: 1, bytes: "21" } },
  { bytes: unhex("00 01 03 02 3f"), told: { type: "data", id: 2, bytes: "3f" } },
  { bytes: unhex("00 00 02 01"), told: { type: "close", id: 1 } },
  { bytes: unhex("00 01 01 03 00"), told: { type: "bad-connect", id: 3 } },
  { bytes: unhex("00 00 63 09"), told: { type: "ignored", command: 99, id: 9 } },
];

test("any frames, cut anywhere, are decoded to the same frames in the same order", () => {
  fc.assert(fc.property(
    fc.array(sample, { maxLength: 30 }),
    fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 8 }),
    (frames, sizes) => {
      const result = decode(cut(concat(frames.map((frame) => frame.bytes)), sizes));
      assert.deepEqual(normalized(result.told), normalized(frames.map((frame) => frame.told)));
      assert.equal(result.atBoundary, true);
      assert(!result.told.some((told) => told.type === "data" && told.bytes === ""), "DATA was told without bytes");
    },
  ));
});

test("consecutive DATA of one channel in one chunk is told once, and never across another id or command", () => {
  fc.assert(fc.property(fc.array(sample, { minLength: 1, maxLength: 30 }), (frames) => {
    const result = decode([concat(frames.map((frame) => frame.bytes))]);
    assert.deepEqual(result.told, normalized(frames.map((frame) => frame.told)));
  }));
});

test("a golden stream is decoded alike when it is cut in two at any byte, and byte by byte", () => {
  const stream = concat(GOLDEN.map((frame) => frame.bytes));
  const expected = normalized(GOLDEN.map((frame) => frame.told));
  for (let at = 0; at <= stream.length; at++) {
    const chunks = [stream.subarray(0, at), stream.subarray(at)];
    assert.deepEqual(normalized(decode(chunks).told), expected, `cut at ${at}`);
  }
  assert.deepEqual(normalized(decode(cut(stream, [1])).told), expected);
});

test("a decoder says whether a stream stopped inside a frame, at any byte", () => {
  const stream = concat(GOLDEN.map((frame) => frame.bytes));
  const boundaries = new Set([0]);
  for (const { bytes } of GOLDEN) boundaries.add(Math.max(...boundaries) + bytes.length);
  for (let at = 0; at <= stream.length; at++) {
    assert.equal(decode([stream.subarray(0, at)]).atBoundary, boundaries.has(at), `after ${at} bytes`);
  }
});

test("DATA is told as it arrives, without waiting for the rest of its frame", () => {
  const handler = new RecordingHandler();
  const decoder = new V1Decoder(handler);
  decoder.push(unhex("ff ff 03 05 61"));
  assert.deepEqual(handler.told, [{ type: "data", id: 5, bytes: "61" }]);
  decoder.push(unhex("62 63"));
  assert.deepEqual(handler.told.at(-1), { type: "data", id: 5, bytes: "62 63" });
  assert.equal(decoder.atBoundary, false);
});

test("the largest DATA frame arrives whole", () => {
  const payload = Uint8Array.from({ length: 65_535 }, (_, at) => at * 7);
  const whole = decode(cut(frameOf(3, 1, payload), [16_384]));
  assert.deepEqual(normalized(whole.told), [{ type: "data", id: 1, bytes: hex(payload) }]);
  assert.equal(whole.atBoundary, true);
});

test("DATA of size 0 means nothing", () => {
  assert.deepEqual(decode([unhex("00 00 03 01")]).told, []);
  assert.deepEqual(decode(cut(unhex("00 00 03 01 00 00 02 01"), [1])).told, [{ type: "close", id: 1 }]);
});

test("every command without a payload: four have a meaning, the rest is told as ignored", () => {
  for (let command = 0; command <= 255; command++) {
    const expected: Told[] = command === 1
      ? [{ type: "bad-connect", id: 7 }]
      : command === 2
      ? [{ type: "close", id: 7 }]
      : command === 3
      ? []
      : command === 4
      ? [{ type: "listen" }]
      : [{ type: "ignored", command, id: 7 }];
    assert.deepEqual(decode([frameOf(command, 7)]).told, expected, `command ${command}`);
  }
});

function thrownBy(bytes: Uint8Array, sizes: readonly number[]): string {
  try {
    decode(cut(bytes, sizes));
  } catch (error) {
    assert(error instanceof ProtocolError, `${error}`);
    return error.code;
  }
  return "nothing";
}

test("every command with a payload that it cannot have ends the link, however it is cut", () => {
  for (const sizes of [[1], [4], [1000]]) {
    for (let command = 0; command <= 255; command++) {
      const expected = command === 1 || command === 3
        ? "nothing"
        : command === 2 || command === 4
        ? "bad-size"
        : "unknown-command";
      assert.equal(thrownBy(Uint8Array.of(0, 1, command, 0, 0), sizes), expected, `command ${command}`);
    }
  }
});

test("every size but 0 is bad for CLOSE, LISTEN and unknown commands, before any payload has come", () => {
  for (let size = 1; size <= 65_535; size += size < 600 ? 1 : 977) {
    const head = [size >> 8, size & 255];
    assert.equal(thrownBy(Uint8Array.of(...head, 2, 1), [4]), "bad-size", `CLOSE of ${size}`);
    assert.equal(thrownBy(Uint8Array.of(...head, 4, 0), [4]), "bad-size", `LISTEN of ${size}`);
    assert.equal(thrownBy(Uint8Array.of(...head, 9, 0), [4]), "unknown-command", `command 9 of ${size}`);
  }
});

function whyBad(payload: Uint8Array): string {
  const stream = concat([frameOf(1, 4, payload), frameOf(2, 9)]);
  let why = "";
  for (const sizes of [[1], [7], [100_000]]) {
    const { told, whys } = decode(cut(stream, sizes));
    assert.deepEqual(told, [{ type: "bad-connect", id: 4 }, { type: "close", id: 9 }]);
    why = whys.join();
  }
  return why;
}

test("a CONNECT too short to hold an address is bad, and the next frame is read", () => {
  for (let size = 0; size <= 4; size++) assert.match(whyBad(new Uint8Array(size)), /payload/, `size ${size}`);
});

test("a CONNECT whose address length does not fit its size is bad, and the next frame is read", () => {
  for (const length of [0, 2, 4, 255, 65_535]) {
    assert.match(whyBad(Uint8Array.of(length >> 8, length & 255, 97, 97, 97, 0, 23)), /length/, `length ${length}`);
  }
});

test("a CONNECT longer than any address is skipped to its end, up to the largest size", () => {
  for (const size of [260, 261, 1_000, 65_535]) {
    assert.match(whyBad(new Uint8Array(size).fill(97)), /long/, `size ${size}`);
  }
});

test("a CONNECT to something that is no host, or to port 0, is bad", () => {
  assert.match(whyBad(connectPayload("café", 23)), /neither a host name nor an IP/);
  assert.match(whyBad(connectPayload("a b", 23)), /neither a host name nor an IP/);
  assert.match(whyBad(connectPayload("a\0", 23)), /neither a host name nor an IP/);
  assert.match(whyBad(connectPayload("10.0.0.256", 23)), /neither a host name nor an IP/);
  assert.match(whyBad(connectPayload("localhost", 0)), /port/);
});

test("the longest host that can be written can be read", () => {
  const host = `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(63)}`;
  assert.equal(host.length, 255);
  for (const sizes of [[1], [100], [1000]]) {
    assert.deepEqual(decode(cut(v1Connect(1, { host, port: 65_535 }), sizes)).told, [
      { type: "connect", id: 1, target: { host, port: 65_535 } },
    ]);
  }
});

test("a long CONNECT in pieces does not spoil the one after it", () => {
  const stream = concat([
    frameOf(1, 1, new Uint8Array(3_000).fill(97)),
    frameOf(1, 2, connectPayload("b.example", 80)),
  ]);
  assert.deepEqual(decode(cut(stream, [250])).told, [
    { type: "bad-connect", id: 1 },
    { type: "connect", id: 2, target: { host: "b.example", port: 80 } },
  ]);
});
