/**
 * `udp:HOST:PORT`: a service over UDP, with a socket of its own for each client.
 *
 * @module
 */

import { DATAGRAM_MAX_AGE_MS } from "../../net/limits.ts";
import { type Address, formatAddress } from "../../protocol/address.ts";
import { parseIP } from "../../protocol/ip.ts";
import { DialTimeout } from "../../net/dial/dial.ts";
import { lookup } from "../../net/dial/lookup.ts";
import type { Connection } from "../../net/socket.ts";
import { formatUdp, parseUdp } from "../../net/udp/address.ts";
import { DatagramConnection } from "../../net/udp/connection.ts";
import { type DatagramCounts, noDatagrams } from "../../net/udp/counts.ts";
import { DatagramPool } from "../../net/udp/queue.ts";
import type { DatagramSocket } from "../../net/udp/socket.ts";
import type { EndpointClient, EndpointKind, EndpointState, Reach, Surroundings } from "./endpoint.ts";
import { parseTcp } from "./tcp.ts";

/** Services that take datagrams. */
export const udpKind: EndpointKind = {
  name: "udp",
  example: "udp:127.0.0.1:161",
  keys: ["max-age"],
  takesHeader: false,
  isLookedAt: false,
  parse(text) {
    const [place, { maxAge = DATAGRAM_MAX_AGE_MS }] = parseUdp(`udp:${text}`);
    const address = parseTcp(place);
    return {
      address: formatUdp(formatAddress(address)),
      isUdp: true,
      open: (surroundings) => new UdpReach(address, maxAge, surroundings),
    };
  },
};

class UdpReach implements Reach {
  readonly #counts = noDatagrams();
  readonly #sockets = new Set<DatagramSocket>();
  readonly #address: Address;
  readonly #maxAge: number;
  readonly #surroundings: Surroundings;
  readonly #pool = new DatagramPool();
  readonly #closing = new Set<Promise<void>>();
  /** It is counted among all services no more. */
  readonly #leave: (() => void) | undefined;

  constructor(address: Address, maxAge: number, surroundings: Surroundings) {
    this.#address = address;
    this.#maxAge = maxAge;
    this.#surroundings = surroundings;
    this.#leave = surroundings.datagrams?.enter(() => this.datagrams);
  }

  async connect(_client: EndpointClient, timeout: number, signal: AbortSignal): Promise<Connection> {
    const { engine, clock } = this.#surroundings;
    const { port } = this.#address;
    const host = await this.#ip(timeout, signal);
    const opened: { conn?: DatagramConnection } = {};
    const socket = await engine.connectUdp({ host, port }, {
      onDatagram: (bytes) => opened.conn?.deliver(bytes),
      onRefused: () => opened.conn?.refused(),
    });
    const conn = opened.conn = new DatagramConnection({
      clock,
      maxAge: this.#maxAge,
      pool: this.#pool,
      counts: this.#counts,
      unread: () => socket.unread,
      send: (datagram) => socket.send(datagram),
      onClose: () => {
        this.#sockets.delete(socket);
        this.#counts.unread += socket.unread;
        const closed = socket.close().finally(() => this.#closing.delete(closed));
        this.#closing.add(closed);
      },
    });
    this.#sockets.add(socket);
    if (!signal.aborted) return conn;
    conn.close();
    throw signal.reason;
  }

  get state(): EndpointState {
    return { counts: { peers: this.#sockets.size } };
  }

  get datagrams(): DatagramCounts {
    const unread = this.#sockets.values().reduce((sum, socket) => sum + socket.unread, this.#counts.unread);
    return { ...this.#counts, unread };
  }

  async close(): Promise<void> {
    await Promise.all(this.#closing);
    this.#leave?.();
  }

  /** Its IP address; a name is looked up for each client. @throws {DialTimeout} after `timeout` milliseconds; the signal's reason. */
  async #ip(timeout: number, signal: AbortSignal): Promise<string> {
    const { host } = this.#address;
    if (parseIP(host.split("%", 1)[0]!)) return host;
    const { clock } = this.#surroundings;
    const { promise, reject } = Promise.withResolvers<never>();
    const cancel = clock.after(timeout, () => reject(new DialTimeout(timeout)));
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort);
    try {
      const [first] = await Promise.race([lookup(host, clock), promise]);
      return first!;
    } finally {
      cancel();
      signal.removeEventListener("abort", onAbort);
    }
  }
}
