/**
 * The clients of a device's services, from the door to their end: some wait for a link, or for their service on it.
 *
 * @module
 */

import { MAX_CLIENTS_INTERRUPTED } from "../limits.ts";
import { siteOf } from "../../protocol/address_group.ts";
import type { ChannelEndReason } from "../../protocol/reasons.ts";
import { type ChannelSummary, nothingCarried } from "../../relay/channel_end.ts";
import type { Connection } from "../../net/socket.ts";
import type { Pass } from "../access/gate.ts";
import { tellClientEnd } from "../ports/client_end.ts";
import { FairLine } from "../ports/fair_line.ts";
import type { HostPortOwner } from "../ports/host_port.ts";
import type { OpenService, WaitingClient } from "./open_service.ts";
import type { V2Session } from "./session.ts";

/** Gives clients to the device's link. */
export class ClientLine {
  /** Whether a link has been up for so long without an offer that nobody waits for one any more. */
  isMute = false;
  readonly #owner: HostPortOwner & { readonly deviceName: string };
  readonly #service: (name: string) => OpenService | undefined;
  readonly #link: () => V2Session | undefined;
  readonly #waiting = new FairLine<WaitingClient>(MAX_CLIENTS_INTERRUPTED);

  /** Nobody waits yet. `service`: one that is open, or is to be; `link`: the device's, if it is up. */
  constructor(
    owner: HostPortOwner & { readonly deviceName: string },
    service: (name: string) => OpenService | undefined,
    link: () => V2Session | undefined,
  ) {
    this.#owner = owner;
    this.#service = service;
    this.#link = link;
  }

  /** The door let a client in: it is shown from now on. */
  enter(service: string, duplex: Connection, address: string, pass: Pass): void {
    const { clients } = this.#owner.settings;
    const hostAddress = this.#service(service)?.port.address ?? "";
    const place = () => ({ device: this.#owner.deviceName, service, hostAddress });
    const entry = clients.add(address, place, () => {
      this.#waiting.delete(client);
      this.#turnAway(client, hostAddress, "closed-by-admin");
    });
    const left = () => {
      clients.delete(entry);
      pass.leave();
    };
    const client: WaitingClient = { service, site: siteOf(address), duplex, address, pass, entry, left };
    this.#serve(client);
  }

  /** Gives a client that the door let in a channel. */
  #serve(client: WaitingClient): void {
    const { service: name, duplex, address } = client;
    const service = this.#service(name);
    const link = this.#link();
    const hostAddress = service?.port.address ?? "";
    const onEnd = (summary: ChannelSummary, error: string | undefined) => {
      client.left();
      this.ended(address, hostAddress, name, summary, error);
    };
    if (!service || !link) {
      duplex.reset();
      return onEnd(nothingCarried("link-lost"), undefined);
    }
    if (service.at === undefined || !link.links.online) {
      return this.#wait(client);
    }
    const pump = link.serve({ duplex, address, hostAddress, service: service.at, onEnd });
    if (!pump) return;
    client.entry.pump = pump;
    const pumps = service.clients.pumps.add(pump);
    pump.done.then(() => pumps.delete(pump));
    client.pass.serve(pump);
  }

  /** It waits, or somebody else goes for it, or it has to go itself. */
  #wait(waiter: WaitingClient): void {
    if (this.isMute) return this.#turnAway(waiter, this.#service(waiter.service)!.port.address, "link-lost");
    const out = this.#waiting.add(waiter);
    const service = out && this.#service(out.service);
    if (service) this.#turnAway(out, service.port.address, "too-many-channels");
  }

  /** Those who wait for a service are served. */
  serveWaiting(name: string): void {
    for (const client of this.#waiting.takeAll(name)) this.#serve(client);
  }

  /** Those who wait for a service have to go. */
  turnAllAway(name: string, at: string, reason: ChannelEndReason): void {
    for (const waiter of this.#waiting.takeAll(name)) this.#turnAway(waiter, at, reason);
  }

  #turnAway({ service: name, duplex, address, left }: WaitingClient, at: string, reason: ChannelEndReason): void {
    duplex.reset();
    left();
    this.ended(address, at, name, nothingCarried(reason), undefined);
  }

  /** A client is over. */
  ended(
    client: string,
    hostAddress: string,
    localAddress: string,
    summary: ChannelSummary,
    error: string | undefined,
  ): void {
    tellClientEnd(this.#owner, { client, hostAddress, localAddress, device: this.#owner.deviceName, error }, summary);
  }
}
