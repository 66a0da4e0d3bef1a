/**
 * Clients that came while every client id was in use or about to come free: they wait a moment, within bounds.
 *
 * @module
 */

import { MAX_WAITING_CLIENTS } from "../limits.ts";
import type { Clock } from "../../base/clock.ts";
import type { Connection } from "../../net/socket.ts";
import type { Pass } from "../access/gate.ts";
import type { ClientEntry } from "../ports/client_table.ts";
import { FairLine, type Waiter } from "../ports/fair_line.ts";
import type { HostPort } from "../ports/host_port.ts";

/** A client without a channel. */
export interface WaitingClient extends Waiter {
  /** Its connection, which nobody reads yet. */
  readonly conn: Connection;
  /** Where it came. */
  readonly service: HostPort;
  /** Its address, as text. */
  readonly address: string;
  /** What let it in. */
  readonly pass: Pass;
  /** What is shown of it; who is refused at once is not. */
  readonly entry: ClientEntry | undefined;
  /** Says that it has gone. */
  left(): void;
}

/** A line of clients, each with a deadline. */
export class WaitingClients {
  readonly #clock: Clock;
  readonly #onExpired: (client: WaitingClient) => void;
  readonly #line = new FairLine<WaitingClient & { readonly until: number }>(MAX_WAITING_CLIENTS);
  #cancelTimer: (() => void) | undefined;

  /** Whoever has waited too long, or has to go for another, is told to `onExpired`. */
  constructor(clock: Clock, onExpired: (client: WaitingClient) => void) {
    this.#clock = clock;
    this.#onExpired = onExpired;
  }

  /** How many wait. */
  get size(): number {
    return this.#line.size;
  }

  /** Lets a client wait for `ms` milliseconds. */
  add(client: WaitingClient, ms: number): void {
    const out = this.#line.add({ ...client, until: this.#clock.now() + ms });
    this.#disarm();
    this.#arm();
    if (out) this.#onExpired(out);
  }

  /** See {@linkcode FairLine.take}. */
  take(load: (client: WaitingClient) => number): WaitingClient | undefined {
    const client = this.#line.take(load);
    if (this.#line.size === 0) this.#disarm();
    return client;
  }

  /** The one of a connection goes, if it waits. */
  delete(conn: Connection): void {
    for (const client of this.#line) if (client.conn === conn) this.#line.delete(client);
    if (this.#line.size === 0) this.#disarm();
  }

  /** Ends the wait of all. */
  expireAll(): void {
    this.#expire(Infinity);
  }

  #expire(now: number): void {
    const expired = [...this.#line].filter(({ until }) => until <= now);
    for (const client of expired) this.#line.delete(client);
    this.#disarm();
    if (this.#line.size > 0) this.#arm();
    for (const client of expired) this.#onExpired(client);
  }

  #arm(): void {
    const first = Math.min(...[...this.#line].map(({ until }) => until));
    const wait = Math.max(0, Math.ceil(first - this.#clock.now()));
    this.#cancelTimer = this.#clock.after(wait, () => this.#expire(this.#clock.now()));
  }

  #disarm(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }
}
