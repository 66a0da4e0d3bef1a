/**
 * The services of a device on the server: what it offers and may open, their host ports, and the clients that come.
 *
 * @module
 */

import { V2_MAX_SERVICES } from "../../protocol/v2/limits.ts";
import { FIRST_FRAME_TIMEOUT_MS } from "../limits.ts";
import { notGrantedText } from "../../protocol/v2/not_granted.ts";
import type { ChannelEndReason } from "../../protocol/reasons.ts";
import type { ServiceGrantResult, ServiceOffer } from "../../protocol/v2/wire/messages.ts";
import { nothingCarried } from "../../relay/channel_end.ts";
import type { Connection } from "../../net/socket.ts";
import type { AuthorizedDevice } from "../devices/authorized_devices.ts";
import type { Opening } from "../access/openings.ts";
import { ClientLine } from "./client_line.ts";
import { ClientDoor } from "../ports/client_door.ts";
import type { ServerEvent } from "../events.ts";
import { HostPort, type HostPortOwner } from "../ports/host_port.ts";
import {
  answerOf,
  type DeviceServicesOptions,
  forgottenPort,
  grantOf,
  grantOfOpening,
  mismatch,
  notGranted,
  type OpenService,
  opensIt,
  PART_OFFERED,
  partsOffered,
  type ServedService,
  type ServiceClients,
  shutStatus,
  statusOf,
  unlikeStatus,
} from "./open_service.ts";
import type { ServerSettings } from "../options.ts";
import { eachService, formatGrantedAddress, placeOf, type ServiceGrant } from "../devices/service_grant.ts";
import { ServiceGates } from "./service_gates.ts";

/** Opens and closes host ports as the device offers services, and gives clients to its link. */
export class DeviceServices implements HostPortOwner {
  readonly settings: ServerSettings;

  readonly #options: DeviceServicesOptions;
  readonly #services = new Map<string, OpenService>();
  readonly #clients = new Map<string, ServiceClients>();
  readonly #gates: ServiceGates;
  /** Services that are offered, and closed until somebody opens them. */
  readonly #shut = new Set<string>();
  readonly #line: ClientLine;
  /** One promise for all host ports that were closed: a device may close many in no time. */
  #freed: Promise<void> = Promise.resolve();
  #freeing = 0;
  #device: AuthorizedDevice;
  #offers = new Map<string, ServiceOffer>();
  #heardOffers = false;
  #isRunning = false;
  #cancelMute: () => void = () => {};

  /** Nothing is offered yet. */
  constructor(options: DeviceServicesOptions) {
    this.#options = options;
    this.settings = options.settings;
    this.#device = options.device;
    this.#gates = new ServiceGates(options.settings);
    this.#line = new ClientLine(this, (name) => this.#services.get(name), options.link);
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
    const open = [...this.#services].map(([name, { port }]) =>
      statusOf(name, port, this.settings.openings.get(this.deviceName, name)?.until)
    );
    const granted = eachService(this.#device.services);
    const namesNone = this.#isRunning && !this.#options.namesAddresses();
    const others = granted.filter(({ name }) => !this.#services.has(name)).flatMap((grant): ServedService | [] => {
      if (this.#shut.has(grant.name)) return shutStatus(this.deviceName, grant);
      return unlikeStatus(grant, this.#offers.get(grant.name), namesNone) ?? [];
    });
    return [...open, ...others];
  }

  emit(event: ServerEvent): void {
    this.#options.emit(event);
  }

  /** A new link is up: the device may count its services anew, and offer others. Host ports that are open stay so. */
  linkUp(): void {
    this.#offers = new Map();
    this.#shut.clear();
    this.#heardOffers = false;
    this.#isRunning = false;
    for (const service of this.#services.values()) service.at = undefined;
    this.#line.isMute = false;
    this.#cancelMute();
    this.#cancelMute = this.settings.clock.after(FIRST_FRAME_TIMEOUT_MS, () => {
      this.#line.isMute = true;
      for (const { port, at } of this.#services.values()) {
        if (at === undefined) this.#line.turnAllAway(port.localAddress, port.address, "link-lost");
      }
    });
  }

  /** A link is up again, and the session goes on: those who waited for it are served. */
  resumed(): void {
    for (const [name, { at }] of this.#services) if (at !== undefined) this.#line.serveWaiting(name);
  }

  /** The device is in mode `run`, or thinks otherwise of being named addresses: what is defined here is open from now on, if it may. */
  running(): void {
    this.#isRunning = true;
    const asked = this.settings.openings.asked(this.deviceName).map((opening) => grantOfOpening(opening)!);
    for (const grant of [...eachService(this.#device.services), ...asked]) this.#define(grant);
  }

  /** It is in mode `config`. */
  withdraw(): void {
    this.#isRunning = false;
    this.close("service-withdrawn");
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
      this.#line.isMute = false;
      this.#cancelMute();
      const named = new Set(offers.map(({ name }) => name));
      for (const part of partsOffered(this.#device, named)) {
        this.settings.logger.warn(PART_OFFERED, { device: this.deviceName, ...part });
      }
      for (const name of [...this.#services.keys()]) {
        if (!named.has(name) && this.#grantFor(name)?.local === undefined) this.#close(name, "link-lost");
      }
    }
    return this.#answerAll(offers);
  }

  /** A service was opened for a time, or is closed again. @returns what the device is to hear. */
  accessChanged(opening: Opening, keepClients: boolean): ServiceGrantResult[] {
    const { service: name } = opening;
    const [offer, granted] = [this.#offers.get(name), grantOf(this.#device, name)];
    const grant = granted ?? grantOfOpening(opening);
    if (!grant) return [];
    if (!granted) this.#closeIfElsewhere(name, grant);
    const isShut = this.#gates.accessChanged(this.#device, grant, keepClients);
    if (grant.local !== undefined) {
      this.#define(grant);
      if (!granted && isShut) this.#forget(name);
      return [];
    }
    return offer && (isShut || !this.#services.has(name)) ? this.#answerAll([offer]) : [];
  }

  /** Takes other grants and rules, without touching what stays; who may not be there any more is ended. @returns what the device is to hear. */
  update(device: AuthorizedDevice): ServiceGrantResult[] {
    const before = this.#device;
    this.#device = device;
    this.#gates.update(device, (name) => this.#grantFor(name));
    for (const [name, { door }] of this.#services) {
      const grant = this.#grantFor(name);
      const isShut = grant !== undefined && this.#gates.isShut(device, grant);
      const isSame = grant && (grant.local === undefined) === (door.grant.local === undefined);
      const stays = isSame && !isShut && formatGrantedAddress(grant.listen) === formatGrantedAddress(door.grant.listen);
      if (stays) door.grant = grant;
      else this.#close(name, isShut ? "access-closed" : "service-withdrawn");
      if (isShut) this.#gates.of(device, grant).endAll("access-closed");
    }
    for (const [name, { listen, pumps }] of this.#clients) {
      const grant = this.#grantFor(name);
      if (grant && formatGrantedAddress(grant.listen) === listen) continue;
      this.#clients.delete(name);
      for (const pump of pumps) pump.abortInTurn("service-withdrawn"); // also if its host port is closed for now
    }
    const changed = [...this.#offers.values()].filter(({ name }) => {
      const grant = this.#grantFor(name);
      if (this.#services.has(name)) return false;
      const isShut = grant !== undefined && this.#gates.isShut(device, grant);
      return this.#shut.has(name) !== isShut || JSON.stringify(grantOf(before, name)) !== JSON.stringify(grant);
    });
    for (const grant of eachService(device.services)) this.#define(grant);
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
    if (!this.settings.drains.refuses(this.deviceName)) return service.door.enter(conn, address);
    conn.reset();
    this.#line.ended(address, port.address, port.localAddress, nothingCarried("draining"), undefined);
  }

  onPortChanged(port: HostPort): void {
    for (const [name, service] of this.#services) {
      const offer = this.#offers.get(name);
      if (service.port === port && offer) this.#options.link()?.sendGrants([answerOf(name, offer.number, port)]);
    }
  }

  #grantFor(name: string): ServiceGrant | undefined {
    const asked = this.settings.openings.get(this.deviceName, name);
    return grantOf(this.#device, name) ?? (asked && grantOfOpening(asked));
  }

  /** An address that somebody asked for is to be reached elsewhere from now on. */
  #closeIfElsewhere(name: string, { listen }: ServiceGrant): void {
    const before = this.#services.get(name)?.door.grant.listen;
    if (before && formatGrantedAddress(before) !== formatGrantedAddress(listen)) this.#close(name, "access-closed");
  }

  /** Its time is over, and nothing of it stays. */
  #forget(name: string): void {
    this.#close(name, "access-closed");
    this.#shut.delete(name);
    this.#clients.delete(name);
    this.#gates.forget(name);
  }

  /** The answers; those for ports that are about to be free follow. */
  #answerAll(offers: readonly ServiceOffer[]): ServiceGrantResult[] {
    const { deviceName: device, settings: { logger } } = this;
    return offers.flatMap((offer): ServiceGrantResult | [] => {
      const { number, name } = offer;
      if (!offer.offered) {
        this.#offers.delete(name);
        this.#shut.delete(name);
        this.#close(name, "service-withdrawn");
        if (!offer.asked) return { number, code: "granted", text: "" };
      } else if (!this.#offers.has(name) && this.#offers.size >= V2_MAX_SERVICES) {
        return { number, code: "too-many-services", text: `${V2_MAX_SERVICES} are the most` };
      } else this.#offers.set(name, offer);
      const grant = this.#grantFor(name);
      if (grant?.local !== undefined) {
        return { number, code: "not-granted", text: notGrantedText("defined", name, grant.local) };
      }
      if (!grant) {
        logger.warn("device {device} offers {service}, which it was not granted", { device, service: name });
        return { number, code: "not-granted", text: notGranted(this.#device, name) };
      }
      const unlike = mismatch(grant, offer);
      if (unlike !== undefined) {
        logger.warn("device {device}: {error}", { device, service: name, error: unlike });
        this.#close(name, "service-withdrawn");
        return { number, code: "not-granted", text: unlike };
      }
      if (!offer.offered) return { number, code: "granted", text: "" };
      this.#shut.delete(name);
      if (this.#gates.isShut(this.#device, grant)) {
        this.#shut.add(name);
        this.#close(name, "access-closed");
        return { number, code: "closed", text: opensIt(this.deviceName, name) };
      }
      const service = this.#services.get(name) ?? this.#openService(name, grant);
      service.at = number;
      this.#line.serveWaiting(name);
      return service.port.isSettled ? answerOf(name, number, service.port) : [];
    });
  }

  /** Opens a service that is defined here, if it is one and the device is ready. */
  #define(grant: ServiceGrant): void {
    const { name, local } = grant;
    if (local === undefined || !this.#isRunning) return;
    this.#shut.delete(name);
    if (!this.#options.namesAddresses()) {
      const { deviceName: device, settings: { logger } } = this;
      logger.warn("device {device} lets the server name no address; {service} is not open", { device, service: name });
      return this.#close(name, "not-allowed");
    }
    if (this.#gates.isShut(this.#device, grant)) {
      this.#shut.add(name);
      return this.#close(name, "access-closed");
    }
    const service = this.#services.get(name) ?? this.#openService(name, grant);
    service.at = { name, address: local };
    this.#line.serveWaiting(name);
  }

  #openService(name: string, grant: ServiceGrant): OpenService {
    const clients = this.#clients.get(name) ??
      { listen: formatGrantedAddress(grant.listen), pumps: new Set() };
    this.#clients.set(name, clients);
    const door = new ClientDoor(grant, this.settings, {
      serve: (duplex, address, pass) => this.#line.enter(name, duplex, address, pass),
      refused: (address, reason, error) =>
        this.#line.ended(address, this.#services.get(name)?.port.address ?? "", name, nothingCarried(reason), error),
    }, this.#gates.of(this.#device, grant));
    const port = new HostPort({
      place: placeOf(grant.listen),
      localAddress: name,
      kept: grantOf(this.#device, name) ? this.#options.kept(name) : forgottenPort(this.#options.kept(name)),
      after: this.#freeing > 0 ? this.#freed : this.#options.turns.take(),
    }, this);
    const service: OpenService = { at: undefined, port, door, clients };
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
    this.#line.turnAllAway(name, hostAddress, reason);
    const isDefined = service.door.grant.local !== undefined;
    if ((this.#offers.has(name) || isDefined) && reason === "service-withdrawn") {
      for (const pump of service.clients.pumps) pump.abortInTurn(reason);
    }
  }
}
