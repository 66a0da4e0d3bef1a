/**
 * Hostile streams: noise, valid frames, valid frames that went wrong, and the chunks that a network makes of them.
 *
 * @module
 */

import { concat } from "../../protocol/bytes.ts";
import type { Random } from "../../tests/rig/random.ts";

/** Who a stream pretends to be sent by. */
export type Sender = "device" | "server";

/** A stream of bytes. */
export function hostileStream(random: Random, sender: Sender): Uint8Array {
  switch (random.upTo(5)) {
    case 0:
      return random.bytes(random.upTo(300));
    case 1:
      return random.bytes(random.upTo(300), 4); // small sizes and known commands: frames that go deep
    case 2:
      return frames(random, sender);
    default:
      return mutated(random, frames(random, sender), TELLING);
  }
}

/** Copies of the pieces of `stream`, cut anywhere. */
export function chunksOf(random: Random, stream: Uint8Array): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  const largest = stream.length < 10_000 ? random.of(1, 3, 20, 300, 10_000) : random.of(3_000, 65_536, 262_144);
  for (let at = 0; at < stream.length;) {
    const size = 1 + random.upTo(largest - 1);
    chunks.push(stream.slice(at, at + size));
    at += size;
  }
  return chunks;
}

export function frame(command: number, id: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + payload.length);
  bytes.set([payload.length >> 8, payload.length, command, id]);
  bytes.set(payload, 4);
  return bytes;
}

function frames(random: Random, sender: Sender): Uint8Array {
  const parts = sender === "device" && !random.oneIn(20) ? [frame(4, 0, new Uint8Array(0))] : [];
  const large = random.oneIn(100);
  const ids = random.of(2, 8, 255);
  for (let count = random.upTo(large ? 40 : 30); count > 0; count--) parts.push(someFrame(random, sender, ids, large));
  return concat(parts);
}

function someFrame(random: Random, sender: Sender, ids: number, large: boolean): Uint8Array {
  const id = random.upTo(ids);
  switch (random.upTo(9)) {
    case 0:
    case 1:
      return frame(2, id, new Uint8Array(0));
    case 2:
      return frame(random.upTo(255), id, random.bytes(random.oneIn(10) ? random.upTo(3) : 0));
    case 3:
    case 4:
      if (sender === "server" || random.oneIn(20)) return frame(1, id, connectPayload(random));
      return frame(2, id, new Uint8Array(0));
    default:
      return frame(3, id, large ? new Uint8Array(random.upTo(65_535)).fill(id) : random.bytes(random.upTo(30)));
  }
}

function connectPayload(random: Random): Uint8Array {
  const good = random.of("127.0.0.1", "a", "relay.example", "::1", "fe80::1%eth0", "x".repeat(63));
  const bad = random.of("", "a b", "10.0.0.256", "-a", ":", "a..b", "\0", "y".repeat(300));
  const host = new TextEncoder().encode(random.oneIn(4) ? bad : good);
  const length = host.length + (random.oneIn(12) ? random.of(-1, 1, 255, 60_000) : 0);
  const port = random.oneIn(12) ? 0 : random.upTo(65_535);
  const payload = Uint8Array.of(length >> 8, length, ...host, port >> 8, port);
  if (random.oneIn(30)) return random.bytes(random.upTo(8));
  return random.oneIn(60) ? concat([payload, new Uint8Array(random.upTo(60_000))]) : payload;
}

/** Bytes that mean something in a header of v1. */
const TELLING = [0, 1, 2, 3, 4, 5, 127, 255] as const;

/** Changes, takes out, doubles or cuts bytes; some become one of `values`. */
export function mutated(random: Random, stream: Uint8Array, values: readonly [number, ...number[]]): Uint8Array {
  let bytes = stream;
  for (let times = 1 + random.upTo(4); times > 0 && bytes.length > 0; times--) {
    const at = random.upTo(bytes.length - 1);
    const to = Math.min(bytes.length, at + 1 + random.upTo(12));
    switch (random.upTo(4)) {
      case 0:
        bytes[at] = bytes[at]! ^ 1 << random.upTo(7);
        break;
      case 1:
        bytes[at] = random.of(...values);
        break;
      case 2:
        bytes = concat([bytes.subarray(0, at), bytes.subarray(to)]);
        break;
      case 3:
        bytes = concat([bytes.subarray(0, to), bytes.subarray(at)]);
        break;
      default:
        bytes = bytes.slice(0, to);
    }
  }
  return bytes;
}
