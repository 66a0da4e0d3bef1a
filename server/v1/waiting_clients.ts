/**
 * Clients that came while every client id was in use or about to come free: they wait a moment, in order, within bounds.
 *
 * @module
 */

import { MAX_WAITING_CLIENTS } from "../limits.ts";
import type { Clock } from "../../base/clock.ts";
import type { Socket } from "../../net/socket.ts";
import type { HostPort } from "../ports/host_port.ts";

/** A client without a channel. */
export interface WaitingClient {
  /** Its connection, which nobody reads yet. */
  readonly conn: Socket;
  /** Where it came. */
  readonly port: HostPort;
}

/** A queue of clients, each with a deadline. */
export class WaitingClients {
  readonly #clock: Clock;
  readonly #onExpired: (client: WaitingClient) => void;
  #queue: (WaitingClient & { readonly until: number })[] = [];
  #cancelTimer: (() => void) | undefined;

  /** Whoever has waited too long is closed, then told to `onExpired`. */
  constructor(clock: Clock, onExpired: (client: WaitingClient) => void) {
    this.#clock = clock;
    this.#onExpired = onExpired;
  }

  /** How many wait. */
  get size(): number {
    return this.#queue.length;
  }

  /** Lets a client wait for `ms` milliseconds. @returns false if too many wait already. */
  add(client: WaitingClient, ms: number): boolean {
    if (this.#queue.length >= MAX_WAITING_CLIENTS) return false;
    this.#queue.push({ ...client, until: this.#clock.now() + ms });
    this.#disarm();
    this.#arm();
    return true;
  }

  /** The one that has waited longest. */
  take(): WaitingClient | undefined {
    const client = this.#queue.shift();
    if (this.#queue.length === 0) this.#disarm();
    return client;
  }

  /** Ends the wait of all. */
  expireAll(): void {
    this.#expire(Infinity);
  }

  #expire(now: number): void {
    const expired = this.#queue.filter(({ until }) => until <= now);
    this.#queue = this.#queue.filter(({ until }) => until > now);
    this.#disarm();
    if (this.#queue.length > 0) this.#arm();
    for (const client of expired) {
      client.conn.reset();
      this.#onExpired(client);
    }
  }

  #arm(): void {
    const first = Math.min(...this.#queue.map(({ until }) => until));
    const wait = Math.max(0, Math.ceil(first - this.#clock.now()));
    this.#cancelTimer = this.#clock.after(wait, () => this.#expire(this.#clock.now()));
  }

  #disarm(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }
}
