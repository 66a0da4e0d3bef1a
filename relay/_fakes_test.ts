/**
 * What the tests of this folder share: a duplex that does what it is told. No tests here.
 *
 * @module
 */

import type { Connection, KeepAlivePace, PeerSigns, Socket } from "../net/socket.ts";
import type { Transport } from "../net/transport.ts";

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

/** A connection whose peer and kernel are the test. */
export class FakeDuplex implements Connection {
  /** Whether writes wait for {@linkcode FakeDuplex.accept}. */
  blocked = false;
  /** Whether the writing side was ended. */
  finished = false;
  /** Whether it was closed, or reset. */
  closed = false;
  /** Whether its end was a reset. */
  wasReset = false;
  /** Whether a reset is one. */
  resets = true;
  /** Whether a close is one. */
  resetsAtClose = false;
  /** Bytes that the peer has not acknowledged. */
  unacked = 0;
  /** What the system has seen of the peer. */
  seen: PeerSigns | undefined;
  /** Writes that were asked for. */
  writes = 0;
  #pace: KeepAlivePace | "off" | undefined;
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
    if (this.closed) return;
    this.closed = true;
    this.wasReset = this.resetsAtClose;
    this.#reading?.reject(new Error("closed while reading"));
    this.#writing?.reject(new Error("closed while writing"));
    this.#reading = this.#writing = undefined;
  }

  reset(): void {
    if (this.closed) return;
    this.resetsAtClose = true;
    this.close();
  }

  setResetAtClose(isReset: boolean): void {
    this.resetsAtClose = isReset;
  }

  unacknowledged(): number {
    return this.unacked;
  }

  setKeepAlive(pace: KeepAlivePace | undefined): void {
    this.#pace = pace ?? "off";
  }

  keepAlive(): KeepAlivePace | "off" | undefined {
    return this.#pace;
  }

  signs(): PeerSigns | undefined {
    return this.seen;
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

/** One that has addresses. */
export class FakeSocket extends FakeDuplex implements Socket {
  readonly localAddress = { host: "127.0.0.1", port: 1 };
  readonly remoteAddress = { host: "127.0.0.1", port: 2 };

  tcp(): undefined {}
}

/** A transport over a fake duplex. */
export function fakeTransport(duplex: FakeDuplex): Transport {
  const tcp = () => undefined;
  return { duplex, kind: "tcp", local: "local:1", remote: "remote:2", noDelay: true, tcp, cut: () => duplex.close() };
}
