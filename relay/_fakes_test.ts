/**
 * What the tests of this folder share: a duplex that does what it is told. No tests here.
 *
 * @module
 */

import type { Duplex } from "../net/socket.ts";
import { closeQuietly, type Transport } from "../net/transport.ts";

interface PendingRead {
  readonly into: Uint8Array;
  readonly resolve: (count: number | null) => void;
  readonly reject: (error: Error) => void;
}

interface PendingWrite {
  readonly bytes: Uint8Array;
  readonly resolve: (count: number) => void;
  readonly reject: (error: Error) => void;
}

/** A duplex whose peer and kernel are the test. */
export class FakeDuplex implements Duplex {
  /** Whether writes wait for {@linkcode FakeDuplex.accept}. */
  blocked = false;
  /** Whether the writing side was ended. */
  finished = false;
  closed = false;
  /** Writes that were asked for. */
  writes = 0;
  #taken: number[] = [];
  #input: (Uint8Array | Error | null)[] = [];
  #reading: PendingRead | undefined;
  #writing: PendingWrite | undefined;

  /** Bytes that were written since the last call. */
  take(): Uint8Array {
    return Uint8Array.from(this.#taken.splice(0));
  }

  /** Whether somebody waits for bytes. */
  get isRead(): boolean {
    return this.#reading !== undefined;
  }

  /** Whether a write waits. */
  get isWritten(): boolean {
    return this.#writing !== undefined;
  }

  /** Gives bytes to the reader, an error, or with `null` the end. */
  feed(input: Uint8Array | Error | null): void {
    this.#input.push(input);
    this.#deliver();
  }

  /** Takes up to `count` bytes of the write that waits; they are looked at now, as a kernel does. */
  accept(count = Infinity): number {
    const write = this.#writing;
    if (!write) return 0;
    this.#writing = undefined;
    const taken = write.bytes.subarray(0, count);
    for (const byte of taken) this.#taken.push(byte);
    write.resolve(taken.length);
    return taken.length;
  }

  /** Fails the write that waits. */
  fail(error: Error): void {
    this.#writing?.reject(error);
    this.#writing = undefined;
  }

  /** Takes everything from now on. */
  unblock(): void {
    this.blocked = false;
    this.accept();
  }

  read(into: Uint8Array): Promise<number | null> {
    if (this.closed) return Promise.reject(new Error("read after close"));
    if (this.#reading) return Promise.reject(new Error("two reads at once"));
    return new Promise((resolve, reject) => {
      this.#reading = { into, resolve, reject };
      this.#deliver();
    });
  }

  write(bytes: Uint8Array): Promise<number> {
    this.writes++;
    if (this.closed || this.finished) return Promise.reject(new Error("write after close"));
    if (this.#writing) return Promise.reject(new Error("two writes at once"));
    return new Promise((resolve, reject) => {
      this.#writing = { bytes, resolve, reject };
      if (!this.blocked) this.accept();
    });
  }

  closeWrite(): Promise<void> {
    if (this.closed) return Promise.reject(new Error("closeWrite after close"));
    this.finished = true;
    return Promise.resolve();
  }

  close(): void {
    if (this.closed) throw new Error("closed twice");
    this.closed = true;
    this.#reading?.reject(new Error("closed while reading"));
    this.#writing?.reject(new Error("closed while writing"));
    this.#reading = this.#writing = undefined;
  }

  #deliver(): void {
    const reading = this.#reading;
    const input = this.#input[0];
    if (!reading || input === undefined) return;
    this.#reading = undefined;
    if (input === null) return reading.resolve(null);
    this.#input.shift();
    if (input instanceof Error) return reading.reject(input);
    const count = Math.min(input.length, reading.into.length);
    reading.into.set(input.subarray(0, count));
    if (count < input.length) this.#input.unshift(input.subarray(count));
    reading.resolve(count);
  }
}

/** A transport over a fake duplex. */
export function fakeTransport(duplex: FakeDuplex): Transport {
  const cut = () => closeQuietly(duplex);
  return { duplex, kind: "tcp", local: "local:1", remote: "remote:2", noDelay: true, cut };
}
