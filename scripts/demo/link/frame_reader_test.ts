import assert from "node:assert/strict";
import fc from "fast-check";
import { v1Close, v1Connect, v1Listen, writeV1Header } from "../../../protocol/v1/codec.ts";
import { FrameReader, type SeenFrame } from "./frame_reader.ts";

const checked = { sanitizeOps: true, sanitizeResources: true };

function data(id: number, text: string): Uint8Array {
  const frame = new Uint8Array([0, 0, 0, 0, ...new TextEncoder().encode(text)]);
  writeV1Header(frame, id, frame.length - 4);
  return frame;
}

const FRAMES = [
  v1Listen(),
  v1Connect(1, { host: "127.0.0.1", port: 22 }),
  data(1, "hello"),
  data(1, "x".repeat(300)),
  v1Close(1),
];
const STREAM = new Uint8Array(FRAMES.flatMap((frame) => [...frame]));

function describe({ command, id, detail, size }: SeenFrame): string {
  return `${command} ${id} ${size} ${detail}`.trim();
}

Deno.test("every frame is told once, however the stream is cut", checked, () => {
  fc.assert(fc.property(fc.array(fc.nat(STREAM.length), { maxLength: 12 }), (cuts) => {
    const seen: string[] = [];
    const reader = new FrameReader((frame) => seen.push(describe(frame)));
    const borders = [0, ...cuts.toSorted((a, b) => a - b), STREAM.length];
    for (const [n, border] of borders.entries()) reader.push(STREAM.slice(borders[n - 1] ?? 0, border));
    assert.deepEqual(seen, ["LISTEN 0 0", "CONNECT 1 13 → 127.0.0.1:22", "DATA 1 5", "DATA 1 300", "CLOSE 1 0"]);
  }));
});

Deno.test("frames of one client in a row are not joined, and the chunk stays as it was", checked, () => {
  const sizes: number[] = [];
  const chunk = new Uint8Array([...data(7, "one"), ...data(7, "three")]);
  const before = chunk.slice();
  new FrameReader((frame) => sizes.push(frame.size)).push(chunk);
  assert.deepEqual(sizes, [3, 5]);
  assert.deepEqual(chunk, before);
});

Deno.test("the head of a frame holds its header and the start of its payload", checked, () => {
  const heads: Uint8Array[] = [];
  new FrameReader((frame) => heads.push(frame.head)).push(STREAM);
  assert.deepEqual(heads[0], Uint8Array.of(0, 0, 4, 0));
  assert.deepEqual(heads[2], Uint8Array.of(0, 5, 3, 1, 104, 101, 108, 108, 111));
});
