/**
 * TLS 1.3 on the sockets of the native engine.
 *
 * @module
 */

import { type Address, formatAddress } from "../../protocol/address.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import { ENDS_KEPT } from "./limits.ts";
import type { EventLoop } from "./event_loop.ts";
import { explainTls } from "./explain_tls.ts";
import { TcpSocket } from "./tcp_socket.ts";
import { NativeTlsSocket } from "./tls_socket.ts";
import { TlsContext, type Trust } from "../openssl/context.ts";
import { TlsSetupError } from "../openssl/errors.ts";
import { TlsSession } from "../openssl/session.ts";
import type { Engine, Socket, TlsEngine, TlsEntrance, TlsSocket, TlsTarget } from "../socket.ts";
import { PINNED_NAME } from "../tls/certificate.ts";
import { type CertificatePair, PairError } from "../tls/certificate_files.ts";
import { ALPN, type ServerCertificate } from "../tls/listening.ts";
import type { TlsSecurity } from "../tls/proof.ts";
import { type SocketTransport, tlsTransport, type Transport } from "../transport.ts";

/** TLS over the sockets of `sockets`, whose loop is `loop`. OpenSSL has to be there. */
export class NativeTls implements TlsEngine {
  readonly sockets: Engine;
  readonly binds = true;
  readonly descriptorsPerEntrance = 1;
  readonly listen = undefined;
  readonly #loop: EventLoop;
  /** By whom they trust: what takes long is to read the CAs of a system. */
  readonly #contexts = new Map<string, TlsContext>();

  constructor(sockets: Engine, loop: EventLoop) {
    this.sockets = sockets;
    this.#loop = loop;
  }

  demandProvable(): void {}

  demandUsable(pair: CertificatePair): void {
    try {
      TlsContext.server(pair, { alpn: ALPN }).close();
    } catch (cause) {
      if (!(cause instanceof TlsSetupError)) throw cause;
      throw new PairError(cause.kind === "mismatch" ? "mismatch" : "unusable", cause.message, { cause });
    }
  }

  async connect(
    socket: Socket,
    target: TlsTarget,
    onTls: (tls: Pick<TlsSocket, "cut">) => void,
  ): Promise<TlsSocket> {
    const { server: { host }, security } = target;
    const { localAddress, remoteAddress } = socket;
    const context = this.#contextFor(security);
    const names = security.kind === "pinned"
      ? { serverName: security.sni ?? PINNED_NAME, verifyName: undefined }
      : { serverName: host.replace(/\.$/, ""), verifyName: host.replace(/\.$/, "") }; // certificates name no root
    const fd = detach(socket);
    const makeSession = () => TlsSession.connect(context, fd, names);
    const secured = secure(this.#loop, fd, makeSession, localAddress, remoteAddress);
    onTls(secured);
    try {
      await secured.shakeHands();
      return secured;
    } catch (error) {
      secured.cut();
      throw explainTls(error, target);
    }
  }

  entrance(
    certificate: ServerCertificate,
    _clock: unknown,
    log: Logger,
    onConn: (transport: Transport, tls: TlsSocket) => void,
  ): TlsEntrance {
    return new NativeEntrance(this.#loop, certificate, log, onConn);
  }

  #contextFor(security: TlsSecurity): TlsContext {
    const trust: Trust = security.kind === "pinned"
      ? { kind: "pinned", keys: [security.serverKey] }
      : security.caCerts
      ? { kind: "ca", pem: security.caCerts.join("\n") }
      : { kind: "system" };
    const key = JSON.stringify(security);
    const known = this.#contexts.get(key);
    if (known) return known;
    const context = TlsContext.client({ alpn: ALPN, trust });
    this.#contexts.set(key, context);
    if (this.#contexts.size > ENDS_KEPT) {
      const [oldest] = this.#contexts;
      oldest![1].close();
      this.#contexts.delete(oldest![0]);
    }
    return context;
  }
}

/** Newcomers are given the certificate that there is when they come. */
class NativeEntrance implements TlsEntrance {
  readonly #loop: EventLoop;
  readonly #certificate: ServerCertificate;
  readonly #log: Logger;
  readonly #onConn: (transport: Transport, tls: TlsSocket) => void;
  #context: TlsContext | undefined;
  #tried: CertificatePair | undefined; // of which the context is, if it could be made
  #closed = false;

  constructor(
    loop: EventLoop,
    certificate: ServerCertificate,
    log: Logger,
    onConn: (transport: Transport, tls: TlsSocket) => void,
  ) {
    this.#loop = loop;
    this.#certificate = certificate;
    this.#log = log;
    this.#onConn = onConn;
    this.#current();
  }

  enter(outer: SocketTransport): void {
    if (this.#closed) return outer.cut();
    const { localAddress, remoteAddress } = outer.duplex;
    const context = this.#current();
    const fd = detach(outer.duplex);
    const makeSession = () => TlsSession.accept(context, fd);
    const secured = secure(this.#loop, fd, makeSession, localAddress, remoteAddress);
    this.#onConn({ ...tlsTransport(secured), local: outer.local, remote: outer.remote }, secured);
  }

  close(): void {
    this.#closed = true;
    this.#context?.close();
    this.#context = undefined;
  }

  ended(): Promise<void> {
    return Promise.resolve();
  }

  /** @throws If there never was one; later on, one that cannot be made leaves the one before. */
  #current(): TlsContext {
    const { pair } = this.#certificate;
    if (this.#tried !== pair) {
      this.#tried = pair;
      try {
        const context = TlsContext.server(pair, { alpn: ALPN });
        this.#context?.close();
        this.#context = context;
      } catch (error) {
        if (!this.#context) throw error;
        const why = describeError(error);
        this.#log.error("the new certificate is not taken up: {error}; the one in use stays", { error: why });
      }
    }
    return this.#context!;
  }
}

/** Takes over `fd`, with a session on it. @throws If that cannot be; both are closed then. */
function secure(
  loop: EventLoop,
  fd: number,
  makeSession: () => TlsSession,
  local: Address,
  remote: Address,
): NativeTlsSocket {
  let session: TlsSession;
  try {
    session = makeSession();
  } catch (error) {
    loop.calls.close(fd);
    throw error;
  }
  try {
    return new NativeTlsSocket(loop, fd, session, local, remote);
  } catch (error) {
    session.free();
    throw error;
  }
}

function detach(socket: Socket): number {
  if (socket instanceof TcpSocket) return socket.detach();
  throw new TypeError(`the connection from ${formatAddress(socket.remoteAddress)} is another engine's`);
}
