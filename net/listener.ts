/**
 * A listening socket whose accept loop survives what can happen to it.
 *
 * @module
 */

import { type Address, formatAddress } from "../protocol/address.ts";
import type { Clock } from "./clock.ts";
import { describeError, errorCode, isExhaustion } from "./errors.ts";
import { MAX_ACCEPT_PAUSE_MS, MIN_ACCEPT_PAUSE_MS } from "./limits.ts";
import type { Logger } from "./logger.ts";
import { closeQuietly, formatNetAddr } from "./transport.ts";

/** An address could not be listened on. */
export class ListenError extends Error {
  /** The address that was asked for. */
  readonly address: Address;
  /** The system's word for it, such as `EADDRINUSE`. */
  readonly code: string | undefined;

  /** Wraps what the runtime threw. */
  constructor(address: Address, cause: unknown) {
    const code = errorCode(cause);
    super(`Cannot listen on ${formatAddress(address)}: ${HINTS[code ?? ""] ?? describeError(cause)}`, { cause });
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
export class Listener {
  /** The address really bound, as text. */
  readonly address: string;
  /** The port really bound. */
  readonly port: number;
  /** Resolves when the accept loop has ended; never rejects. */
  readonly ended: Promise<void>;

  readonly #listener: Deno.TcpListener;
  readonly #clock: Clock;
  readonly #log: Logger;
  #wake: (() => void) | undefined;
  #closed = false;

  private constructor(listener: Deno.TcpListener, clock: Clock, log: Logger, onConn: (conn: Deno.TcpConn) => void) {
    this.#listener = listener;
    this.#clock = clock;
    this.#log = log;
    this.address = formatNetAddr(listener.addr);
    this.port = listener.addr.port;
    this.ended = this.#accept(onConn);
  }

  /**
   * Binds and starts to accept.
   *
   * @throws {ListenError} if the address cannot be had.
   */
  static open(address: Address, clock: Clock, log: Logger, onConn: (conn: Deno.TcpConn) => void): Listener {
    let listener: Deno.TcpListener;
    try {
      listener = Deno.listen({ hostname: address.host, port: address.port });
    } catch (error) {
      throw new ListenError(address, error);
    }
    return new Listener(listener, clock, log, onConn);
  }

  /** Stops to accept, and frees the port. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeQuietly(this.#listener);
    this.#wake?.();
  }

  async #accept(onConn: (conn: Deno.TcpConn) => void): Promise<void> {
    let pause = MIN_ACCEPT_PAUSE_MS;
    while (!this.#closed) {
      let conn: Deno.TcpConn;
      try {
        conn = await this.#listener.accept();
      } catch (error) {
        if (this.#closed) return;
        if (isExhaustion(error)) {
          this.#log.warn("accepting on {address} pauses: {error}", {
            address: this.address,
            error: `${describeError(error)}; raise the limit with ulimit -n`,
          });
        } else {
          // The client went before it was accepted (ECONNABORTED and its kin): the next one is another matter.
          this.#log.debug("accept on {address} failed: {error}", {
            address: this.address,
            error: describeError(error),
          });
        }
        await this.#sleep(pause);
        pause = Math.min(MAX_ACCEPT_PAUSE_MS, pause * 2);
        continue;
      }
      pause = MIN_ACCEPT_PAUSE_MS;
      if (this.#closed) closeQuietly(conn);
      else onConn(conn);
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
