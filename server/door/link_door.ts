/**
 * The door of a listener for devices that stands behind load balancers: who it really is whom they bring.
 *
 * @module
 */

import { isInNetwork } from "../../protocol/ip.ts";
import { formatAddress, splitHostPort } from "../../protocol/address.ts";
import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import { ProxyHeaderCut, readProxyHeader } from "../../net/proxy/read_header.ts";
import type { SocketTransport } from "../../net/transport.ts";
import type { Refusals } from "./refusals.ts";

/** Takes the PROXY protocol header off those who come from networks that are trusted to send one. */
export class LinkDoor {
  #networks: readonly string[];
  readonly #most: () => number;
  readonly #clock: Clock;
  readonly #refusals: Refusals;
  readonly #reading = new Set<SocketTransport>();
  #closed = false;

  /** Connections from `networks` begin with a header, which so many as `most` says may owe; those from elsewhere are who they are. */
  constructor(networks: readonly string[], most: () => number, clock: Clock, refusals: Refusals) {
    this.#networks = networks;
    this.#most = most;
    this.#clock = clock;
    this.#refusals = refusals;
  }

  /** Other networks are those of load balancers, for who comes from now on. */
  trust(networks: readonly string[]): void {
    this.#networks = networks;
  }

  /** Calls `admit` at once, or as soon as it is known for whom `transport` comes; never, if that is not said. */
  enter(transport: SocketTransport, admit: (transport: SocketTransport) => void): void {
    const { remote } = transport;
    const [host] = splitHostPort(remote);
    if (!this.#networks.some((network) => isInNetwork(host, network))) return admit(transport);
    const most = this.#most();
    if (this.#reading.size >= most) {
      transport.cut();
      return this.#refusals.tell(remote, "no-room", `${most} others have not sent their PROXY protocol header`);
    }
    this.#reading.add(transport);
    this.#introduce(transport, admit).catch((error: unknown) => {
      transport.duplex.close();
      if (this.#closed) return;
      if (error instanceof ProxyHeaderCut && error.bytes === 0) return this.#refusals.tellMute(remote);
      this.#refusals.tell(remote, "bad-proxy-header", describeError(error));
    });
  }

  /** Closes those who are still in the doorway. */
  close(): void {
    this.#closed = true;
    for (const transport of this.#reading) transport.duplex.close();
  }

  async #introduce(transport: SocketTransport, admit: (transport: SocketTransport) => void): Promise<void> {
    try {
      const source = await readProxyHeader(transport.duplex, this.#clock);
      if (this.#closed) return transport.duplex.close();
      admit(source ? { ...transport, remote: formatAddress(source) } : transport);
    } finally {
      this.#reading.delete(transport);
    }
  }
}
