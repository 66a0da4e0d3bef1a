/**
 * A listening socket whose accept loop survives what can happen to it.
 *
 * @module
 */

import { FAILED_ACCEPTS_PAUSE_MS, MAX_ACCEPT_PAUSE_MS, MAX_FAILED_ACCEPTS, MIN_ACCEPT_PAUSE_MS } from "./limits.ts";
import { type Address, formatAddress } from "../protocol/address.ts";
import type { Clock } from "../base/clock.ts";
import { describeError, errorCode, isExhaustion } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { ServerCertificate } from "./tls/listening.ts";
import { isShortOfDescriptors, type Taker } from "./kernel/descriptor_room.ts";
import type { Engine, ListeningSocket, Socket, TlsEngine, TlsSocket, UnixConnection } from "./socket.ts";
import { listenerPace } from "./tcp_keep_alive.ts";

/** An address could not be listened on. */
export class ListenError extends Error {
  /** The address that was asked for. */
  readonly address: Address;
  /** The system's word for it, such as `EADDRINUSE`. */
  readonly code: string | undefined;

  /** Wraps what the runtime threw; `at` is the address as people write it, where it is none with a port. */
  constructor(address: Address, cause: unknown, at?: string) {
    const code = errorCode(cause);
    const hint = at === undefined ? HINTS[code ?? ""] : undefined;
    super(`Cannot listen on ${at ?? formatAddress(address)}: ${hint ?? describeError(cause)}`, { cause });
    this.name = "ListenError";
    this.address = address;
    this.code = code;
  }
}

const HINTS: Record<string, string> = {
  EADDRINUSE: "the port is in use (`ss -ltnp` shows by whom); choose another, or 0 for any free one",
  EADDRNOTAVAIL: "this host does not have that address; 0.0.0.0 or [::] stands for all it has",
  EACCES: "ports below 1024 need privileges; choose a higher one, or grant CAP_NET_BIND_SERVICE",
};

/** Listens on one address and hands over each connection, until closed. */
export class Listener<C extends { close(): void } = Socket> {
  /** The address really bound, as text. */
  readonly address: string;
  /** The port really bound. */
  readonly port: number;
  /** Resolves when the accept loop has ended; never rejects. */
  readonly ended: Promise<void>;
  /** Called when descriptors have run out, but for those that are not for these connections: some had better be closed. */
  onExhausted: () => void = () => {};
  /** Whether they have. */
  isShort: () => boolean;

  readonly #bind: (address: Address) => ListeningSocket<C>;
  readonly #clock: Clock;
  readonly #log: Logger;
  #listener: ListeningSocket<C>;
  #wake: (() => void) | undefined;
  #renewing = false;
  #closed = false;

  private constructor(
    address: Address,
    bind: (address: Address) => ListeningSocket<C>,
    clock: Clock,
    log: Logger,
    onConn: (conn: C) => void,
    taker: Taker,
    format: (address: Address) => string = formatAddress,
  ) {
    this.#bind = bind;
    this.isShort = () => isShortOfDescriptors(taker);
    this.#clock = clock;
    this.#log = log;
    try {
      this.#listener = bind(address);
    } catch (error) {
      throw new ListenError(address, error);
    }
    this.address = format(this.#listener.address);
    this.port = this.#listener.address.port;
    this.ended = this.#accept(onConn);
  }

  /**
   * Binds and starts to accept.
   *
   * @param clients Given if clients come: they leave some descriptors to links, have TCP keep-alive from the start, and
   * with `resets` they end by a reset if nothing else ends them.
   * @throws {ListenError} if the address cannot be had.
   */
  static open(
    address: Address,
    engine: Engine,
    clock: Clock,
    log: Logger,
    onConn: (socket: Socket) => void,
    clients?: { readonly tcpKeepAlive: number; readonly resets?: boolean },
  ): Listener {
    const options = clients && { keepAlive: listenerPace(clients.tcpKeepAlive), resets: clients.resets ?? false };
    const bind = (at: Address) => engine.listen(at, options);
    return new Listener(address, bind, clock, log, onConn, clients ? "client" : "link");
  }

  /** The same for clients at a Unix socket which listens already, and which it takes over. */
  static over(
    socket: ListeningSocket<UnixConnection>,
    clock: Clock,
    log: Logger,
    onConn: (conn: UnixConnection) => void,
  ): Listener<UnixConnection> {
    const format = ({ host }: Address) => `unix:${host}`;
    return new Listener<UnixConnection>(socket.address, () => socket, clock, log, onConn, "client", format);
  }

  /**
   * The same with TLS from the first byte on. The connections handed over have not gone through their handshake. When the
   * certificate changes, the port is opened anew with it; connections that were handed over live on.
   *
   * @throws {ListenError} if the address cannot be had.
   */
  static openTls(
    address: Address,
    certificate: ServerCertificate,
    listen: NonNullable<TlsEngine["listen"]>,
    clock: Clock,
    log: Logger,
    onConn: (socket: TlsSocket) => void,
  ): Listener<TlsSocket> {
    const bind = (at: Address) => listen(at, certificate.pair);
    const listener = new Listener<TlsSocket>(address, bind, clock, log, onConn, "link");
    listener.ended.then(certificate.subscribe(() => listener.#renew()));
    return listener;
  }

  /** Stops to accept, and frees the port. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.close();
    this.#wake?.();
  }

  /** Closes the socket; the accept loop opens it anew, as the port is free only when a pending accept has ended. */
  #renew(): void {
    if (this.#closed) return;
    this.#renewing = true;
    this.#listener.close();
    this.#wake?.();
  }

  async #accept(onConn: (conn: C) => void): Promise<void> {
    let pause = MIN_ACCEPT_PAUSE_MS;
    let failed = 0; // in a row
    await undefined; // whoever opened it has it before the first one comes, who may wait already
    while (!this.#closed) {
      let conn: C;
      try {
        const next = this.#listener.accept();
        conn = next instanceof Promise ? await next : next;
      } catch (error) {
        if (this.#closed) return;
        if (this.#renewing) {
          await this.#openAnew();
          continue;
        }
        if (isExhaustion(error)) {
          await this.#pause(describeError(error), pause);
          pause = Math.min(MAX_ACCEPT_PAUSE_MS, pause * 2);
        } else {
          // The client went before it was accepted (a reset, ECONNABORTED and its kin): that costs nobody else any time.
          this.#log.debug("accept on {address} failed: {error}", {
            address: this.address,
            error: describeError(error),
          });
          failed = (failed + 1) % MAX_FAILED_ACCEPTS;
          if (failed === 0) await this.#sleep(FAILED_ACCEPTS_PAUSE_MS);
        }
        continue;
      }
      failed = 0;
      pause = MIN_ACCEPT_PAUSE_MS;
      if (this.#closed) conn.close();
      else this.#handOver(conn, onConn);
      if (this.isShort()) await this.#awaitRoom();
    }
  }

  /** Waits until there is more than what is not for these connections. Those that were closed may need a moment for it. */
  async #awaitRoom(): Promise<void> {
    for (let pause = 1; !this.#closed && !this.#renewing && this.isShort();) {
      if (pause < MIN_ACCEPT_PAUSE_MS) await this.#sleep(pause);
      else await this.#pause("nearly all descriptors are in use, and the rest is for links and files", pause);
      pause = Math.min(MAX_ACCEPT_PAUSE_MS, pause * 2);
    }
  }

  /** Descriptors have run out: lets others make room, and waits. */
  async #pause(why: string, ms: number): Promise<void> {
    const error = `${why}; raise the limit with ulimit -n`;
    this.#log.warn("accepting on {address} pauses: {error}", { address: this.address, error });
    this.onExhausted();
    await this.#sleep(ms);
  }

  /** Whatever becomes of one connection, the next one is accepted. */
  #handOver(conn: C, onConn: (conn: C) => void): void {
    try {
      onConn(conn);
    } catch (error) {
      conn.close();
      const { address } = this;
      this.#log.error("a connection to {address} was dropped: {error}", { address, error: describeError(error) });
    }
  }

  /** Opens the same port again, as often as it takes. */
  async #openAnew(): Promise<void> {
    let said = "";
    const { host } = this.#listener.address; // a name is not asked for again: it would stop all others meanwhile
    for (let pause = MIN_ACCEPT_PAUSE_MS; !this.#closed; pause = Math.min(MAX_ACCEPT_PAUSE_MS, pause * 2)) {
      this.#renewing = false;
      try {
        this.#listener = this.#bind({ host, port: this.port });
        return;
      } catch (cause) {
        const error = describeError(cause);
        const { address } = this;
        if (error !== said) {
          this.#log.error("Cannot listen on {address} again: {error}; it is tried on", { address, error });
        }
        said = error;
      }
      await this.#sleep(pause);
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(ms, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}
