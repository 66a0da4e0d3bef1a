/**
 * Datagrams on a channel: one record each, so that their boundaries are kept. `v2.md`, "Datagrams".
 *
 * @module
 */

import { MAX_DATAGRAM } from "../limits.ts";

/** Bytes in front of a datagram: its size (2), and when its sender got it (4). */
export const RECORD_HEADER = 6;

/** What came is no record: whoever sent it does not speak of datagrams. */
export class RecordError extends Error {
  /** Tells it from others. */
  override readonly name = "RecordError";
}

/** Writes the header of a record: the size of its datagram, and when it came, in the sender's milliseconds of the session. */
export function writeRecordHeader(into: Uint8Array, at: number, size: number, stamp: number): void {
  into[at] = size >> 8;
  into[at + 1] = size;
  into[at + 2] = stamp >>> 24;
  into[at + 3] = stamp >>> 16;
  into[at + 4] = stamp >>> 8;
  into[at + 5] = stamp;
}

/** Counts the bytes of datagrams in what goes over a channel, wherever it is split; their headers are none. */
export class RecordTally {
  /** Bytes so far. */
  bytes = 0;
  #headed = 0; // bytes of the header that have gone by
  #rest = 0; // bytes of the datagram that have not

  /** What stands in `chunk` between `from` and `to` goes by. */
  add(chunk: Uint8Array, from: number, to: number): void {
    for (let at = from; at < to;) {
      if (this.#headed < RECORD_HEADER) {
        if (this.#headed++ < 2) this.#rest = this.#rest << 8 | chunk[at]!;
        at++;
      } else {
        const part = Math.min(this.#rest, to - at);
        this.bytes += part;
        this.#rest -= part;
        at += part;
      }
      if (this.#headed === RECORD_HEADER && this.#rest === 0) this.#headed = 0;
    }
  }
}

/** Takes the bytes of a channel apart, wherever they are split. It keeps one record at most. */
export class RecordReader {
  readonly #onRecord: (datagram: Uint8Array, stamp: number) => void;
  readonly #header = new Uint8Array(RECORD_HEADER);
  #headed = 0; // bytes of the header that have come
  #datagram: Uint8Array | undefined; // of a record that is split: what has come of it
  #filled = 0;

  /** `onRecord` is given each datagram, which may be empty; the view is valid during the call. */
  constructor(onRecord: (datagram: Uint8Array, stamp: number) => void) {
    this.#onRecord = onRecord;
  }

  /** Takes bytes. @throws {RecordError} for a size that no datagram has; nothing after that makes sense. */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#headed < RECORD_HEADER) {
        this.#header[this.#headed++] = bytes[at++]!;
        if (this.#headed === RECORD_HEADER && this.#size() === 0) this.#tell(bytes.subarray(0, 0));
        continue;
      }
      const size = this.#size();
      const rest = bytes.length - at;
      if (!this.#datagram && rest >= size) {
        this.#tell(bytes.subarray(at, at + size));
        at += size;
        continue;
      }
      this.#datagram ??= new Uint8Array(size);
      const part = Math.min(rest, size - this.#filled);
      this.#datagram.set(bytes.subarray(at, at + part), this.#filled);
      this.#filled += part;
      at += part;
      if (this.#filled === size) this.#tell(this.#datagram);
    }
  }

  #size(): number {
    const size = this.#header[0]! << 8 | this.#header[1]!;
    if (size > MAX_DATAGRAM) throw new RecordError(`a datagram of ${size} bytes came; ${MAX_DATAGRAM} are the most`);
    return size;
  }

  #tell(datagram: Uint8Array): void {
    const [, , a, b, c, d] = this.#header;
    this.#headed = this.#filled = 0;
    this.#datagram = undefined;
    this.#onRecord(datagram, (a! << 24 | b! << 16 | c! << 8 | d!) >>> 0);
  }
}
