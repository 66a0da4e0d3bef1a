/**
 * HostAddress:HostPort of one forward, open while its link lives.
 *
 * @module
 */

import { formatAddress } from "../protocol/address.ts";
import { Backoff } from "../net/backoff.ts";
import { describeError } from "../net/errors.ts";
import { Listener } from "../net/listener.ts";
import type { ServerEvent } from "./events.ts";
import type { Forward, ServerSettings } from "./options.ts";

/** What a host port needs of its session. */
export interface HostPortOwner {
  /** The server's settings. */
  readonly settings: ServerSettings;
  /** Tells subscribers. */
  emit(event: ServerEvent): void;
  /** The ports that port 0 came to before, by forward: clients know them. */
  readonly keptPorts: Map<Forward, number>;
  /** A client has connected. */
  onClient(conn: Deno.TcpConn, port: HostPort): void;
}

/** Opens its listener, again and again if it must: one port in use does not take the others down. */
export class HostPort {
  /** What it stands for. */
  readonly forward: Forward;

  readonly #owner: HostPortOwner;
  readonly #backoff = new Backoff();
  #listener: Listener | undefined;
  #cancelRetry: (() => void) | undefined;

  /** Tries to open at once. */
  constructor(forward: Forward, owner: HostPortOwner) {
    this.forward = forward;
    this.#owner = owner;
    this.#open();
  }

  /** The address really bound, or the one asked for while there is none. */
  get address(): string {
    return this.#listener?.address ?? formatAddress(this.forward.hostAddress);
  }

  /** Frees the port. Idempotent. @returns when the port can be had again. */
  async close(): Promise<void> {
    this.#cancelRetry?.();
    this.#listener?.close();
    await this.#listener?.ended;
  }

  get #port(): number {
    return this.#owner.keptPorts.get(this.forward) ?? this.forward.hostAddress.port;
  }

  #open(): void {
    const { settings } = this.#owner;
    const { clock, logger } = settings;
    const localAddress = formatAddress(this.forward.localAddress);
    try {
      this.#listener = Listener.open(
        { ...this.forward.hostAddress, port: this.#port },
        clock,
        logger,
        (conn) => this.#owner.onClient(conn, this),
      );
    } catch (error) {
      this.#owner.keptPorts.delete(this.forward);
      const retryIn = this.#backoff.next();
      const message = describeError(error);
      const hostAddress = this.address;
      logger.error("{error}; clients cannot reach {localAddress}; next try in {retryIn} ms", {
        error: message,
        hostAddress,
        localAddress,
        retryIn: Math.round(retryIn),
      });
      this.#owner.emit({ type: "host-failed", hostAddress, localAddress, error: message });
      this.#cancelRetry = clock.after(retryIn, () => this.#open());
      return;
    }
    this.#owner.keptPorts.set(this.forward, this.#listener.port);
    const hostAddress = this.#listener.address;
    logger.info("open {hostAddress} for {localAddress}", { hostAddress, localAddress });
    this.#owner.emit({ type: "host-open", hostAddress, localAddress });
  }
}
