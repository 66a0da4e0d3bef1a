/**
 * `deno bench bench/codec_bench.ts`: the decoder of v1 beside a naive one, and the gathering of the write queue.
 *
 * Every iteration moves a megabyte of payload (10^6 bytes), so `iter/s` reads as megabytes a second.
 * A write costs a copy here; on a socket it is a system call as well, and that is what gathering saves.
 *
 * @module
 */

import { V1_HEADER_SIZE } from "../protocol/v1/limits.ts";
import { COPY_MAX, LINK_HIGH_WATER, MAX_LINK_CHUNK } from "../relay/limits.ts";
import type { Duplex } from "../net/socket.ts";
import { WriteQueue } from "../relay/write_queue.ts";
import { V1Decoder, type V1FrameHandler } from "../protocol/v1/decoder.ts";
import { writeV1Header } from "../protocol/v1/codec.ts";

const MEGABYTE = 1_000_000;
const SIZES: Readonly<Record<string, number>> = {
  "64 B": 64,
  "1 KB": 1024,
  "16 KB": 16 * 1024,
  "64 KB": 64 * 1024 - 1,
};
const NOTHING = (): void => {};

/** Counts, so that nothing of the work can be left out. */
class Counter implements V1FrameHandler {
  bytes = 0;
  readonly onListen = NOTHING;
  readonly onConnect = NOTHING;
  readonly onBadConnect = NOTHING;
  readonly onClose = NOTHING;
  readonly onIgnored = NOTHING;

  onData(_id: number, bytes: Uint8Array): void {
    this.bytes += bytes.length;
  }
}

/** What one would write first: gather what came, then cut a copy of each whole frame out of it. */
class NaiveDecoder implements Pick<V1Decoder, "push"> {
  readonly #handler: V1FrameHandler;
  #rest = new Uint8Array();

  constructor(handler: V1FrameHandler) {
    this.#handler = handler;
  }

  push(chunk: Uint8Array): void {
    const all = new Uint8Array(this.#rest.length + chunk.length);
    all.set(this.#rest);
    all.set(chunk, this.#rest.length);
    const view = new DataView(all.buffer);
    let at = 0;
    while (all.length - at >= 4 && all.length - at >= 4 + view.getUint16(at)) {
      const end = at + 4 + view.getUint16(at);
      if (view.getUint8(at + 2) === 3) this.#handler.onData(view.getUint8(at + 3), all.slice(at + 4, end));
      at = end;
    }
    this.#rest = all.slice(at);
  }
}

/** DATA frames of `size` with a megabyte of payload in all, of `channels` channels in turn. */
function frames(size: number, channels: number): Uint8Array[] {
  const made: Uint8Array[] = [];
  for (let left = MEGABYTE; left > 0; left -= size) {
    const payload = Math.min(size, left);
    const frame = new Uint8Array(V1_HEADER_SIZE + payload);
    writeV1Header(frame, made.length % channels, payload);
    made.push(frame);
  }
  return made;
}

/** The same, as a link reads it from a busy socket. */
function chunks(parts: Uint8Array[]): Uint8Array[] {
  const wire = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let fill = 0;
  for (const part of parts) {
    wire.set(part, fill);
    fill += part.length;
  }
  const cut: Uint8Array[] = [];
  for (let at = 0; at < wire.length; at += MAX_LINK_CHUNK) cut.push(wire.slice(at, at + MAX_LINK_CHUNK));
  return cut;
}

/** A decoder, or as much of one as is measured. */
type MakeDecoder = (handler: V1FrameHandler) => Pick<V1Decoder, "push">;

function benchDecoder(name: string, group: string, input: Uint8Array[], make: MakeDecoder) {
  const scratch = input.map((chunk) => chunk.slice());
  Deno.bench({ name, group, baseline: name.startsWith("v1") }, (bench) => {
    scratch.forEach((chunk, at) => chunk.set(input[at]!)); // our decoder moves bytes within the chunk
    const counter = new Counter();
    const decoder = make(counter);
    bench.start();
    for (const chunk of scratch) decoder.push(chunk);
    bench.end();
    if (counter.bytes !== MEGABYTE) throw new Error(`${counter.bytes} of ${MEGABYTE} bytes were decoded`);
  });
}

for (const [label, size] of Object.entries(SIZES)) {
  for (const channels of [1, 64]) {
    const input = chunks(frames(size, channels));
    const group = `decode, frames of ${label}, ${channels === 1 ? "one channel" : `${channels} channels in turn`}`;
    benchDecoder("v1 decoder", group, input, (handler) => new V1Decoder(handler));
    benchDecoder("naive decoder", group, input, (handler) => new NaiveDecoder(handler));
  }
}

/** Takes what it is given with one copy, as a kernel does, and answers later. */
class Sink implements Duplex {
  readonly #into = new Uint8Array(128 * 1024);
  bytes = 0;

  write(bytes: Uint8Array): Promise<number> {
    this.#into.set(bytes);
    this.bytes += bytes.length;
    return Promise.resolve(bytes.length);
  }

  read(): Promise<null> {
    return Promise.resolve(null);
  }

  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {}
}

for (const [label, size] of Object.entries(SIZES)) {
  const input = frames(size, 64);
  const total = input.reduce((sum, frame) => sum + frame.length, 0);

  Deno.bench({ name: "write queue", group: `write, frames of ${label}`, baseline: true }, async () => {
    const sink = new Sink();
    const queue = new WriteQueue(sink, { copyMax: COPY_MAX, busyCopyMax: COPY_MAX, onError: NOTHING });
    for (const frame of input) {
      queue.write(frame, NOTHING);
      if (queue.pending > LINK_HIGH_WATER) await queue.flushed();
    }
    await queue.flushed();
    if (sink.bytes !== total) throw new Error(`${sink.bytes} of ${total} bytes were written`);
  });

  Deno.bench({ name: "a write per frame", group: `write, frames of ${label}` }, async () => {
    const sink = new Sink();
    for (const frame of input) await sink.write(frame);
    if (sink.bytes !== total) throw new Error(`${sink.bytes} of ${total} bytes were written`);
  });
}
