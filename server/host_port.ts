/**
 * HostAddress:HostPort of one service: a listener for clients that is opened again and again if it must.
 *
 * @module
 */

import { formatAddress } from "../protocol/address.ts";
import { Backoff } from "../net/backoff.ts";
import { describeError } from "../net/errors.ts";
import { Listener } from "../net/listener.ts";
import type { ServerEvent } from "./events.ts";
import type { ServerSettings } from "./options.ts";

/** What a host port needs of its session. */
export interface HostPortOwner {
  /** The server's settings. */
  readonly settings: ServerSettings;
  /** The device's name, where the profile has names. */
  readonly deviceName?: string | undefined;
  /** Tells subscribers. */
  emit(event: ServerEvent): void;
  /** A client has connected. */
  onClient(conn: Deno.TcpConn, port: HostPort): void;
  /** A client could not be accepted for want of descriptors. */
  onExhausted?(): void;
  /** The listener was opened, or could not be, after the first try. */
  onPortChanged?(port: HostPort): void;
}

/** Which port a free one came to before: clients know it. */
export interface KeptPort {
  /** The port, if there was one. */
  get(): number | undefined;
  /** Keeps it, or forgets it. */
  set(port: number | undefined): void;
  /** Whether a port of a range is somebody else's for good. */
  isReserved?(port: number): boolean;
  /** Whether a port is kept for another service: it is picked only if no other is left. */
  isKeptByOther?(port: number): boolean;
}

/** Tries for a free port that was kept and is in use, before another one is picked. */
export const KEPT_PORT_TRIES = 3;

/** Where to listen, and for what. */
export interface HostPortOptions {
  /** HostAddress. */
  readonly host: string;
  /** HostPort, or the first and last of a range; 0 picks a free one. */
  readonly ports: readonly [number, number];
  /** The service, as logs and events call it. */
  readonly localAddress: string;
  /** See {@linkcode KeptPort}. */
  readonly kept: KeptPort;
  /** What to wait for before the first try: ports that are being freed. */
  readonly after?: Promise<void> | undefined;
}

/** Opens its listener, again and again if it must: one port in use does not take the others down. */
export class HostPort {
  /** The service, as logs and events call it. */
  readonly localAddress: string;
  /** Why the listener is not open, if it is not. */
  error: string | undefined;

  readonly #options: HostPortOptions;
  readonly #owner: HostPortOwner;
  readonly #backoff = new Backoff();
  #listener: Listener | undefined;
  #cancelRetry: (() => void) | undefined;
  #isFirstTry = true;
  #failures = 0;
  #closed = false;

  /** Tries to open at once, or as soon as it may. */
  constructor(options: HostPortOptions, owner: HostPortOwner) {
    this.localAddress = options.localAddress;
    this.#options = options;
    this.#owner = owner;
    if (!options.after) {
      this.#open();
      this.#isFirstTry = false;
      return;
    }
    this.#isFirstTry = false;
    options.after.then(() => {
      if (this.#closed) return;
      this.#open();
      if (!this.isOpen) owner.onPortChanged?.(this);
    });
  }

  /** Whether it has been tried: it is open, or there is an error. */
  get isSettled(): boolean {
    return this.isOpen || this.error !== undefined;
  }

  /** The address really bound, or the one asked for while there is none. */
  get address(): string {
    if (this.#listener) return this.#listener.address;
    const { host, ports: [first, last] } = this.#options;
    return formatAddress({ host, port: first }) + (last === first ? "" : `-${last}`);
  }

  /** Whether clients can connect. */
  get isOpen(): boolean {
    return this.#listener !== undefined;
  }

  /** Frees the port. Idempotent. @returns when the port can be had again. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelRetry?.();
    this.#listener?.close();
    await this.#listener?.ended;
  }

  /** Whose service it is, in the logger's words: devices may call theirs the same. v1 has no names. */
  get #subject(): string {
    return this.#owner.deviceName === undefined ? "{localAddress}" : "{device}/{localAddress}";
  }

  get #subjectFacts(): { localAddress: string; device?: string } {
    const { localAddress } = this;
    const { deviceName: device } = this.#owner;
    return device === undefined ? { localAddress } : { localAddress, device };
  }

  #open(): void {
    const { settings } = this.#owner;
    const { clock, logger } = settings;
    const { localAddress } = this;
    try {
      this.#listener = this.#bind();
    } catch (error) {
      this.#options.kept.set(undefined);
      this.#failures++;
      const retryIn = this.#backoff.next();
      const message = this.error = describeError(error);
      const hostAddress = this.address;
      logger.error(`{error}; clients cannot reach ${this.#subject}; next try in {retryIn} ms`, {
        error: message,
        hostAddress,
        ...this.#subjectFacts,
        retryIn: Math.round(retryIn),
      });
      this.#owner.emit({
        type: "host-failed",
        hostAddress,
        localAddress,
        device: this.#owner.deviceName,
        error: message,
      });
      this.#cancelRetry = clock.after(retryIn, () => this.#open());
      return;
    }
    this.error = undefined;
    this.#failures = 0;
    this.#options.kept.set(this.#listener.port);
    const hostAddress = this.#listener.address;
    logger.info(`open {hostAddress} for ${this.#subject}`, { hostAddress, ...this.#subjectFacts });
    this.#owner.emit({ type: "host-open", hostAddress, localAddress, device: this.#owner.deviceName });
    if (!this.#isFirstTry) this.#owner.onPortChanged?.(this);
  }

  /** Binds the port that was kept, else the first of the range that can be had. */
  #bind(): Listener {
    const { host, ports: [first, last] } = this.#options;
    const { clock, logger } = this.#owner.settings;
    const candidates = this.#candidates();
    for (const [at, { port, warning }] of candidates.entries()) {
      try {
        const listener = Listener.open({ host, port }, clock, logger, (conn) => this.#owner.onClient(conn, this));
        listener.onExhausted = () => this.#owner.onExhausted?.();
        if (warning) {
          const before = this.#options.kept.get();
          const facts = {
            hostAddress: listener.address,
            ...this.#subjectFacts,
            ...(before !== undefined && { before }),
          };
          logger.warn(`{hostAddress} is for ${this.#subject} now: ${warning}`, facts);
        }
        return listener;
      } catch (error) {
        if (at === candidates.length - 1) throw error;
      }
    }
    throw new RangeError(`no port from ${first} to ${last}`);
  }

  /** The ports to try, in their order; with what their owner is to hear if it comes to that one. */
  #candidates(): { readonly port: number; readonly warning?: string }[] {
    const { ports: [first, last], kept } = this.#options;
    const found = kept.get();
    // It may be from a time when another port was asked for.
    const before = found !== undefined && (first === 0 || found >= first && found <= last) ? found : undefined;
    if (first === last) {
      if (before === undefined) return [{ port: first }];
      const another = { port: 0, warning: "port {before}, which it had, is in use" };
      return first === 0 && this.#failures >= KEPT_PORT_TRIES ? [{ port: before }, another] : [{ port: before }];
    }
    const range = Array.from({ length: last - first + 1 }, (_, at) => first + at)
      .filter((port) => port !== before && !kept.isReserved?.(port));
    const others = new Set(range.filter((port) => kept.isKeptByOther?.(port)));
    return [
      ...(before === undefined ? [] : [{ port: before }]),
      ...range.filter((port) => !others.has(port)).map((port) => ({ port })),
      ...[...others].map((port) => ({ port, warning: "it was kept for another service, and no other port is left" })),
    ];
  }
}
