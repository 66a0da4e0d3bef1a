/**
 * A connection as two programs see it: what `net/` calls a duplex at each end, and a network between that can fail.
 *
 * @module
 */

import type { Connection as Socket, KeepAlivePace } from "../../../net/socket.ts";
import type { Random } from "../random.ts";
import type { Time } from "./time.ts";
import { type Network, Way } from "./way.ts";

/** Bytes that a kernel takes before the other side has read any. */
const KERNEL_BUFFERS = 160 * 1024;

/** Which way: from the one that dialled, or to it. */
export type Direction = "up" | "down";

/** A pending call of a program. */
interface Call {
  readonly bytes: Uint8Array;
  readonly resolve: (count: number | null) => void;
  readonly reject: (error: Error) => void;
}

/** One end of a {@linkcode Connection}. */
export class End implements Socket {
  /** What this end sends. */
  readonly out: Way;
  readonly #time: Time;
  readonly #random: Random;
  readonly #busy: boolean;
  #peer: End | undefined;
  #inbox: Uint8Array[] = [];
  #ended = false;
  #error: Error | undefined;
  #closed = false;
  #resets = false; // it was closed with unread bytes
  #resetsAtClose = false;
  #pace: KeepAlivePace | "off" | undefined;
  #reading: Call | undefined;
  #writing: Call | undefined;
  #unread = 0; // bytes that this end has sent and the other has not read

  /** Made by the connection. `busy`: its kernel takes some writes late, and some in part. */
  constructor(time: Time, random: Random, network: Network, busy: boolean) {
    this.#time = time;
    this.#random = random;
    this.#busy = busy;
    this.out = new Way(time, random, network, {
      onBytes: (bytes) => this.#peer!.#receive(bytes),
      onEnd: () => this.#resets ? this.#peer!.fail(new Error("connection reset")) : this.#peer!.#receiveEnd(),
    });
  }

  /** Joins two ends. */
  static join(a: End, b: End): void {
    a.#peer = b;
    b.#peer = a;
  }

  /** Whether the program has closed it. */
  get closed(): boolean {
    return this.#closed;
  }

  read(into: Uint8Array): Promise<number | null> {
    if (this.#error) return Promise.reject(this.#error);
    return new Promise((resolve, reject) => {
      this.#reading = { bytes: into, resolve, reject };
      this.#serveRead();
    });
  }

  write(bytes: Uint8Array): Promise<number> {
    if (this.#error) return Promise.reject(this.#error);
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#writing = { bytes, resolve: (count) => resolve(count!), reject };
    // What is written is copied when the kernel has room, and not before: until then nobody may touch it.
    if (this.#busy && this.#random.oneIn(4)) this.#time.after(this.#random.upTo(3), () => this.#serveWrite());
    else this.#serveWrite();
    return promise;
  }

  closeWrite(): Promise<void> {
    if (this.#error) return Promise.reject(this.#error);
    this.out.end();
    return Promise.resolve();
  }

  close(): void {
    if (this.#closed) return;
    if (this.#resetsAtClose) return this.reset();
    this.#closed = true;
    this.#resets = this.#inbox.length > 0;
    this.out.end();
    this.fail(new Error("closed by this side"));
  }

  reset(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.fail(new Error("aborted"));
    this.#time.after(0.1, () => this.#peer!.fail(new Error("connection reset")));
  }

  setResetAtClose(isReset: boolean): void {
    this.#resetsAtClose = isReset;
  }

  unacknowledged(): number {
    return this.#unread;
  }

  setKeepAlive(pace: KeepAlivePace | undefined): void {
    this.#pace = pace ?? "off";
  }

  keepAlive(): KeepAlivePace | "off" | undefined {
    return this.#pace;
  }

  signs(): undefined {}

  /** The connection fails at this end. */
  fail(error: Error): void {
    if (this.#error) return;
    this.#error = error;
    this.#inbox = [];
    this.#reading?.reject(error);
    this.#writing?.reject(error);
    this.#reading = this.#writing = undefined;
  }

  #receive(bytes: Uint8Array): void {
    if (this.#closed) {
      if (!this.out.isCut) this.#peer!.fail(new Error("connection reset: the other side has closed it"));
      return;
    }
    this.#inbox.push(bytes);
    this.#serveRead();
  }

  #receiveEnd(): void {
    this.#ended = true;
    this.#serveRead();
  }

  #serveRead(): void {
    const call = this.#reading;
    const first = this.#inbox[0];
    if (!call || (!first && !this.#ended)) return;
    this.#reading = undefined;
    if (!first) return call.resolve(null);
    let count = 0;
    for (let next: Uint8Array | undefined; (next = this.#inbox[0]) && count < call.bytes.length;) {
      const part = next.subarray(0, call.bytes.length - count);
      call.bytes.set(part, count);
      count += part.length;
      if (part.length === next.length) this.#inbox.shift();
      else this.#inbox[0] = next.subarray(part.length);
    }
    this.#peer!.#read(count);
    call.resolve(count);
  }

  #read(count: number): void {
    this.#unread -= count;
    this.#serveWrite();
  }

  #serveWrite(): void {
    const call = this.#writing;
    const room = KERNEL_BUFFERS - this.#unread;
    if (!call || room <= 0) return;
    this.#writing = undefined;
    const some = this.#busy && this.#random.oneIn(8) ? 1 + this.#random.upTo(call.bytes.length - 1) : call.bytes.length;
    const count = Math.min(room, some);
    this.#unread += count;
    this.out.send(call.bytes.subarray(0, count));
    call.resolve(count);
  }
}

/** A connection, and what can happen to it. */
export class Connection {
  /** The end of the one that dialled. */
  readonly dialled: End;
  /** The end of the one that accepted. */
  readonly accepted: End;

  /** A connection that is up. */
  constructor(time: Time, random: Random, network: Network, busy = true) {
    this.dialled = new End(time, random, network, busy);
    this.accepted = new End(time, random, network, busy);
    End.join(this.dialled, this.accepted);
  }

  /** One direction. */
  way(direction: Direction): Way {
    return direction === "up" ? this.dialled.out : this.accepted.out;
  }

  /** Nothing comes through any more, either way. Nobody is told. */
  blackHole(): void {
    this.dialled.out.cut();
    this.accepted.out.cut();
  }
}
