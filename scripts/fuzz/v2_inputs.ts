/**
 * Hostile streams of wire profile v2.
 *
 * @module
 */

import { concat } from "../../protocol/bytes.ts";
import { mutated, type Sender } from "./inputs.ts";
import type { Random } from "../../tests/rig/random.ts";

/** A stream of bytes. */
export function v2Stream(random: Random, sender: Sender): Uint8Array {
  switch (random.upTo(5)) {
    case 0:
      return random.bytes(random.upTo(300));
    case 1:
      return random.bytes(random.upTo(300), 8); // small sizes and known commands: frames that go deep
    case 2:
      return frames(random, sender);
    default:
      return v2Mutated(random, frames(random, sender));
  }
}

export function v2Frame(command: number, channel: number, payload: Uint8Array, flags = 0): Uint8Array {
  const { length } = payload;
  const id = [channel >>> 24, channel >>> 16 & 255, channel >>> 8 & 255, channel & 255];
  return concat([Uint8Array.of(length >> 8, length & 255, command, flags, ...id), payload]);
}

/** Fields with these tags or others, mostly of sizes that they can have. */
export function v2Fields(random: Random, sizes: readonly (readonly [tag: number, size: number])[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [tag, size] of sizes) {
    if (random.oneIn(12)) continue;
    const actual = random.oneIn(15) ? random.upTo(70) : size;
    parts.push(Uint8Array.of(random.oneIn(30) ? random.upTo(255) : tag, actual >> 8, actual), random.bytes(actual));
  }
  return concat(parts);
}

/** Bytes that mean something in a header or a field. */
const TELLING = [0, 1, 2, 3, 4, 5, 6, 7, 8, 0x44, 0x45, 0x80, 0xff] as const;

/** Changes, takes out, doubles or cuts bytes. */
export function v2Mutated(random: Random, stream: Uint8Array): Uint8Array {
  return mutated(random, stream, TELLING);
}

function frames(random: Random, sender: Sender): Uint8Array {
  const parts: Uint8Array[] = [];
  const large = random.oneIn(50);
  const ids = random.of(2, 8, 300);
  for (let count = random.upTo(30); count > 0; count--) {
    parts.push(someFrame(random, sender, 1 + random.upTo(ids), large));
  }
  return concat(parts);
}

function someFrame(random: Random, sender: Sender, id: number, large: boolean): Uint8Array {
  const flags = random.of(0, 0, 1, 255);
  const link = (command: number, payload: Uint8Array) => v2Frame(command, 0, payload, flags);
  const own = (command: number, payload: Uint8Array) => v2Frame(command, id, payload, flags);
  const position = () => concat([new Uint8Array(6), random.bytes(2, random.of(0, 0, 1, 255))]);
  switch (random.upTo(13)) {
    case 0:
      return own(2, random.bytes(random.upTo(12), 20));
    case 1:
      return own(6, new Uint8Array(0));
    case 2:
      return own(7, random.bytes(4));
    case 3:
      return link(8, v2Fields(random, [[1, 5], [2, 5], [3, 1], [4, 1]]));
    case 4:
      return link(4, random.bytes(random.upTo(40), 4));
    case 5:
    case 6:
      if (sender === "device") return own(5, concat([random.bytes(1, random.of(0, 0, 20)), random.bytes(4)]));
      return own(1, concat([Uint8Array.of(1, 0, 2, 0, 1, 4, 0, 4), random.bytes(4)]));
    case 7:
      return link(0x45, position());
    case 8:
      return link(0x46, concat([position(), random.bytes(8)]));
    case 9:
      return link(0x47, concat([position(), random.bytes(16)]));
    case 10:
      return v2Frame(
        random.oneIn(6) ? random.upTo(255) : 0x80 + random.upTo(127),
        id,
        random.bytes(random.upTo(30)),
        flags,
      );
    case 11:
      return random.oneIn(8)
        ? link(0x44, v2Fields(random, [[1, 1], [2, 5], [3, 4], [4, 2]]))
        : own(6, new Uint8Array(0));
    default:
      return own(3, large ? new Uint8Array(1 + random.upTo(65_534)).fill(id) : random.bytes(1 + random.upTo(30)));
  }
}
