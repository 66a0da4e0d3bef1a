/**
 * Streams of bytes in which any that is lost, doubled or out of place shows: what is sent, and what has to come.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { noise } from "../bytes.ts";
import { writeAll } from "../stream.ts";

/** Bytes that are made at once. */
const BLOCK = 64 * 1024;

/** How long a paced sender waits before it looks whether it may go on, in milliseconds. */
const PACE_MS = 10;

/** Largest piece of a paced sender: what it sends in {@linkcode PACE_MS}, and at least this many bytes. */
const LEAST_PIECE = 64;

/** A block of the stream that `seed` names. */
function blockOf(seed: number, index: number): Uint8Array<ArrayBuffer> {
  return noise(BLOCK, (seed * 4_099 + index) % 2 ** 31);
}

/** The bytes from `position` on that stand in one block, `size` at most. */
class Source {
  readonly #seed: number;
  #index = -1;
  #block = new Uint8Array(0);

  constructor(seed: number) {
    this.#seed = seed;
  }

  at(position: number, size: number): Uint8Array {
    const index = Math.floor(position / BLOCK);
    if (index !== this.#index) {
      this.#index = index;
      this.#block = blockOf(this.#seed, index);
    }
    const from = position - index * BLOCK;
    return this.#block.subarray(from, from + size);
  }
}

/**
 * Sends `size` bytes of the stream that `seed` names. `rate`: bytes a second; 0: as fast as can be; `hurry` says that the
 * pace does not matter any more.
 *
 * @returns their digest.
 */
export async function sendChecked(
  conn: Deno.TcpConn,
  { seed, size, rate, hurry = () => false }: {
    readonly seed: number;
    readonly size: number;
    readonly rate: number;
    readonly hurry?: () => boolean;
  },
): Promise<string> {
  const source = new Source(seed);
  const hash = createHash("sha256");
  const since = performance.now();
  const most = rate > 0 ? Math.min(BLOCK, Math.max(LEAST_PIECE, Math.round(rate * PACE_MS / 1_000))) : BLOCK;
  for (let sent = 0; sent < size;) {
    while (rate > 0 && !hurry() && sent > (performance.now() - since) * rate / 1_000) {
      await new Promise((resolve) => setTimeout(resolve, PACE_MS));
    }
    const piece = source.at(sent, Math.min(most, size - sent));
    hash.update(piece);
    await writeAll(conn, piece);
    sent += piece.length;
  }
  return hash.digest("hex");
}

/** What comes, compared with what should. */
export class CheckedBytes {
  readonly #source: Source;
  readonly #size: number;
  readonly #hash = createHash("sha256");
  #position = 0;
  #wrong: number | undefined;
  #digest: string | undefined;
  #rest: Uint8Array[] = [];

  /** `size` bytes of the stream that `seed` names are to come. */
  constructor(seed: number, size: number) {
    this.#source = new Source(seed);
    this.#size = size;
  }

  /** Bytes of the stream that came. */
  get position(): number {
    return this.#position;
  }

  /** What came behind the stream, as text. */
  get behind(): string {
    return new TextDecoder().decode(Buffer.concat(this.#rest));
  }

  /** The digest of what came of the stream. */
  get digest(): string {
    return this.#digest ??= this.#hash.digest("hex");
  }

  /** What is wrong, if anything is. */
  get complaint(): string | undefined {
    if (this.#wrong !== undefined) return `byte ${this.#wrong} of ${this.#size} is not the one that was sent`;
    if (this.#position < this.#size) return `it ended after ${this.#position} of ${this.#size} bytes`;
    return undefined;
  }

  /** Takes what came. */
  feed(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length && this.#position < this.#size) {
      const expected = this.#source.at(this.#position, Math.min(bytes.length - at, this.#size - this.#position));
      const got = bytes.subarray(at, at + expected.length);
      if (this.#wrong === undefined && Buffer.compare(expected, got) !== 0) {
        this.#wrong = this.#position + expected.findIndex((byte, index) => byte !== got[index]);
      }
      this.#hash.update(got);
      this.#position += got.length;
      at += got.length;
    }
    if (at < bytes.length) this.#rest.push(bytes.slice(at));
  }

  /** Takes all that comes, to the end; a reset is told apart from an end by what it throws. */
  async feedFrom(conn: Deno.TcpConn): Promise<void> {
    const into = new Uint8Array(BLOCK);
    for (let count = await conn.read(into); count !== null; count = await conn.read(into)) {
      this.feed(into.subarray(0, count));
    }
  }
}

/** The digest of `size` bytes of the stream that `seed` names. */
export function checkedDigest(seed: number, size: number): string {
  const source = new Source(seed);
  const hash = createHash("sha256");
  for (let at = 0; at < size;) {
    const piece = source.at(at, size - at);
    hash.update(piece);
    at += piece.length;
  }
  return hash.digest("hex");
}
