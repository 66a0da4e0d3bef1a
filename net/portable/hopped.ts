/**
 * A TLS listener behind one that reads what comes before TLS: the runtime begins TLS at a connection's first byte, and
 * nowhere else. So TLS is spoken on a port of the loopback interface, where nobody else gets in, and each connection takes
 * a second hop to it.
 *
 * @module
 */

import { MAX_HANDSHAKES } from "../limits.ts";
import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import { Listener } from "../listener.ts";
import type { Logger } from "../../base/logger.ts";
import { LoopbackHop } from "./loopback_hop.ts";
import type { ServerCertificate } from "../tls/listening.ts";
import type { Duplex, Engine, Soon, TlsEngine, TlsEntrance, TlsSocket } from "../socket.ts";
import { type SocketTransport, tlsTransport, type Transport } from "../transport.ts";

const HERE = "127.0.0.1";
const NEVER = new AbortController().signal;

/** Whose hop it is that arrives at the inner port. */
interface Coming {
  readonly transport: Transport;
  readonly hop: LoopbackHop;
}

/** Speaks TLS on connections that were accepted, and partly read, elsewhere. */
export class HoppedTls implements TlsEntrance {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #sockets: Engine;
  readonly #listener: Listener<TlsSocket>;
  readonly #onConn: (transport: Transport, tls: TlsSocket) => void;
  readonly #hops = new Set<LoopbackHop>();
  /** By the port from which they come: those that were dialled, and those that were accepted before that was known. */
  readonly #coming = new Map<number, Coming>();
  readonly #arrived = new Map<number, TlsSocket>();
  #dialling = 0;
  #closed = false;

  /**
   * Opens the inner port, with `listen`.
   *
   * @param onConn Is given each connection before its handshake, with the addresses of the outer one.
   * @throws {ListenError} if there is none.
   */
  constructor(
    engine: Engine,
    listen: NonNullable<TlsEngine["listen"]>,
    certificate: ServerCertificate,
    clock: Clock,
    log: Logger,
    onConn: (transport: Transport, tls: TlsSocket) => void,
  ) {
    this.#sockets = engine;
    this.#clock = clock;
    this.#log = log;
    this.#onConn = onConn;
    const address = { host: HERE, port: 0 };
    this.#listener = Listener.openTls(address, certificate, listen, clock, log, (tls) => this.#arrive(tls));
  }

  /** The inner port, on 127.0.0.1. */
  get port(): number {
    return this.#listener.port;
  }

  /** Resolves when nothing of it is left, after {@linkcode HoppedTls.close} and the end of its connections. */
  async ended(): Promise<void> {
    await this.#listener.ended;
    await Promise.all([...this.#hops].map((hop) => hop.ended));
  }

  /** Stops to take connections. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#listener.close();
    this.#forget();
  }

  /** Takes over a connection whose next byte is the first one of TLS. */
  async enter(outer: SocketTransport): Promise<void> {
    if (this.#closed || this.#dialling >= MAX_HANDSHAKES) return outer.cut();
    this.#dialling++;
    try {
      const conn = await this.#sockets.connect({ host: HERE, port: this.port }, { signal: NEVER });
      const { port } = conn.localAddress;
      const hop = new LoopbackHop(outer.duplex, conn, this.#clock);
      this.#hops.add(hop);
      hop.ended.then(() => {
        this.#hops.delete(hop);
        if (this.#coming.get(port)?.hop === hop) this.#coming.delete(port);
      });
      if (this.#closed) return hop.close();
      this.#coming.set(port, { transport: outer, hop });
      this.#match(port);
    } catch (error) {
      outer.cut();
      const { remote } = outer;
      this.#log.warn("{remote} was closed on its way to TLS: {error}", { remote, error: describeError(error) });
    } finally {
      if (--this.#dialling === 0) this.#forget();
    }
  }

  #arrive(tls: TlsSocket): void {
    const { port } = tls.remoteAddress;
    this.#arrived.set(port, tls);
    this.#match(port);
    // Whoever else found the port, on this machine, has no business here.
    if (this.#dialling === 0 || this.#arrived.size > MAX_HANDSHAKES) this.#forget();
  }

  #match(port: number): void {
    const [coming, arrived] = [this.#coming.get(port), this.#arrived.get(port)];
    if (!coming || !arrived) return;
    this.#coming.delete(port);
    this.#arrived.delete(port);
    const { transport: { local, remote }, hop } = coming;
    const inner = tlsTransport(arrived);
    const cut = () => {
      inner.cut();
      hop.close();
    };
    this.#onConn({ ...inner, duplex: new HoppedDuplex(arrived, hop), local, remote, cut }, arrived);
  }

  /** Closes those for whom nobody has dialled. */
  #forget(): void {
    for (const tls of this.#arrived.values()) tls.cut();
    this.#arrived.clear();
  }
}

/** The inner connection, whose end is that of its hop. */
class HoppedDuplex implements Duplex {
  readonly #conn: Duplex;
  readonly #hop: LoopbackHop;

  constructor(conn: Duplex, hop: LoopbackHop) {
    this.#conn = conn;
    this.#hop = hop;
  }

  read(into: Uint8Array): Soon<number | null> {
    return this.#conn.read(into);
  }

  write(bytes: Uint8Array): Soon<number> {
    return this.#conn.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.#conn.closeWrite();
  }

  close(): void {
    this.#conn.close();
    this.#hop.finish();
  }
}
