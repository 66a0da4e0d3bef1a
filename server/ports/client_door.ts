/**
 * The door of a service: how many clients may be in, how long one may be idle, and who it really is behind a load balancer.
 *
 * @module
 */

import { siteOf } from "../../protocol/address_group.ts";
import { isInNetwork } from "../../protocol/ip.ts";
import { formatAddress, splitHostPort } from "../../protocol/address.ts";
import type { ChannelEndReason } from "../../protocol/reasons.ts";
import { describeError } from "../../base/errors.ts";
import { readProxyHeader } from "../../net/proxy/read_header.ts";
import type { Connection } from "../../net/socket.ts";
import type { AccessGate, Pass, Refusal } from "../access/gate.ts";
import type { ServiceGrant } from "../devices/service_grant.ts";
import type { ServerSettings } from "../options.ts";

/** What becomes of those who come. */
export interface ClientDoorEvents {
  /** Serve it; `pass` has to hear when its channel is open, and when it has gone. */
  serve(duplex: Connection, address: string, pass: Pass): void;
  /** It was turned away; its connection is closed. */
  refused(address: string, reason: ChannelEndReason, error: string | undefined): void;
}

/** Lets clients in. */
export class ClientDoor {
  /** Whose load balancers are believed from now on. */
  grant: ServiceGrant;
  readonly #settings: ServerSettings;
  readonly #events: ClientDoorEvents;
  readonly #reading = new Set<Connection>();
  readonly #gate: AccessGate;
  #closed = false;

  /** The door of a gate. */
  constructor(grant: ServiceGrant, settings: ServerSettings, events: ClientDoorEvents, gate: AccessGate) {
    this.grant = grant;
    this.#settings = settings;
    this.#events = events;
    this.#gate = gate;
  }

  /** A client from `address` wants in. */
  enter(duplex: Connection, address: string): void {
    const { proxyFrom } = this.grant;
    const speaksFor = isFrom(address, proxyFrom);
    const entered = this.#gate.enter(address, speaksFor);
    if ("refused" in entered) return this.#refuse(duplex, address, entered);
    const leaveRoom = this.#settings.capacity.client({ service: this.#gate, site: siteOf(address) });
    if ("refused" in leaveRoom) {
      entered.leave();
      return this.#refuse(duplex, address, leaveRoom);
    }
    entered.onLeave = leaveRoom;
    if (!speaksFor) return this.#events.serve(entered.shape(duplex), address, entered);
    this.#readHeader(duplex, address, entered).catch((error: unknown) => {
      entered.leave();
      this.#refuse(duplex, address, { refused: "client-closed", why: describeError(error) });
    });
  }

  #refuse(duplex: Connection, address: string, { refused, why }: Refusal): void {
    duplex.reset();
    this.#events.refused(address, refused, why);
  }

  /** Turns away those who are still in the doorway. */
  close(): void {
    this.#closed = true;
    for (const duplex of this.#reading) duplex.reset();
  }

  /** A load balancer says first for whom it comes. */
  async #readHeader(duplex: Connection, address: string, pass: Pass): Promise<void> {
    this.#reading.add(duplex);
    try {
      const source = await readProxyHeader(duplex, this.#settings.clock);
      if (this.#closed) throw new Error("the service was closed");
      const client = source ? formatAddress(source) : address;
      const refusal = pass.identify(client);
      if (!refusal) return this.#events.serve(pass.shape(duplex), client, pass);
      pass.leave();
      this.#refuse(duplex, client, refusal);
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
