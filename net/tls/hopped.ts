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
import { cutTls } from "../kernel/socket.ts";
import type { ServerCertificate } from "./listening.ts";
import { closeQuietly, type Duplex, tlsTransport, type Transport, tuneSocket } from "../transport.ts";

/** Whose hop it is that arrives at the inner port. */
interface Coming {
  readonly transport: Transport;
  readonly hop: LoopbackHop;
}

/** Speaks TLS on connections that were accepted, and partly read, elsewhere. */
export class HoppedTls {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #listener: Listener<Deno.TlsConn>;
  readonly #onConn: (transport: Transport, conn: Deno.TlsConn) => void;
  readonly #hops = new Set<LoopbackHop>();
  /** By the port from which they come: those that were dialled, and those that were accepted before that was known. */
  readonly #coming = new Map<number, Coming>();
  readonly #arrived = new Map<number, { readonly conn: Deno.TlsConn; readonly noDelay: boolean }>();
  #dialling = 0;
  #closed = false;

  /**
   * Opens the inner port.
   *
   * @param onConn Is given each connection before its handshake, with the addresses of the outer one.
   * @throws {ListenError} if there is none.
   */
  constructor(
    certificate: ServerCertificate,
    clock: Clock,
    log: Logger,
    onConn: (transport: Transport, conn: Deno.TlsConn) => void,
  ) {
    this.#clock = clock;
    this.#log = log;
    this.#onConn = onConn;
    const address = { host: "127.0.0.1", port: 0 };
    this.#listener = Listener.openTls(address, certificate, clock, log, (conn, noDelay) => this.#arrive(conn, noDelay));
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
  async enter(outer: Transport): Promise<void> {
    if (this.#closed || this.#dialling >= MAX_HANDSHAKES) return outer.cut();
    this.#dialling++;
    try {
      const conn = await Deno.connect({ hostname: "127.0.0.1", port: this.port });
      tuneSocket(conn);
      const { port } = conn.localAddr;
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

  #arrive(conn: Deno.TlsConn, noDelay: boolean): void {
    const { port } = conn.remoteAddr;
    this.#arrived.set(port, { conn, noDelay });
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
    const inner = tlsTransport(arrived.conn, arrived.noDelay);
    const cut = () => {
      inner.cut();
      hop.close();
    };
    this.#onConn({ ...inner, duplex: new HoppedDuplex(arrived.conn, hop), local, remote, cut }, arrived.conn);
  }

  /** Closes those for whom nobody has dialled. */
  #forget(): void {
    for (const { conn } of this.#arrived.values()) cutTls(conn);
    this.#arrived.clear();
  }
}

/** The inner connection, whose end is that of its hop. */
class HoppedDuplex implements Duplex {
  readonly #conn: Deno.TlsConn;
  readonly #hop: LoopbackHop;

  constructor(conn: Deno.TlsConn, hop: LoopbackHop) {
    this.#conn = conn;
    this.#hop = hop;
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#conn.read(into);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#conn.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.#conn.closeWrite();
  }

  close(): void {
    closeQuietly(this.#conn);
    this.#hop.finish();
  }
}
