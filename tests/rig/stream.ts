/**
 * One end of a TCP connection, as tests want it: exact reads, whole writes, deadlines.
 *
 * @module
 */

import { ascii } from "./bytes.ts";
import { concat } from "../../protocol/bytes.ts";
import type { Duplex } from "../../net/socket.ts";
import { within } from "./wait.ts";

export async function writeAll(conn: Pick<Duplex, "write">, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(at === 0 ? bytes : bytes.subarray(at));
}

/** Reads until `into` is full. @returns false if the connection ended before. */
export async function readFull(conn: Pick<Duplex, "read">, into: Uint8Array): Promise<boolean> {
  for (let fill = 0; fill < into.length;) {
    const count = await conn.read(fill === 0 ? into : into.subarray(fill));
    if (count === null) return false;
    fill += count;
  }
  return true;
}

/** A connection of a client or of a service. Disposing of it closes it. */
export class Stream implements Disposable {
  readonly #conn: Deno.TcpConn | Error;
  #rest = new Uint8Array(0);
  #closed = false;

  /** Takes over `conn`; an error is what it failed with before anybody had it. */
  constructor(conn: Deno.TcpConn | Error) {
    this.#conn = conn;
  }

  /** Connects to a port of this machine. One that is reset at once has connected: its first call says so. */
  static async connect(port: number, hostname = "127.0.0.1"): Promise<Stream> {
    const dialled = Deno.connect({ hostname, port }).catch((error: unknown) => {
      if (error instanceof Deno.errors.ConnectionReset) return error;
      throw error;
    });
    return new Stream(await within(dialled, `a connection to ${hostname}:${port}`));
  }

  /** The socket below. */
  get conn(): Deno.TcpConn {
    if (this.#conn instanceof Error) throw this.#conn;
    return this.#conn;
  }

  async write(bytes: Uint8Array | string): Promise<void> {
    await writeAll(this.conn, typeof bytes === "string" ? ascii(bytes) : bytes);
  }

  /** Reads what there is, up to 64 KiB; `null` at the end. A reset counts as the end. */
  async readSome(): Promise<Uint8Array<ArrayBuffer> | null> {
    if (this.#rest.length > 0) {
      const rest = this.#rest;
      this.#rest = new Uint8Array(0);
      return rest;
    }
    const chunk = new Uint8Array(64 * 1024);
    try {
      const count = await this.conn.read(chunk);
      return count === null ? null : chunk.subarray(0, count);
    } catch (error) {
      if (this.#closed || error instanceof Deno.errors.ConnectionReset) return null;
      throw error;
    }
  }

  /** Reads exactly `size` bytes; an earlier end is a failure. */
  async read(size: number): Promise<Uint8Array<ArrayBuffer>> {
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    let have = 0;
    while (have < size) {
      const piece = await within(this.readSome(), `${size - have} bytes more`);
      if (piece === null) throw new Error(`The stream ended after ${have} of ${size} bytes`);
      pieces.push(piece);
      have += piece.length;
    }
    const whole = concat(pieces);
    this.#rest = whole.slice(size);
    return whole.subarray(0, size);
  }

  /** Reads exactly `size` bytes of text. */
  async readText(size: number): Promise<string> {
    return new TextDecoder().decode(await this.read(size));
  }

  /** Reads to the end, which has to come. */
  async readToEnd(): Promise<Uint8Array<ArrayBuffer>> {
    const pieces: Uint8Array[] = [];
    for (;;) {
      const piece = await within(this.readSome(), "the end of a stream");
      if (piece === null) return concat(pieces);
      pieces.push(piece);
    }
  }

  /** Reads to the end, and says whether it was an orderly one, or a reset. */
  async readToItsEnd(): Promise<{ readonly bytes: Uint8Array<ArrayBuffer>; readonly end: "orderly" | "reset" }> {
    const pieces: Uint8Array[] = [];
    const chunk = new Uint8Array(64 * 1024);
    for (;;) {
      try {
        const count = await within(this.conn.read(chunk), "the end of a stream");
        if (count === null) return { bytes: concat(pieces), end: "orderly" };
        pieces.push(chunk.slice(0, count));
      } catch (error) {
        if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
        return { bytes: concat(pieces), end: "reset" };
      }
    }
  }

  /** Shuts down the writing side. */
  async closeWrite(): Promise<void> {
    await this.conn.closeWrite();
  }

  /** Closes both sides. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.conn.close();
    } catch {
      // Gone already.
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Writes pieces of `piece` bytes and reads as fast as it goes, until the streams end; flowing when `enough` bytes came. */
export function flood(
  streams: readonly Stream[],
  piece: number,
  enough: number,
): { readonly flowing: Promise<void>; readonly over: Promise<unknown> } {
  const flowing = Promise.withResolvers<void>();
  let got = 0;
  const up = async (stream: Stream) => {
    for (;;) await stream.write(new Uint8Array(piece));
  };
  const down = async (stream: Stream) => {
    for (let bytes = await stream.readSome(); bytes; bytes = await stream.readSome()) {
      got += bytes.length;
      if (got > enough) flowing.resolve();
    }
  };
  const work = streams.flatMap((stream) => [up(stream), down(stream)].map((each) => each.catch(() => {})));
  return { flowing: flowing.promise, over: Promise.all(work) };
}
