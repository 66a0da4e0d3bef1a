/**
 * A host port of UDP: who sends to it is a client, for as long as it does.
 *
 * Anybody may write any address into a datagram. So clients are bounded, new ones come at a bounded pace, and who has
 * been answered and has sent again, which a forger cannot do unseen, makes room for nobody.
 *
 * @module
 */

import {
  MAX_UDP_CLIENTS,
  MAX_UDP_REFUSED,
  UDP_NEW_CLIENTS,
  UDP_NEW_CLIENTS_PER_ADDRESS,
  UDP_REFUSED_MS,
} from "../limits.ts";
import { DATAGRAM_MAX_AGE_MS } from "../../net/limits.ts";
import { type Address, formatAddress } from "../../protocol/address.ts";
import { siteOf } from "../../protocol/address_group.ts";
import type { Clock } from "../../base/clock.ts";
import type { Engine } from "../../net/socket.ts";
import { formatUdp } from "../../net/udp/address.ts";
import { DatagramConnection } from "../../net/udp/connection.ts";
import { type DatagramCounts, type DatagramTotals, noDatagrams } from "../../net/udp/counts.ts";
import { DatagramPool } from "../../net/udp/queue.ts";
import type { DatagramPeer, DatagramSocket } from "../../net/udp/socket.ts";
import { ClientRates } from "../access/client_rates.ts";

/** What such a port stands on. */
export interface UdpPortOptions {
  readonly engine: Engine;
  readonly clock: Clock;
  /** Milliseconds that a datagram may be old. @default {200} */
  readonly maxAge?: number | undefined;
  /** Where it is counted among all ports. */
  readonly totals: DatagramTotals;
}

interface UdpClient {
  readonly conn: DatagramConnection;
  readonly site: string;
}

/** Hands over each client as a connection, until closed. */
export class UdpPort {
  /** The port really bound. */
  readonly port: number;
  /** The address really bound, as text. */
  readonly address: string;
  /** It takes one descriptor, however many clients come. */
  onExhausted: () => void = () => {};
  /** Resolves when it is closed, and its port is free. */
  readonly ended: Promise<void>;

  readonly #counts = noDatagrams();
  readonly #socket: DatagramSocket;
  readonly #options: UdpPortOptions;
  readonly #onClient: (conn: DatagramConnection, address: string) => void;
  readonly #clients = new Map<string, UdpClient>();
  /** Those who have not sent again since they were answered, the oldest first. */
  readonly #strangers = new Map<string, UdpClient>();
  /** Until when nothing is heard of who was refused, on the clock. */
  readonly #refused = new Map<string, number>();
  readonly #rates = new ClientRates();
  readonly #pool = new DatagramPool();
  readonly #free = Promise.withResolvers<void>();
  /** It is counted among all ports no more. */
  readonly #leave: () => void;
  #closed = false;

  private constructor(
    socket: DatagramSocket,
    options: UdpPortOptions,
    onClient: (conn: DatagramConnection, address: string) => void,
  ) {
    this.#socket = socket;
    this.#options = options;
    this.#onClient = onClient;
    this.port = socket.address.port;
    this.address = formatUdp(formatAddress(socket.address));
    this.ended = this.#free.promise;
    const [all, each] = [UDP_NEW_CLIENTS, UDP_NEW_CLIENTS_PER_ADDRESS].map((count) => ({ count, per: 1_000 }));
    this.#leave = options.totals.enter(() => this.datagrams);
    this.#rates.change(all, each, options.clock.now());
  }

  /** Binds, and hands clients to `onClient`. @throws What the system says. */
  static async open(
    at: Address,
    options: UdpPortOptions,
    onClient: (conn: DatagramConnection, address: string) => void,
  ): Promise<UdpPort> {
    let port: UdpPort | undefined;
    const socket = await options.engine.bindUdp(at, {
      onDatagram: (bytes, key, peer) => void (port && port.#onDatagram(bytes, key, peer)),
      onRefused: () => void (port && port.#counts.refused++),
    });
    return port = new UdpPort(socket, options, onClient);
  }

  /** What became of all datagrams. */
  get datagrams(): DatagramCounts {
    return { ...this.#counts, unread: this.#socket.unread };
  }

  /** How many clients there are. */
  get size(): number {
    return this.#clients.size;
  }

  /** Frees the port. Clients who are there are not answered any more. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close().then(this.#leave).then(this.#free.resolve);
    for (const { conn } of [...this.#clients.values()]) conn.closeWrite();
  }

  #onDatagram(bytes: Uint8Array, key: string, peer: () => DatagramPeer): void {
    if (this.#closed) return;
    const client = this.#clients.get(key) ?? this.#enter(key, peer);
    if (!client) return;
    if (client.conn.hasSent) this.#strangers.delete(key);
    client.conn.deliver(bytes);
  }

  /** Somebody new. @returns nothing if he may not come in: that is not said to him. */
  #enter(key: string, peer: () => DatagramPeer): UdpClient | undefined {
    const { clock, maxAge = DATAGRAM_MAX_AGE_MS } = this.#options;
    const now = clock.now();
    const until = this.#refused.get(key);
    if (until !== undefined && until > now) return this.#drop();
    const from = peer();
    const address = formatAddress(from.address);
    const site = siteOf(address);
    if (this.#rates.take(site, now) !== undefined || !this.#makeRoom()) return this.#drop();
    let isIn = true;
    const conn = new DatagramConnection({
      clock,
      maxAge,
      pool: this.#pool,
      counts: this.#counts,
      send: (datagram) => this.#socket.send(datagram, from),
      onClose: () => {
        isIn = false;
        if (this.#clients.get(key)?.conn !== conn) return;
        this.#clients.delete(key);
        this.#strangers.delete(key);
      },
    });
    const client = { conn, site };
    this.#clients.set(key, client);
    this.#strangers.set(key, client);
    this.#onClient(conn, address);
    if (isIn) return client;
    this.#refuse(key, now + UDP_REFUSED_MS);
    return this.#drop();
  }

  #drop(): undefined {
    this.#counts.received++;
    this.#counts.overflowed++;
    return undefined;
  }

  #refuse(key: string, until: number): void {
    this.#refused.delete(key);
    this.#refused.set(key, until);
    for (const oldest of this.#refused.keys()) {
      if (this.#refused.size <= MAX_UDP_REFUSED) break;
      this.#refused.delete(oldest);
    }
  }

  /** The oldest stranger from the address with most of them goes, if anybody has to. @returns whether there is room. */
  #makeRoom(): boolean {
    if (this.#clients.size < MAX_UDP_CLIENTS) return true;
    const sites = new Map<string, number>();
    let most = 0;
    for (const { site } of this.#strangers.values()) {
      const count = (sites.get(site) ?? 0) + 1;
      sites.set(site, count);
      most = Math.max(most, count);
    }
    for (const { conn, site } of this.#strangers.values()) {
      if (sites.get(site) !== most) continue;
      conn.reset();
      return true;
    }
    return false;
  }
}
