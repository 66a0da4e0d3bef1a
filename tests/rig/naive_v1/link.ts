/**
 * Frames on a socket, one at a time, with everything copied: slow, and hard to get wrong.
 *
 * @module
 */

import type { Split } from "./quirks.ts";

/** Reach a service for a client; server → device. */
export const CONNECT = 1;
/** A client's connection ended; both ways. */
export const CLOSE = 2;
/** Bytes of a client; both ways. */
export const DATA = 3;
/** The first frame of a link; device → server. */
export const LISTEN = 4;

const NAMES: Record<number, string> = { 1: "CONNECT", 2: "CLOSE", 3: "DATA", 4: "LISTEN" };

/** What a frame begins with. */
export interface Header {
  /** Bytes of the payload. */
  readonly size: number;
  /** One of the four, unless the peer is wrong. */
  readonly command: number;
  readonly id: number;
}

/** A whole frame. */
export interface Frame extends Header {
  /** `size` bytes. */
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** A frame, for messages: `DATA 7 (12 bytes)`. */
export function describeFrame({ command, id, size }: Header): string {
  return `${NAMES[command] ?? `command ${command}`} ${id} (${size} bytes)`;
}

export function frameBytes(command: number, id: number, payload: Uint8Array = new Uint8Array(0)): Uint8Array {
  return Uint8Array.from([payload.length >> 8, payload.length & 255, command, id, ...payload]);
}

export function connectPayload(host: string, port: number): Uint8Array {
  const text = new TextEncoder().encode(host);
  return Uint8Array.from([text.length >> 8, text.length & 255, ...text, port >> 8, port & 255]);
}

/** The address in the payload of a CONNECT. */
export function readConnectPayload(payload: Uint8Array): { host: string; port: number } {
  const length = payload[0]! * 256 + payload[1]!;
  if (payload.length !== length + 4) throw new Error(`CONNECT of ${payload.length} bytes with a length of ${length}`);
  const host = new TextDecoder().decode(payload.subarray(2, 2 + length));
  return { host, port: payload[2 + length]! * 256 + payload[3 + length]! };
}

/** A link that a test, or a naive peer, drives by hand. Disposing of it closes it. */
export class NaiveLink implements Disposable {
  readonly #conn: Deno.TcpConn;
  readonly #split: Split;
  #buffer = new Uint8Array(0);
  #tail: Promise<void> = Promise.resolve();
  #closed = false;

  /** Takes over `conn`. */
  constructor(conn: Deno.TcpConn, split: Split = "whole") {
    this.#conn = conn;
    this.#split = split;
    conn.setNoDelay(true);
  }

  /** Dials a server, and says nothing. */
  static async dial(port: number, split: Split = "whole", hostname = "127.0.0.1"): Promise<NaiveLink> {
    return new NaiveLink(await Deno.connect({ hostname, port }), split);
  }

  /** Sends a frame, cut as the link was told. What cannot be sent any more is dropped. */
  send(command: number, id: number, payload: Uint8Array = new Uint8Array(0)): Promise<void> {
    const frame = frameBytes(command, id, payload);
    if (this.#split === "whole") return this.sendRaw(frame);
    if (this.#split === "header-apart") return this.#write([frame.subarray(0, 4), frame.subarray(4)], false);
    return this.sendRaw(...Array.from(frame, (byte) => Uint8Array.of(byte)));
  }

  /** Sends each piece in a write of its own, with a pause behind it in which a peer can read it. */
  sendRaw(...pieces: Uint8Array[]): Promise<void> {
    return this.#write(pieces, pieces.length > 1);
  }

  /** Resolves when nothing is being sent any more. */
  async flushed(): Promise<void> {
    await this.#tail;
  }

  /** One read of the socket, as it comes; `null` at the end. */
  async readSegment(): Promise<Uint8Array<ArrayBuffer> | null> {
    const chunk = new Uint8Array(64 * 1024);
    try {
      const count = await this.#conn.read(chunk);
      return count === null ? null : chunk.subarray(0, count);
    } catch {
      return null; // reset, or closed by this side
    }
  }

  /** Exactly `size` bytes, or `null` if the link ends before. */
  async readBytes(size: number): Promise<Uint8Array<ArrayBuffer> | null> {
    while (this.#buffer.length < size) {
      const chunk = await this.readSegment();
      if (chunk === null) return null;
      const longer = new Uint8Array(this.#buffer.length + chunk.length);
      longer.set(this.#buffer);
      longer.set(chunk, this.#buffer.length);
      this.#buffer = longer;
    }
    const bytes = this.#buffer.slice(0, size);
    this.#buffer = this.#buffer.subarray(size);
    return bytes;
  }

  /** The next header, or `null` at the end. Its payload is still to be read. */
  async readHeader(): Promise<Header | null> {
    const bytes = await this.readBytes(4);
    if (bytes === null) return null;
    return { size: bytes[0]! * 256 + bytes[1]!, command: bytes[2]!, id: bytes[3]! };
  }

  /** The next frame, or `null` at the end. */
  async readFrame(): Promise<Frame | null> {
    const header = await this.readHeader();
    const payload = header && await this.readBytes(header.size);
    return header && payload && { ...header, payload };
  }

  /** Whether this side has closed the socket. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Closes the socket. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.#conn.close();
    } catch {
      // Gone already.
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #write(pieces: readonly Uint8Array[], pauses: boolean): Promise<void> {
    this.#tail = this.#tail.then(async () => {
      for (let piece of pieces) {
        while (piece.length > 0) piece = piece.subarray(await this.#conn.write(piece));
        if (pauses && !this.#closed) await new Promise((resolve) => setTimeout(resolve, 0));
      }
    }).catch(() => {});
    return this.#tail;
  }
}
