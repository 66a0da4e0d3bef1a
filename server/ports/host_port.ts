/**
 * HostAddress:HostPort of one service: a listener for clients that is opened again and again if it must.
 *
 * @module
 */

import { KEPT_PORT_TRIES, MAX_BINDS_A_TURN } from "../limits.ts";
import { formatAddress } from "../../protocol/address.ts";
import type { Connection, Socket, UnixConnection } from "../../net/socket.ts";
import { parseIP } from "../../protocol/ip.ts";
import { Backoff } from "../../base/backoff.ts";
import { describeError } from "../../base/errors.ts";
import { Listener, ListenError } from "../../net/listener.ts";
import { lookup } from "../../net/dial/lookup.ts";
import type { ServerEvent } from "../events.ts";
import type { ServerSettings } from "../options.ts";
import type { KeptPort } from "./kept_ports.ts";
import { PortsInUse } from "./ports_in_use.ts";
import { formatUdp, type UdpDetails } from "../../net/udp/address.ts";
import type { DatagramCounts } from "../../net/udp/counts.ts";
import { UdpPort } from "../udp/udp_port.ts";
import { isUnixHost, type UnixHostAddress } from "./unix_host.ts";
import { listenUnix } from "./unix_listener.ts";

/** What a host port needs of its session. */
export interface HostPortOwner {
  readonly settings: ServerSettings;
  /** The device's name, where the profile has names. */
  readonly deviceName?: string | undefined;
  emit(event: ServerEvent): void;
  /** A client has connected from `address`. */
  onClient(conn: Connection, address: string, port: HostPort): void;
  /** A client could not be accepted for want of descriptors. */
  onExhausted?(): void;
  /** The listener was opened, or could not be, after the first try. */
  onPortChanged?(port: HostPort): void;
}

/** A port to try, and what its owner is to hear if it comes to that one. */
interface Candidate {
  readonly port: number;
  readonly warning?: string;
}

/** An address of TCP. */
export interface PortPlace {
  /** HostAddress. */
  readonly host: string;
  /** HostPort, or the first and last of a range; 0 picks a free one. */
  readonly ports: readonly [number, number];
  /** Given if it is one of UDP. */
  readonly udp?: UdpDetails | undefined;
}

/** Where to listen, and for what. */
export interface HostPortOptions {
  /** An address of TCP, or a Unix socket. */
  readonly place: PortPlace | UnixHostAddress;
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
  readonly #inUse: PortsInUse;
  readonly #backoff = new Backoff();
  #listener: Listener | Listener<UnixConnection> | UdpPort | undefined;
  #opening: Promise<void> | undefined;
  #cancelRetry: (() => void) | undefined;
  #isFirstTry = true;
  #failures = 0;
  #closed = false;

  /** Tries to open at once, or as soon as it may. */
  constructor(options: HostPortOptions, owner: HostPortOwner) {
    this.localAddress = options.localAddress;
    this.#options = options;
    this.#owner = owner;
    this.#inUse = options.kept.inUse ?? new PortsInUse();
    if (!options.after) this.#try();
    this.#isFirstTry = false;
    options.after?.then(() => this.#closed || this.#try());
  }

  /** Whether it has been tried: it is open, or there is an error. */
  get isSettled(): boolean {
    return this.isOpen || this.error !== undefined;
  }

  /** The address really bound, or the one asked for while there is none. */
  get address(): string {
    if (this.#listener) return this.#listener.address;
    const { place } = this.#options;
    if (isUnixHost(place)) return `unix:${place.unix}`;
    const { host, ports: [first, last], udp } = place;
    const address = formatAddress({ host, port: first }) + (last === first ? "" : `-${last}`);
    return udp ? formatUdp(address) : address;
  }

  /** Whether clients can connect. */
  get isOpen(): boolean {
    return this.#listener !== undefined;
  }

  /** What became of datagrams, if it is one of UDP and open. */
  get datagrams(): DatagramCounts | undefined {
    return this.#listener instanceof UdpPort ? this.#listener.datagrams : undefined;
  }

  /** Frees the port. Idempotent. @returns when the port can be had again. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelRetry?.();
    const listener = this.#listener;
    listener?.close();
    await this.#opening;
    await listener?.ended;
    const { place } = this.#options;
    if (listener && !isUnixHost(place)) this.#inUse.delete(inUseHost(place), listener.port);
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

  /** Looks for a name first, and not by listening on it: nothing else would go on until the name servers have answered. */
  #try(): void {
    const { place } = this.#options;
    if (isUnixHost(place)) {
      this.#opening = this.#openUnix(place);
      return;
    }
    const { host } = place;
    if (parseIP(host)) return this.#open(place, host);
    lookup(host, this.#owner.settings.clock).then(
      ([address]) => this.#closed || this.#open(place, address!),
      (error: unknown) => this.#closed || this.#failed(error),
    );
  }

  #open(place: PortPlace, address: string): void {
    if (place.udp) {
      this.#opening = this.#openUdp(place, address, place.udp);
      return;
    }
    let listener: Listener | undefined;
    try {
      listener = this.#bind(place, address);
    } catch (error) {
      return this.#failed(error);
    }
    if (!listener) { // there are more ports to try
      this.#cancelRetry = this.#owner.settings.clock.after(0, () => this.#open(place, address));
      return;
    }
    this.#bound(place, listener);
  }

  #bound(place: PortPlace, listener: Listener | UdpPort): void {
    this.#inUse.add(inUseHost(place), listener.port);
    this.#options.kept.set(listener.port);
    this.#opened(listener);
  }

  /** As {@linkcode HostPort.#bind}: a socket of UDP is not there at once. */
  async #openUdp(place: PortPlace, host: string, { maxAge }: UdpDetails): Promise<void> {
    const { engine, clock, datagrams: totals } = this.#owner.settings;
    let failure: unknown;
    for (const { port, warning } of this.#candidates(place)) {
      if (this.#closed) return;
      try {
        const bound = await UdpPort.open({ host, port }, { engine, clock, maxAge, totals }, (conn, address) => {
          this.#owner.onClient(conn, address, this);
        });
        if (this.#closed) return bound.close();
        this.#warn(bound.address, warning);
        return this.#bound(place, bound);
      } catch (cause) {
        failure = new ListenError({ host, port }, cause, formatUdp(formatAddress({ host, port })));
        const [first, last] = place.ports;
        if (first !== last) this.#inUse.found(inUseHost(place), port, clock.now());
      }
    }
    if (!this.#closed) this.#failed(failure ?? this.#noneLeft());
  }

  async #openUnix(place: UnixHostAddress): Promise<void> {
    const { engine, clock, logger } = this.#owner.settings;
    try {
      const socket = await listenUnix(place, engine);
      if (this.#closed) return socket.close();
      this.#opened(Listener.over(socket, clock, logger, (conn) => this.#owner.onClient(conn, nameOf(conn), this)));
    } catch (cause) {
      if (!this.#closed) this.#failed(new ListenError({ host: place.unix, port: 0 }, cause, `unix:${place.unix}`));
    }
  }

  #opened(listener: Listener | Listener<UnixConnection> | UdpPort): void {
    const { logger } = this.#owner.settings;
    const { localAddress } = this;
    this.#listener = listener;
    this.error = undefined;
    this.#failures = 0;
    listener.onExhausted = () => this.#owner.onExhausted?.();
    const hostAddress = listener.address;
    logger.info(`open {hostAddress} for ${this.#subject}`, { hostAddress, ...this.#subjectFacts });
    this.#owner.emit({ type: "host-open", hostAddress, localAddress, device: this.#owner.deviceName });
    if (!this.#isFirstTry) this.#owner.onPortChanged?.(this);
  }

  #failed(error: unknown): void {
    const { settings: { clock, logger, hostFailures } } = this.#owner;
    const { localAddress } = this;
    hostFailures.count++;
    const isNews = !this.isSettled && !this.#isFirstTry;
    this.#failures++;
    const retryIn = this.#backoff.next();
    const message = describeError(error);
    const isTold = this.error === message; // once, and again when it changes
    this.error = message;
    const hostAddress = this.address;
    logger[isTold ? "debug" : "error"](`{error}; clients cannot reach ${this.#subject}; next try in {retryIn} ms`, {
      error: message,
      hostAddress,
      ...this.#subjectFacts,
      retryIn: Math.round(retryIn),
    });
    const { deviceName: device } = this.#owner;
    if (!isTold) this.#owner.emit({ type: "host-failed", hostAddress, localAddress, device, error: message });
    this.#cancelRetry = clock.after(retryIn, () => this.#try());
    if (isNews) this.#owner.onPortChanged?.(this);
  }

  /**
   * Binds the port that was kept, else the first of the range that can be had, at an IP address.
   *
   * @returns nothing if there are more to try, in another turn.
   */
  #bind(place: PortPlace, address: string): Listener | undefined {
    const { host, ports: [first, last] } = place;
    const { engine, clock, logger, tcpKeepAlive } = this.#owner.settings;
    let failure: unknown;
    let tries = 0;
    for (const { port, warning } of this.#candidates(place)) {
      if (tries++ === MAX_BINDS_A_TURN) return undefined;
      try {
        const onConn = (conn: Socket) => this.#owner.onClient(conn, formatAddress(conn.remoteAddress), this);
        const listener = Listener.open({ host: address, port }, engine, clock, logger, onConn, {
          tcpKeepAlive,
          resets: true,
        });
        this.#warn(listener.address, warning);
        return listener;
      } catch (error) {
        failure = error;
        if (error instanceof ListenError && error.code === "EADDRNOTAVAIL") throw error; // another port is no better
        if (first !== last) this.#inUse.found(host, port, clock.now());
      }
    }
    throw failure ?? this.#noneLeft();
  }

  #noneLeft(): Error {
    return new Error(`Cannot listen on ${this.address}: every port of the range is in use, or another's`);
  }

  #warn(hostAddress: string, warning: string | undefined): void {
    if (!warning) return;
    const before = this.#options.kept.get();
    const facts = { hostAddress, ...this.#subjectFacts, ...(before !== undefined && { before }) };
    this.#owner.settings.logger.warn(`{hostAddress} is for ${this.#subject} now: ${warning}`, facts);
  }

  /** The ports to try, in their order. */
  *#candidates(place: PortPlace): Generator<Candidate, void, void> {
    const { ports: [first, last] } = place;
    const host = inUseHost(place);
    const { kept } = this.#options;
    const found = kept.get();
    // It may be from a time when another port was asked for.
    const before = found !== undefined && (first === 0 || found >= first && found <= last) ? found : undefined;
    if (first === last) {
      yield { port: before ?? first };
      if (before !== undefined && first === 0 && this.#failures >= KEPT_PORT_TRIES) {
        yield { port: 0, warning: "port {before}, which it had, is in use" };
      }
      return;
    }
    if (before !== undefined) yield { port: before };
    const now = this.#owner.settings.clock.now();
    const free = () => this.#inUse.free(host, first, last, now);
    for (const port of free()) {
      if (port !== before && !kept.isReserved?.(port) && !kept.isKeptByOther?.(port)) yield { port };
    }
    for (const port of free()) {
      if (port === before || kept.isReserved?.(port) || !kept.isKeptByOther?.(port)) continue;
      yield { port, warning: "it was kept for another service, and no other port is left" };
    }
  }
}

/** Ports of UDP are others than those of TCP. */
function inUseHost({ host, udp }: PortPlace): string {
  return udp ? `udp:${host}` : host;
}

/** A local client, as logs have it. The portable engine does not know who it is. */
function nameOf({ peer }: UnixConnection): string {
  return peer ? `unix:uid=${peer.uid},pid=${peer.pid}` : "unix:uid=?";
}
