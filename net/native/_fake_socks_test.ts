/**
 * What the fake kernel of these tests is made of: its sockets, its errors, and the memory that calls are given. No tests
 * here.
 *
 * @module
 */

import { EAGAIN, EINPROGRESS, EINTR } from "../kernel/errno.ts";

/** Memory that a call is given. */
export type Buffer = AllowSharedBufferSource | null;

export const [EBADF, ENOMEM, ENFILE, EMFILE, ENOSPC, EPIPE] = [9, 12, 23, 24, 28, 32];
export const [EPROTO, EADDRINUSE, ECONNABORTED, ECONNRESET, ENOBUFS, ENOTCONN] = [71, 98, 103, 104, 105, 107];
export const [ETIMEDOUT, ECONNREFUSED] = [110, 111];
const [IN, OUT, ERR, HUP, RDHUP] = [0x001, 0x004, 0x008, 0x010, 0x2000];

/** What each call may fail with, besides what it does by itself. */
export const FAULTS: Readonly<Record<string, readonly number[]>> = {
  accept4: [EINTR, EAGAIN, EMFILE, ENFILE, ENOBUFS, ENOMEM, ECONNABORTED, EPROTO],
  bind: [EADDRINUSE],
  connect: [EINTR, EINPROGRESS, ECONNREFUSED, ENOBUFS],
  epoll_create1: [EMFILE, ENFILE, ENOMEM],
  epoll_ctl: [ENOMEM, ENOSPC],
  epoll_wait: [EINTR],
  eventfd: [EMFILE],
  getsockname: [ENOBUFS],
  getsockopt: [ENOBUFS],
  ioctl: [EINTR],
  listen: [EADDRINUSE],
  recv: [EINTR, EINTR, EAGAIN, EAGAIN, EAGAIN, ECONNRESET, ETIMEDOUT],
  send: [EINTR, EINTR, EAGAIN, EAGAIN, EAGAIN, ECONNRESET, ENOBUFS, EPIPE],
  setsockopt: [ENOBUFS],
  shutdown: [ENOTCONN],
  socket: [EMFILE, ENFILE, ENOBUFS],
  timerfd_create: [EMFILE],
};

/** What is behind a descriptor. */
export class Thing {
  interest: { readonly data: number; isReady: boolean } | undefined;
  get mask(): number {
    return 0;
  }
}

/** An eventfd, or a timer. */
export class Bell extends Thing {
  rings = false;
  override get mask(): number {
    return this.rings ? IN : 0;
  }
}

/** A socket of the fake kernel. */
export class Sock extends Thing {
  state: "new" | "listening" | "connecting" | "open" | "dead" = "new";
  port = 0;
  peer: Sock | undefined;
  /** Bytes that came, and how many of them it takes. */
  inbox: Uint8Array[] = [];
  fill = 0;
  room = 64 * 1024;
  ended = false; // the peer's writing
  finished = false; // its own
  error = 0;
  resets = false;
  isClosed = false;
  /** Connections that were made and not accepted. */
  backlog: Sock[] = [];
  /** Bytes without an end, where a test wants them. */
  endless = false;

  override get mask(): number {
    if (this.state === "listening") return this.backlog.length > 0 ? IN : 0;
    if (this.state === "new") return OUT | HUP;
    if (this.state === "connecting") return 0;
    const isOver = this.state === "dead" || (this.ended && this.finished);
    return (this.fill > 0 || this.ended || this.endless || isOver ? IN : 0) | (this.canWrite || isOver ? OUT : 0) |
      (this.ended || isOver ? RDHUP : 0) | (isOver ? HUP : 0) | (this.error ? ERR : 0);
  }

  get canWrite(): boolean {
    return this.state === "open" && this.peer !== undefined && (this.peer.isClosed || this.peer.fill < this.peer.room);
  }
}

/** Where events are to be written, each of `stride` words. */
export function wordsAt(events: Deno.PointerValue, max: number, stride: number): Int32Array {
  return new Int32Array(Deno.UnsafePointerView.getArrayBuffer(events!, max * stride * 4));
}

/** The machine's order of bytes. */
export const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** The memory as bytes. */
export function bytesOf(buffer: Buffer): Uint8Array {
  if (!ArrayBuffer.isView(buffer)) throw new TypeError("a call was given no memory");
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/** The port in a `struct sockaddr_in`. */
export function portIn(address: Buffer): number {
  const bytes = bytesOf(address);
  return bytes[2]! << 8 | bytes[3]!;
}

/** Writes one, of this machine. */
export function nameInto(address: Buffer, port: number): void {
  bytesOf(address).set([...new Uint8Array(Uint16Array.of(2).buffer), port >> 8, port & 255, 127, 0, 0, 1]);
}
