/**
 * The door of a service: how many clients may be in, how long one may be idle, and who it really is behind a load balancer.
 *
 * @module
 */

import { siteOf } from "../../protocol/address_group.ts";
import { isInNetwork } from "../../protocol/ip.ts";
import { formatAddress, splitHostPort } from "../../protocol/address.ts";
import type { ChannelEndReason } from "../../protocol/reasons.ts";
import type { ChannelPump } from "../../relay/channel_pump.ts";
import { describeError } from "../../base/errors.ts";
import { readProxyHeader } from "../../net/proxy/read_header.ts";
import type { Connection } from "../../net/socket.ts";
import type { ServiceGrant } from "../devices/service_grant.ts";
import type { ServerSettings } from "../options.ts";
import { NO_ROOM } from "./client_room.ts";

/** How many are in; a door that is opened again later goes on with it. */
export interface ClientCount {
  /** Those who were let in and have not left. */
  inside: number;
}

/** What becomes of those who come. */
export interface ClientDoorEvents {
  /** Serve it; `left` has to be called once, when it has gone. */
  serve(duplex: Connection, address: string, left: () => void): void;
  /** It was turned away; its connection is closed. */
  refused(address: string, reason: ChannelEndReason, error: string | undefined): void;
}

/** Lets clients in. */
export class ClientDoor {
  /** Whose limits hold for those who come from now on. */
  grant: ServiceGrant;
  readonly #settings: ServerSettings;
  readonly #events: ClientDoorEvents;
  readonly #reading = new Set<Connection>();
  readonly #count: ClientCount;
  #closed = false;

  /** A door with the limits of `grant`. */
  constructor(
    grant: ServiceGrant,
    settings: ServerSettings,
    events: ClientDoorEvents,
    count: ClientCount = { inside: 0 },
  ) {
    this.grant = grant;
    this.#settings = settings;
    this.#events = events;
    this.#count = count;
  }

  /** A client from `address` wants in. */
  enter(duplex: Connection, address: string): void {
    const { maxClients, proxyFrom } = this.grant;
    if (maxClients !== undefined && this.#count.inside >= maxClients) {
      duplex.reset();
      return this.#events.refused(address, "too-many-channels", `${maxClients} clients are the most for this service`);
    }
    const leaveRoom = this.#settings.clientRoom.enter({ service: this.#count, site: siteOf(address) });
    if (!leaveRoom) {
      duplex.reset();
      return this.#events.refused(address, "too-many-channels", NO_ROOM);
    }
    this.#count.inside++;
    const left = () => {
      this.#count.inside--;
      leaveRoom();
    };
    if (!isFrom(address, proxyFrom)) return this.#events.serve(duplex, address, left);
    this.#readHeader(duplex, address, left).catch((error: unknown) => {
      duplex.reset();
      left();
      this.#events.refused(address, "client-closed", describeError(error));
    });
  }

  /** Ends a client that is idle for too long. */
  watch(pump: ChannelPump): void {
    const { idleTimeout } = this.grant;
    if (idleTimeout !== undefined) pump.endWhenIdle(idleTimeout);
  }

  /** Turns away those who are still in the doorway. */
  close(): void {
    this.#closed = true;
    for (const duplex of this.#reading) duplex.reset();
  }

  /** A load balancer says first for whom it comes. */
  async #readHeader(duplex: Connection, address: string, left: () => void): Promise<void> {
    this.#reading.add(duplex);
    try {
      const source = await readProxyHeader(duplex, this.#settings.clock);
      if (this.#closed) throw new Error("the service was closed");
      this.#events.serve(duplex, source ? formatAddress(source) : address, left);
    } finally {
      this.#reading.delete(duplex);
    }
  }
}

/** Whether a client comes from one of `networks`; a local one comes from none. */
function isFrom(address: string, networks: readonly string[] = []): boolean {
  if (networks.length === 0 || address.startsWith("unix:")) return false;
  const [host] = splitHostPort(address);
  return networks.some((network) => isInNetwork(host, network));
}
