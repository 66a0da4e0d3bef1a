/**
 * A TCP connection on the kernel's own interface.
 *
 * @module
 */

import { SHUT_WR } from "../kernel/libc.ts";
import type { Address } from "../../protocol/address.ts";
import { closedError, socketError } from "../kernel/errno.ts";
import type { EventLoop } from "./event_loop.ts";
import { isClosed, keepAliveOf, outstanding, setKeepAlive, setLinger, signsOf, tcpFactsOf } from "./options.ts";
import { localAddressOf } from "../kernel/socket_address.ts";
import { SocketStream } from "./stream.ts";
import type { KeepAlivePace, ListenOptions, PeerSigns, Socket, TcpFacts } from "../socket.ts";

/** A connection that is made. */
export class TcpSocket extends SocketStream implements Socket {
  #local: Address | undefined;
  readonly #remote: Address;
  // As the system has them: what it has already need not be set.
  #resetsAtClose: boolean;
  #pace: KeepAlivePace | "off" | undefined;

  /** Takes over `fd`, a connection to `remote`, with what its listening socket gave it; see {@linkcode SocketStream}. */
  constructor(
    loop: EventLoop,
    fd: number,
    remote: Address,
    { keepAlive, resets = false }: ListenOptions = {},
    isWatched = false,
  ) {
    super(loop, fd, isWatched);
    this.#remote = remote;
    this.#pace = keepAlive;
    this.#resetsAtClose = resets;
  }

  get localAddress(): Address {
    return this.#local ??= localAddressOf(this.calls, this.fd);
  }

  get remoteAddress(): Address {
    return this.#remote;
  }

  /** Gives its descriptor to a new owner. */
  detach(): number {
    const { fd } = this;
    if (fd < 0) throw closedError();
    this.letGo();
    return fd;
  }

  closeWrite(): Promise<void> {
    const { calls, fd } = this;
    this.needsNoEnd = true;
    if (calls.shutdown(fd, SHUT_WR) === 0) return Promise.resolve();
    return Promise.reject(socketError(calls.errno()));
  }

  close(): void {
    const { calls, fd } = this;
    if (fd < 0) return;
    if (!this.#resetsAtClose && !this.needsNoEnd) calls.shutdown(fd, SHUT_WR); // with bytes unread, a close alone would reset
    this.release();
  }

  reset(): void {
    const { calls, fd } = this;
    if (fd < 0) return;
    if (!this.#resetsAtClose) setLinger(calls, fd, true);
    this.release();
  }

  setResetAtClose(isReset: boolean): void {
    if (this.fd < 0 || isReset === this.#resetsAtClose) return;
    this.#resetsAtClose = isReset;
    setLinger(this.calls, this.fd, isReset);
  }

  /** Both ends may have ended in order: the kernel's state tells. */
  protected override isGone(): boolean {
    return isClosed(this.calls, this.fd);
  }

  unacknowledged(): number {
    return this.fd < 0 ? 0 : outstanding(this.calls, this.fd);
  }

  setKeepAlive(pace: KeepAlivePace | undefined): void {
    if (this.fd < 0 || samePace(pace ?? "off", this.#pace)) return;
    this.#pace = setKeepAlive(this.calls, this.fd, pace) ? pace ?? "off" : undefined; // what failed is tried again
  }

  keepAlive(): KeepAlivePace | "off" | undefined {
    return this.fd < 0 ? undefined : keepAliveOf(this.calls, this.fd);
  }

  signs(): PeerSigns | undefined {
    return this.fd < 0 ? undefined : signsOf(this.calls, this.fd);
  }

  tcp(): TcpFacts | undefined {
    return this.fd < 0 ? undefined : tcpFactsOf(this.calls, this.fd);
  }
}

function samePace(a: KeepAlivePace | "off", b: KeepAlivePace | "off" | undefined): boolean {
  if (typeof a === "string" || typeof b !== "object") return a === b;
  return a.idle === b.idle && a.interval === b.interval && a.probes === b.probes;
}
