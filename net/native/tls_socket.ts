/**
 * A TLS connection: OpenSSL on a socket of the kernel's.
 *
 * @module
 */

import { SHUT_WR } from "../kernel/libc.ts";
import type { Address } from "../../protocol/address.ts";
import { CHANNEL_BINDING_LABEL, type TlsSession, WANT_WRITE } from "../openssl/session.ts";
import { TlsError } from "../openssl/errors.ts";
import { MAX_UNREAD_DROPPED } from "./limits.ts";
import { closedError } from "../kernel/errno.ts";
import { type EventLoop, WRITABLE } from "./event_loop.ts";
import { outstanding, setLinger, tcpFactsOf } from "./options.ts";
import { LATER, Stream } from "./stream.ts";
import type { TcpFacts, TlsSocket } from "../socket.ts";
import { TlsHandshakeError } from "../tls/listening.ts";
import { certificateEnd } from "../tls/validity.ts";

const rest = new Uint8Array(4_096);

/** Owns its descriptor and its session. */
export class NativeTlsSocket extends Stream implements TlsSocket {
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  readonly noDelay = true;
  readonly #session: TlsSession;
  #handshake: PromiseWithResolvers<void> | undefined;
  #farewell: PromiseWithResolvers<void> | undefined;
  #readsWhenWritable = false;
  #isOpen = false; // its handshake is done

  /** Takes over `fd` and the session on it. */
  constructor(loop: EventLoop, fd: number, session: TlsSession, local: Address, remote: Address) {
    super(loop, fd);
    this.#session = session;
    this.localAddress = local;
    this.remoteAddress = remote;
  }

  /**
   * Goes through the handshake of either side.
   *
   * @throws {TlsError} if it failed; {Deno.errors.BadResource} if it was closed meanwhile.
   */
  shakeHands(): Promise<void> {
    if (this.fd < 0) return Promise.reject(closedError());
    this.#handshake = Promise.withResolvers();
    const { promise } = this.#handshake;
    this.#step();
    return promise;
  }

  async handshake(): Promise<void> {
    try {
      await this.shakeHands();
    } catch (error) {
      if (error instanceof TlsError && error.kind === "not-tls") this.#dropUnread(); // the refusal has to arrive
      const isCut = error instanceof TlsError && (error.kind === "eof" || error.kind === "socket");
      const refusesKey = error instanceof TlsError && error.kind === "refused-certificate";
      const isMute = isCut && !this.#session.hasReceived;
      this.cut();
      const why = error instanceof Error ? error.message : String(error);
      throw new TlsHandshakeError(`the TLS handshake failed: ${why}${hintFor(error)}`, {
        isMute,
        refusesKey,
        cause: error,
      });
    }
  }

  /** What others have of it; see {@linkcode TlsSession.exporter}. */
  exporter(): Uint8Array {
    return this.#session.exporter(CHANNEL_BINDING_LABEL, 32);
  }

  tcp(): TcpFacts | undefined {
    return this.fd < 0 ? undefined : tcpFactsOf(this.calls, this.fd);
  }

  peerEnds(): number | undefined {
    const shown = this.#session.peerCertificate();
    return shown && certificateEnd(shown);
  }

  override onReady(events: number): void {
    super.onReady(events);
    if (this.#handshake) this.#step();
    if (this.#farewell) this.#sayFarewell();
    if (this.#readsWhenWritable && (events & WRITABLE) !== 0) {
      this.#readsWhenWritable = false;
      this.onTurn();
    }
  }

  protected attemptRead(into: Uint8Array): number {
    const count = this.#session.read(into);
    if (count > 0 && this.#session.isDrained && !this.readsShort) this.drained();
    if (count >= 0) return count;
    if (count === WANT_WRITE) this.#readsWhenWritable = true;
    return LATER;
  }

  protected attemptWrite(bytes: Uint8Array): number {
    const count = this.#session.write(bytes);
    return count > 0 ? count : LATER;
  }

  closeWrite(): Promise<void> {
    if (this.fd < 0) return Promise.reject(closedError());
    this.#farewell ??= Promise.withResolvers();
    const { promise } = this.#farewell;
    this.#sayFarewell();
    return promise;
  }

  close(): void {
    const { fd } = this;
    if (fd < 0) return;
    try {
      this.#session.closeWrite();
    } catch {
      // It has failed already.
    }
    this.calls.shutdown(fd, SHUT_WR);
    this.#dropUnread();
    this.#free();
  }

  /** With bytes unread, such as tickets of a server from which nothing else came, a close would be a reset. */
  #dropUnread(): void {
    const { calls, fd } = this;
    for (let left = MAX_UNREAD_DROPPED; left > 0;) {
      const count = calls.recvNow(fd, rest, rest.length, 0);
      if (count <= 0) return;
      left -= count;
    }
  }

  cut(): void {
    const { calls, fd } = this;
    // What a peer that stands still has not taken would stay with the system for minutes. An alert has to arrive.
    if (this.#isOpen && fd >= 0 && outstanding(calls, fd) > 0) setLinger(calls, fd, true);
    this.#free();
  }

  #free(): void {
    if (!this.release()) return;
    this.#session.free();
    this.#handshake?.reject(closedError());
    this.#farewell?.reject(closedError());
    this.#handshake = this.#farewell = undefined;
  }

  #step(): void {
    const handshake = this.#handshake!;
    try {
      if (this.#session.handshake() !== "done") return; // the next event comes here
      this.#isOpen = true;
      this.#handshake = undefined;
      handshake.resolve();
    } catch (error) {
      this.#handshake = undefined;
      handshake.reject(error);
    }
  }

  #sayFarewell(): void {
    const farewell = this.#farewell!;
    try {
      if (this.#session.closeWrite() !== "done") return;
      this.calls.shutdown(this.fd, SHUT_WR);
      farewell.resolve();
    } catch (error) {
      farewell.reject(error);
    }
    this.#farewell = undefined;
  }
}

function hintFor(error: unknown): string {
  if (!(error instanceof TlsError) || error.kind !== "not-tls") return "";
  return " (a load balancer's PROXY header needs --proxy-from); a device that is told --plain or --profile v1, or a stranger";
}
