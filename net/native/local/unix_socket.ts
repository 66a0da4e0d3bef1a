/**
 * A connection over a Unix socket, on the kernel's own interface.
 *
 * The kernel hands bytes over to the peer within the write, so none is lost by a close. It has no reset: what the peer has
 * not read it still reads, and then sees an end.
 *
 * @module
 */

import { AF_UNIX, CLOEXEC, IS_LITTLE_ENDIAN, NONBLOCK, SHUT_WR, SOCK_STREAM, SOL_SOCKET } from "../../kernel/libc.ts";
import type { PeerSigns, UnixConnection, UnixPeer } from "../../socket.ts";
import { LISTEN_BACKLOG } from "../limits.ts";
import type { SocketCalls } from "../calls.ts";
import { socketError } from "../../kernel/errno.ts";
import type { EventLoop } from "../event_loop.ts";
import { SocketStream } from "../stream.ts";

const SO_PEERCRED = 17;

/** A connection that is made. */
export class UnixSocket extends SocketStream implements UnixConnection {
  /** Of whom it is; asked once, when it is new. */
  readonly peer: UnixPeer | undefined;

  /** Takes over `fd`; see {@linkcode SocketStream}. */
  constructor(loop: EventLoop, fd: number) {
    super(loop, fd);
    this.peer = peerOf(loop.calls, fd);
  }

  /** A peer that has closed as a whole shows that, unlike one of TCP, and is no reset. */
  get endsWhole(): boolean {
    return this.isOver;
  }

  closeWrite(): Promise<void> {
    const { calls, fd } = this;
    if (calls.shutdown(fd, SHUT_WR) === 0) return Promise.resolve();
    return Promise.reject(socketError(calls.errno()));
  }

  close(): void {
    const { calls, fd } = this;
    if (fd < 0) return;
    if (!this.needsNoEnd) calls.shutdown(fd, SHUT_WR);
    this.release();
  }

  reset(): void {
    this.release();
  }

  setResetAtClose(): void {}

  unacknowledged(): number {
    return 0;
  }

  setKeepAlive(): void {}

  keepAlive(): undefined {}

  signs(): PeerSigns | undefined {
    return undefined;
  }
}

/** A path for the kernel: `struct sockaddr_un`, with `@` for the zero byte of an abstract name. */
export function unixAddress(path: string): Uint8Array<ArrayBuffer> {
  const isAbstract = path.startsWith("@");
  const name = new TextEncoder().encode(isAbstract ? `\0${path.slice(1)}` : `${path}\0`);
  const bytes = new Uint8Array(2 + name.length);
  new DataView(bytes.buffer).setUint16(0, AF_UNIX, IS_LITTLE_ENDIAN);
  bytes.set(name, 2);
  return bytes;
}

/** A socket that is no connection yet. @throws If the kernel gives none. */
export function openUnix(calls: SocketCalls): number {
  const fd = calls.socket(AF_UNIX, SOCK_STREAM | NONBLOCK | CLOEXEC, 0);
  if (fd < 0) throw socketError(calls.errno());
  return fd;
}

/** Connects, which the kernel does at once or not at all. @throws What it says; `EAGAIN` if too many wait already. */
export function connectUnix(loop: EventLoop, path: string): UnixSocket {
  const { calls } = loop;
  const address = unixAddress(path);
  const fd = openUnix(calls);
  if (calls.connect(fd, address, address.length) !== 0) {
    const error = socketError(calls.errno());
    calls.close(fd);
    throw error;
  }
  return new UnixSocket(loop, fd);
}

/** A socket that listens at a path. @throws What the kernel says. */
export function listenUnix(calls: SocketCalls, path: string): number {
  const address = unixAddress(path);
  const fd = openUnix(calls);
  if (calls.bind(fd, address, address.length) === 0 && calls.listen(fd, LISTEN_BACKLOG) === 0) return fd;
  const error = socketError(calls.errno());
  calls.close(fd);
  throw error;
}

const credentials = new Uint8Array(12); // struct ucred
const size = new Uint32Array(1);

function peerOf(calls: SocketCalls, fd: number): UnixPeer | undefined {
  size[0] = credentials.length;
  if (calls.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials, size) !== 0) return undefined;
  const view = new DataView(credentials.buffer);
  return { pid: view.getInt32(0, IS_LITTLE_ENDIAN), uid: view.getUint32(4, IS_LITTLE_ENDIAN) };
}
