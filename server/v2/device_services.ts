/**
 * The services of a device on the server: what it offers and may open, their host ports, and the clients that come.
 *
 * @module
 */

import type { Turns } from "../../base/slices.ts";
import { V2_MAX_SERVICES } from "../../protocol/v2/limits.ts";
import { FIRST_FRAME_TIMEOUT_MS, MAX_CLIENTS_INTERRUPTED } from "../limits.ts";
import { siteOf } from "../../protocol/address_group.ts";
import type { ChannelEndReason } from "../../protocol/reasons.ts";
import type { ServiceGrantResult, ServiceOffer } from "../../protocol/v2/wire/messages.ts";
import { type ChannelSummary, nothingCarried } from "../../relay/channel_end.ts";
import type { Connection } from "../../net/socket.ts";
import type { AuthorizedDevice } from "../devices/authorized_devices.ts";
import { tellClientEnd } from "../ports/client_end.ts";
import { ClientDoor } from "../ports/client_door.ts";
import { FairLine } from "../ports/fair_line.ts";
import type { ServerEvent } from "../events.ts";
import { HostPort, type HostPortOwner } from "../ports/host_port.ts";
import type { KeptPort } from "../ports/kept_ports.ts";
import {
  answerOf,
  grantOf,
  type OpenService,
  type ServedService,
  type ServiceClients,
  statusOf,
  type WaitingClient,
} from "./open_service.ts";
import type { ServerSettings } from "../options.ts";
import { formatGrantedAddress, placeOf, type ServiceGrant } from "../devices/service_grant.ts";
import type { V2Session } from "./session.ts";

/** What the services of a device need. */
export interface DeviceServicesOptions {
  /** Who the device is, and what it may open. */
  readonly device: AuthorizedDevice;
  readonly settings: ServerSettings;
  /** The device's link, if it is up. */
  link(): V2Session | undefined;
  /** When a host port may be opened: a fleet that comes back wants all of its own at once. */
  readonly turns: Turns;
  /** The port that a service's free port or range came to. */
  kept(service: string): KeptPort;
  emit(event: ServerEvent): void;
}

/** Opens and closes host ports as the device offers services, and gives clients to its link. */
export class DeviceServices implements HostPortOwner {
  readonly settings: ServerSettings;

  readonly #options: DeviceServicesOptions;
  readonly #services = new Map<string, OpenService>();
  readonly #clients = new Map<string, ServiceClients>();
  /** Clients that wait for a link, or for the number of their service on it. */
  readonly #waiting = new FairLine<WaitingClient>(MAX_CLIENTS_INTERRUPTED);
  /** One promise for all host ports that were closed: a device may close many in no time. */
  #freed: Promise<void> = Promise.resolve();
  #freeing = 0;
  #device: AuthorizedDevice;
  #offers = new Map<string, ServiceOffer>();
  #heardOffers = false;
  /** Whether a link has been up for so long without an offer that nobody waits for one any more. */
  #isMute = false;
  #cancelMute: () => void = () => {};

  /** Nothing is offered yet. */
  constructor(options: DeviceServicesOptions) {
    this.#options = options;
    this.settings = options.settings;
    this.#device = options.device;
  }

  /** Who the device is, and what it may open. */
  get device(): AuthorizedDevice {
    return this.#device;
  }

  /** See {@linkcode HostPortOwner}. */
  get deviceName(): string {
    return this.#device.name;
  }

  /** Those that are open, or are to be. */
  get status(): ServedService[] {
    return [...this.#services].map(([name, { port }]) => statusOf(name, port));
  }

  emit(event: ServerEvent): void {
    this.#options.emit(event);
  }

  /** A new link is up: the device may count its services anew, and offer others. Host ports that are open stay so. */
  linkUp(): void {
    this.#offers = new Map();
    this.#heardOffers = false;
    for (const service of this.#services.values()) service.number = undefined;
    this.#isMute = false;
    this.#cancelMute();
    this.#cancelMute = this.settings.clock.after(FIRST_FRAME_TIMEOUT_MS, () => {
      this.#isMute = true;
      for (const { port, number } of this.#services.values()) {
        if (number === undefined) this.#turnAllAway(port.localAddress, port.address, "link-lost");
      }
    });
  }

  /** A link is up again, and the session goes on: those who waited for it are served. */
  resumed(): void {
    for (const [name, { number }] of this.#services) if (number !== undefined) this.#serveWaiting(name);
  }

  /** The link is down, and no other is up. */
  linkDown(): void {
    this.#offers = new Map();
    this.#cancelMute();
    this.close("link-lost");
    this.#clients.clear(); // they end with their session
  }

  /** Takes a LISTEN. What the first one on a link does not name is offered no more. @returns what to answer. */
  offer(offers: readonly ServiceOffer[]): ServiceGrantResult[] {
    if (!this.#heardOffers) {
      this.#heardOffers = true;
      this.#isMute = false;
      this.#cancelMute();
      const named = new Set(offers.map(({ name }) => name));
      for (const name of [...this.#services.keys()]) if (!named.has(name)) this.#close(name, "link-lost");
    }
    return this.#answerAll(offers);
  }

  /** Takes other grants, without touching what stays; limits hold for clients to come. @returns what the device is to hear. */
  update(device: AuthorizedDevice): ServiceGrantResult[] {
    const before = this.#device;
    this.#device = device;
    for (const [name, { door }] of this.#services) {
      const grant = this.#grantFor(name);
      const stays = grant && formatGrantedAddress(grant.listen) === formatGrantedAddress(door.grant.listen);
      if (stays) door.grant = grant;
      else this.#close(name, "service-withdrawn");
    }
    for (const [name, { listen, pumps }] of this.#clients) {
      const grant = this.#grantFor(name);
      if (grant && formatGrantedAddress(grant.listen) === listen) continue;
      this.#clients.delete(name);
      for (const pump of pumps) pump.abort("service-withdrawn"); // also if its host port is closed for now
    }
    const changed = [...this.#offers.values()].filter(({ name }) =>
      !this.#services.has(name) && JSON.stringify(grantOf(before, name)) !== JSON.stringify(this.#grantFor(name))
    );
    return this.#answerAll(changed);
  }

  /** Frees all host ports. */
  close(reason: ChannelEndReason): void {
    for (const name of [...this.#services.keys()]) this.#close(name, reason);
  }

  /** Resolves when the host ports that were closed are free. */
  freed(): Promise<void> {
    return this.#freed;
  }

  onClient(conn: Connection, address: string, port: HostPort): void {
    const service = [...this.#services.values()].find((candidate) => candidate.port === port);
    if (!service) return conn.reset();
    service.door.enter(conn, address);
  }

  onPortChanged(port: HostPort): void {
    for (const [name, service] of this.#services) {
      const offer = this.#offers.get(name);
      if (service.port === port && offer) this.#options.link()?.sendGrants([answerOf(name, offer.number, port)]);
    }
  }

  #grantFor(name: string): ServiceGrant | undefined {
    return grantOf(this.#device, name);
  }

  /** The answers; those for ports that are about to be free follow. */
  #answerAll(offers: readonly ServiceOffer[]): ServiceGrantResult[] {
    return offers.flatMap((offer): ServiceGrantResult | [] => {
      const { number, name } = offer;
      if (!offer.offered) {
        this.#offers.delete(name);
        this.#close(name, "service-withdrawn");
        return { number, code: "granted", text: "" };
      }
      if (!this.#offers.has(name) && this.#offers.size >= V2_MAX_SERVICES) {
        return { number, code: "too-many-services", text: `${V2_MAX_SERVICES} are the most` };
      }
      this.#offers.set(name, offer);
      const grant = this.#grantFor(name);
      if (!grant) {
        const known = this.#device.services.map((service) => service.name).join(", ") || "none";
        const { deviceName: device, settings: { logger } } = this;
        logger.warn("device {device} offers {service}, which it was not granted", { device, service: name });
        return { number, code: "not-granted", text: `granted to ${this.deviceName}: ${known}` };
      }
      const service = this.#services.get(name) ?? this.#openService(name, grant);
      service.number = number;
      this.#serveWaiting(name);
      return service.port.isSettled ? answerOf(name, number, service.port) : [];
    });
  }

  #openService(name: string, grant: ServiceGrant): OpenService {
    const clients = this.#clients.get(name) ??
      { listen: formatGrantedAddress(grant.listen), count: { inside: 0 }, pumps: new Set() };
    this.#clients.set(name, clients);
    const door = new ClientDoor(grant, this.settings, {
      serve: (duplex, address, left) => this.#serve({ service: name, site: siteOf(address), duplex, address, left }),
      refused: (address, reason, error) =>
        this.#clientEnded(address, this.#services.get(name)?.port.address ?? "", name, nothingCarried(reason), error),
    }, clients.count);
    const port = new HostPort({
      place: placeOf(grant.listen),
      localAddress: name,
      kept: this.#options.kept(name),
      after: this.#freeing > 0 ? this.#freed : this.#options.turns.take(),
    }, this);
    const service: OpenService = { number: undefined, port, door, clients };
    this.#services.set(name, service);
    return service;
  }

  /** Frees its host port. Its clients go on, unless the device may not offer it any more. */
  #close(name: string, reason: ChannelEndReason): void {
    const service = this.#services.get(name);
    if (!service) return;
    this.#services.delete(name);
    service.door.close();
    const hostAddress = service.port.address;
    if (service.port.isOpen && this.#options.link()) {
      this.emit({ type: "host-closed", hostAddress, localAddress: name, device: this.deviceName });
    }
    this.#freeing++;
    const freed = service.port.close().finally(() => this.#freeing--);
    this.#freed = Promise.all([this.#freed, freed]).then(() => {});
    this.#turnAllAway(name, hostAddress, reason);
    if (this.#offers.has(name) && reason === "service-withdrawn") {
      for (const pump of service.clients.pumps) pump.abort(reason);
    }
  }

  /** Gives a client that the door let in a channel. */
  #serve(client: WaitingClient): void {
    const { service: name, duplex, address } = client;
    const service = this.#services.get(name);
    const link = this.#options.link();
    const hostAddress = service?.port.address ?? "";
    const onEnd = (summary: ChannelSummary, error: string | undefined) => {
      client.left();
      this.#clientEnded(address, hostAddress, name, summary, error);
    };
    if (!service || !link) {
      duplex.reset();
      return onEnd(nothingCarried("link-lost"), undefined);
    }
    if (service.number === undefined || !link.links.online) {
      return this.#wait(client);
    }
    const pump = link.serve({ duplex, address, hostAddress, service: service.number, onEnd });
    if (!pump) return;
    const pumps = service.clients.pumps.add(pump);
    pump.done.then(() => pumps.delete(pump));
    service.door.watch(pump);
  }

  /** It waits, or somebody else goes for it, or it has to go itself. */
  #wait(waiter: WaitingClient): void {
    if (this.#isMute) return this.#turnAway(waiter, this.#services.get(waiter.service)!.port.address, "link-lost");
    const out = this.#waiting.add(waiter);
    const service = out && this.#services.get(out.service);
    if (service) this.#turnAway(out, service.port.address, "too-many-channels");
  }

  #serveWaiting(name: string): void {
    for (const client of this.#waiting.takeAll(name)) this.#serve(client);
  }

  #turnAllAway(name: string, at: string, reason: ChannelEndReason): void {
    for (const waiter of this.#waiting.takeAll(name)) this.#turnAway(waiter, at, reason);
  }

  #turnAway({ service: name, duplex, address, left }: WaitingClient, at: string, reason: ChannelEndReason): void {
    duplex.reset();
    left();
    this.#clientEnded(address, at, name, nothingCarried(reason), undefined);
  }

  #clientEnded(
    client: string,
    hostAddress: string,
    localAddress: string,
    summary: ChannelSummary,
    error: string | undefined,
  ): void {
    tellClientEnd(this, { client, hostAddress, localAddress, device: this.deviceName, error }, summary);
  }
}
