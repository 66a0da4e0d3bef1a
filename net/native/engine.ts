/**
 * The native engine: sockets of the kernel's own, on Linux with glibc and the permission `ffi`.
 *
 * @module
 */

import { CLOEXEC, NONBLOCK, SOCK_STREAM } from "../kernel/libc.ts";
import { LISTEN_BACKLOG } from "./limits.ts";
import type { Address } from "../../protocol/address.ts";
import { describeError } from "../../base/errors.ts";
import { parseIP } from "../../protocol/ip.ts";
import { bindUplink } from "./bind_uplink.ts";
import { type SocketCalls, socketCalls } from "./calls.ts";
import { EINPROGRESS, EINTR, socketError } from "../kernel/errno.ts";
import { ENDED, EventLoop, type Watcher, WHILE_READABLE, WRITABLE } from "./event_loop.ts";
import { NativeListener } from "./listener.ts";
import type { Machine } from "./machine.ts";
import { setKeepAlive, setLinger, setMaxSegment, setReuseAddress, takeError, tune } from "./options.ts";
import { AddressRoom, kernelAddress } from "../kernel/socket_address.ts";
import { TcpSocket } from "./tcp_socket.ts";
import { LineStream, openTerminal } from "./local/terminal.ts";
import { NativeTls } from "./tls.ts";
import { bindUdp, connectUdp } from "./local/udp_socket.ts";
import { connectUnix, listenUnix, UnixSocket } from "./local/unix_socket.ts";
import { openSsl, whyNoOpenSsl } from "../openssl/library.ts";
import { portableEngine } from "../portable/engine.ts";
import type {
  ConnectOptions,
  Duplex,
  Engine,
  ListeningSocket,
  ListenOptions,
  Socket,
  Terminal,
  TlsEngine,
  UnixConnection,
} from "../socket.ts";
import type { DatagramHandler, DatagramSocket } from "../udp/socket.ts";
import type { TurnReport, TurnTotals } from "../turn_times.ts";

const SOCKET_FLAGS = NONBLOCK | CLOEXEC;

/** Sockets over one loop. */
export class NativeEngine implements Engine {
  readonly name = "native";
  readonly isTunable = true;
  readonly reachesAbstract = true;
  readonly tls: TlsEngine;
  readonly #loop: EventLoop;

  /** Over a loop of its own; without OpenSSL, the runtime speaks TLS. @throws If the kernel gives none. */
  constructor(calls: SocketCalls, machine?: Machine) {
    this.#loop = new EventLoop(calls, machine);
    this.tls = openSsl() ? new NativeTls(this, this.#loop) : portableEngine.tls;
  }

  /** See {@linkcode EventLoop.quiet}. */
  quiet(): Promise<void> {
    return this.#loop.quiet();
  }

  turns(): TurnReport {
    return this.#loop.times.take();
  }

  turnTotals(): TurnTotals {
    return this.#loop.times.totals;
  }

  /** See {@linkcode LineStream}. */
  adopt(fd: number): Duplex {
    return new LineStream(this.#loop, fd);
  }

  listen(address: Address, options: ListenOptions = {}): ListeningSocket {
    const { calls } = this.#loop;
    const { family, bytes } = kernelAddress(resolved(address));
    const fd = open(calls, family);
    setReuseAddress(calls, fd);
    tune(calls, fd);
    if (options.keepAlive) setKeepAlive(calls, fd, options.keepAlive === "off" ? undefined : options.keepAlive);
    if (options.resets) setLinger(calls, fd, true);
    if (calls.bind(fd, bytes, bytes.length) !== 0 || calls.listen(fd, LISTEN_BACKLOG) !== 0) {
      const error = socketError(calls.errno());
      calls.close(fd);
      throw error;
    }
    return new NativeListener(this.#loop, fd, (fd, peer) => new TcpSocket(this.#loop, fd, peer.read(), options));
  }

  connect(address: Address, { signal, maxSegment, uplink }: ConnectOptions): Promise<Socket> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const { calls } = this.#loop;
      const { family, bytes } = kernelAddress(address);
      const fd = open(calls, family);
      tune(calls, fd);
      if (maxSegment) setMaxSegment(calls, fd, maxSegment);
      try {
        if (uplink !== undefined) bindUplink(calls, fd, family, uplink);
      } catch (error) {
        calls.close(fd);
        throw error;
      }
      const done = calls.connect(fd, bytes, bytes.length) === 0;
      const errno = done ? 0 : calls.errno();
      if (!done && errno !== EINPROGRESS && errno !== EINTR) {
        calls.close(fd);
        throw socketError(errno);
      }
      new Connecting(this.#loop, fd, address, signal, resolve, reject);
    });
  }

  connectUnix(path: string): Promise<UnixConnection> {
    return new Promise((resolve) => resolve(connectUnix(this.#loop, path)));
  }

  listenUnix(path: string): ListeningSocket<UnixConnection> {
    const loop = this.#loop;
    const fd = listenUnix(loop.calls, path);
    return new NativeListener(loop, fd, (fd) => new UnixSocket(loop, fd), { host: path, port: 0 });
  }

  watchReadable(fd: number, onReadable: () => void): () => void {
    this.#loop.add(fd, { onReady: onReadable }, WHILE_READABLE);
    return () => this.#loop.remove(fd);
  }

  bindUdp(address: Address, handler: DatagramHandler): Promise<DatagramSocket> {
    return new Promise((resolve) => resolve(bindUdp(this.#loop, address, handler)));
  }

  connectUdp(address: Address, handler: DatagramHandler): Promise<DatagramSocket> {
    return new Promise((resolve) => resolve(connectUdp(this.#loop, address, handler)));
  }

  openTerminal(): Terminal {
    return openTerminal(this.#loop);
  }
}

/** A name to listen on, as `localhost`, is looked up by the runtime: it does that for its own sockets at once. */
function resolved({ host, port }: Address): Address {
  if (parseIP(host.split("%", 1)[0]!)) return { host, port };
  const listener = Deno.listen({ hostname: host, port: 0 });
  const { hostname } = listener.addr;
  listener.close();
  return { host: hostname, port };
}

function open(calls: SocketCalls, family: number): number {
  const fd = calls.socket(family, SOCK_STREAM | SOCKET_FLAGS, 0);
  if (fd < 0) throw socketError(calls.errno());
  return fd;
}

/** A connection that is being made; it owns the descriptor until then. */
class Connecting implements Watcher {
  readonly #loop: EventLoop;
  readonly #fd: number;
  readonly #address: Address;
  readonly #signal: AbortSignal;
  readonly #resolve: (socket: Socket) => void;
  readonly #reject: (error: unknown) => void;

  constructor(
    loop: EventLoop,
    fd: number,
    address: Address,
    signal: AbortSignal,
    resolve: (socket: Socket) => void,
    reject: (error: unknown) => void,
  ) {
    this.#loop = loop;
    this.#fd = fd;
    this.#address = address;
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
    try {
      loop.add(fd, this);
    } catch (error) {
      loop.calls.close(fd);
      throw error;
    }
    signal.addEventListener("abort", this.#onAbort);
  }

  onReady(events: number): void {
    if ((events & (WRITABLE | ENDED)) === 0) return;
    const errno = takeError(this.#loop.calls, this.#fd);
    if (errno !== 0) return this.#fail(socketError(errno));
    if (!isConnected(this.#loop.calls, this.#fd)) return; // what was meant for the descriptor's former owner
    this.#signal.removeEventListener("abort", this.#onAbort);
    const socket = new TcpSocket(this.#loop, this.#fd, this.#address, undefined, true);
    socket.onReady(events); // its end may be among them, and is not told twice
    this.#resolve(socket);
  }

  readonly #onAbort = (): void => this.#fail(this.#signal.reason);

  #fail(error: unknown): void {
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#loop.forget(this.#fd);
    this.#loop.calls.close(this.#fd);
    this.#reject(error);
  }
}

const room = new AddressRoom();

/** Whether a connection that was begun is made. */
function isConnected(calls: SocketCalls, fd: number): boolean {
  const { bytes, size } = room.reset();
  return calls.getpeername(fd, bytes, size) === 0;
}

let engine: NativeEngine | undefined;
let whyNoLoop: string | undefined;

/** Why there is no native engine, or none with TLS of its own; `undefined`: there is. */
export function whyNotNative(): string | undefined {
  if (Deno.build.os !== "linux") return "it takes Linux";
  if (!nativeEngine() && whyNoLoop) return `the kernel has no room for its loop: ${whyNoLoop}`;
  if (!engine) return "the C library's calls cannot be had: it takes glibc, and the permission ffi";
  return openSsl() ? undefined : whyNoOpenSsl();
}

/** The process's native engine; `undefined` where the system's calls are not to be had. */
export function nativeEngine(): NativeEngine | undefined {
  if (engine || whyNoLoop) return engine;
  const calls = socketCalls();
  try {
    return engine = calls && new NativeEngine(calls);
  } catch (error) {
    whyNoLoop = describeError(error);
    return undefined;
  }
}
