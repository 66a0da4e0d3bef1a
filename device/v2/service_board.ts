/**
 * What a v2 device offers, link after link: its services, its mode, and what the server answered.
 *
 * @module
 */

import type { DeviceMode, ServiceGrantResult, ServiceOffer } from "../../protocol/v2/wire/messages.ts";
import type { Logger } from "../../base/logger.ts";
import type { Clock } from "../../base/clock.ts";
import type { DatagramCounts } from "../../net/udp/counts.ts";
import { V2_MAX_SERVICES } from "../../protocol/v2/limits.ts";
import type { EndpointState, Reach } from "../endpoints/endpoint.ts";
import { kindOf } from "../endpoints/registry.ts";
import { notOffered } from "../not_open.ts";
import { grantError } from "./granted_address.ts";
import { endpointOf, type NamedService } from "./named_service.ts";
import { ServiceWatch } from "./service_watch.ts";

/** A service and how it stands. */
export interface ServiceStatus {
  /** Its name. */
  readonly name: string;
  /** What stands behind it, `HOST:PORT` or as in `unix:/run/docker.sock`. */
  readonly localAddress: string;
  /** What kind of endpoint that is: `tcp`, `unix` and others. */
  readonly kind: string;
  /** Whether it is offered to the server now. */
  readonly offered: boolean;
  /** Whether it is up, for a service that is watched. */
  readonly up: boolean | undefined;
  /** Where clients reach it, once the server has said so. */
  readonly hostAddress: string | undefined;
  /** Why they cannot, as the server said; or `not-offered`, and what this device takes to serve it. */
  readonly error: string | undefined;
  /** What became of its datagrams, if it is one of UDP. */
  readonly datagrams?: DatagramCounts;
  /** How what stands behind it is. */
  readonly endpoint: EndpointState;
}

/** The way to a service. */
export interface ServiceWay {
  readonly reach: Reach;
  /** What stands behind it, for people. */
  readonly address: string;
}

/** Why a service of UDP is not offered. */
const NO_DATAGRAMS = "the server does not know UDP; update it";

/** A service, as a client needs it. */
export interface FoundService extends ServiceWay {
  readonly service: NamedService;
  readonly offered: boolean;
  /** Whether its channels carry datagrams. */
  readonly isUdp: boolean;
}

/** What the board tells. */
export interface ServiceBoardEvents {
  /** Offers changed: tell the server. */
  onOffers(offers: ServiceOffer[]): void;
  /** The mode changed. */
  onMode(mode: DeviceMode): void;
  /** A watched service went up or down. */
  onService(service: NamedService, up: boolean, address: string): void;
}

/** The largest number that the wire has room for. */
const MAX_NUMBER = 0xffff;

/** A service with its number. */
interface Entry extends ServiceWay {
  readonly number: number;
  readonly service: NamedService;
  /** Whether its channels carry datagrams. */
  readonly isUdp: boolean;
  watch: ServiceWatch | undefined;
}

/** The services of a device, by their numbers. The number of one that was taken away is not used again. */
export class ServiceBoard {
  readonly #events: ServiceBoardEvents;
  readonly #clock: Clock;
  readonly #reachOf: (service: NamedService) => Reach;
  readonly #entries = new Map<number, Entry>();
  readonly #results = new Map<number, ServiceGrantResult>();
  #takesDatagrams = true;
  #next = 0;
  #mode: DeviceMode = "init";
  #wanted: Exclude<DeviceMode, "init">;
  #isDraining = false;

  /** Goes to `mode` when it is started, and knows which services are up. */
  constructor(
    services: readonly NamedService[],
    mode: Exclude<DeviceMode, "init">,
    reachOf: (service: NamedService) => Reach,
    clock: Clock,
    events: ServiceBoardEvents,
  ) {
    this.#events = events;
    this.#clock = clock;
    this.#reachOf = reachOf;
    this.#wanted = mode;
    for (const service of services) this.#enter(service);
  }

  /** Begins; without anything to watch the device is in its mode at once. */
  start(): void {
    for (const entry of this.#entries.values()) this.#watch(entry);
    this.#leaveInit();
  }

  /** The device's mode. */
  get mode(): DeviceMode {
    return this.#mode;
  }

  /** Goes to another mode; what is offered changes with it. */
  set mode(mode: Exclude<DeviceMode, "init">) {
    this.#wanted = mode;
    const wasDraining = this.#isDraining;
    this.#isDraining = false;
    if (this.#mode === "init") return;
    if (this.#mode === mode) {
      if (wasDraining) this.#events.onOffers(this.offers());
      return;
    }
    this.#mode = mode;
    this.#events.onMode(mode);
    this.#events.onOffers(this.offers());
  }

  /** Whether it is on its way to mode config: nothing is offered any more, and who is there may finish. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Takes all offers back, and leaves clients alone; setting the mode ends that. */
  drain(): void {
    if (this.#mode !== "run" || this.#isDraining) return;
    this.#isDraining = true;
    this.#events.onOffers(this.offers());
  }

  /** Offers one more, or another in the place of the one of its name, which is given back. @throws {RangeError} if there are too many. */
  put(service: NamedService): ServiceWay | undefined {
    const before = this.#byName(service.name);
    if (!before && this.#entries.size >= V2_MAX_SERVICES) {
      throw new RangeError(`Cannot offer ${service.name}: ${V2_MAX_SERVICES} services are the most`);
    }
    if (this.#next > MAX_NUMBER) throw new RangeError("Cannot number one more service: start the device anew");
    if (before) this.#forget(before);
    const entry = this.#enter(service);
    this.#watch(entry);
    if (this.#mode === "run") this.#events.onOffers([this.#offerOf(entry)]);
    return before;
  }

  /** Offers a service no more. @returns the way to it, whose owner closes it now; `undefined` if there is none of that name. */
  take(name: string): ServiceWay | undefined {
    const entry = this.#byName(name);
    if (!entry) return undefined;
    this.#forget(entry);
    if (this.#mode === "run") this.#events.onOffers([{ number: entry.number, offered: false, name }]);
    return entry;
  }

  /** The services, in the order of their numbers. */
  get services(): NamedService[] {
    return [...this.#entries.values()].map(({ service }) => service);
  }

  /** What is offered now, to be said to a server that knows nothing of it yet, or of nothing else. */
  offers(): ServiceOffer[] {
    return [...this.#entries.values()].map((entry) => this.#offerOf(entry));
  }

  /** The service of a number, the way to it, and whether it is offered. */
  find(number: number): FoundService | undefined {
    const entry = this.#entries.get(number);
    if (!entry) return undefined;
    const { service, reach, address, isUdp } = entry;
    return { service, reach, address, isUdp, offered: this.#isOffered(entry) };
  }

  /** The link is down: nothing is granted any more. */
  forgetResults(): void {
    this.#results.clear();
  }

  /** The server answered. @returns what is new, with the service of each. */
  learn(
    results: readonly ServiceGrantResult[],
  ): { readonly service: NamedService; readonly result: ServiceGrantResult }[] {
    return results.flatMap((result) => {
      const service = this.#entries.get(result.number)?.service;
      if (!service) return [];
      this.#results.set(result.number, result);
      return [{ service, result }];
    });
  }

  /** A client reached a service, or could not. */
  hint({ name }: NamedService, up: boolean): void {
    this.#byName(name)?.watch?.hint(up);
  }

  /** How each service stands. */
  get status(): ServiceStatus[] {
    return [...this.#entries.values()].map((entry) => {
      const { number, service, address, watch } = entry;
      const result = this.#results.get(number);
      const { datagrams, state = { counts: {} } } = entry.reach;
      const isBarred = entry.isUdp && !this.#takesDatagrams;
      const { lacks } = entry.reach;
      return {
        name: service.name,
        localAddress: address,
        kind: service.endpoint === undefined ? "tcp" : kindOf(service.endpoint).name,
        offered: this.#isOffered(entry),
        up: watch?.up,
        hostAddress: result?.code === "granted" && result.text !== "" ? result.text : undefined,
        error: lacks !== undefined
          ? notOffered(lacks)
          : isBarred
          ? NO_DATAGRAMS
          : result && grantError(service.name, result),
        ...(datagrams && { datagrams }),
        endpoint: state,
      };
    });
  }

  /** Watches no more. Resolves when nothing is left of what clients had of services. */
  async close(): Promise<void> {
    const entries = [...this.#entries.values()];
    for (const { watch } of entries) watch?.close();
    await Promise.all(entries.map(({ reach }) => reach.close()));
  }

  /** A new session is about to begin, with a server that takes services of UDP, or does not: those are not offered to it then. */
  meet(takesDatagrams: boolean, logger: Logger): void {
    this.#takesDatagrams = takesDatagrams;
    if (takesDatagrams) return;
    for (const { service: { name }, isUdp } of this.#entries.values()) {
      if (isUdp) logger.warn("service {service} is not offered: {error}", { service: name, error: NO_DATAGRAMS });
    }
  }

  #enter(service: NamedService): Entry {
    const number = this.#next++;
    const { address, isUdp = false } = endpointOf(service);
    const reach = this.#reachOf(service);
    const entry: Entry = { number, service, reach, address, isUdp, watch: undefined };
    this.#entries.set(number, entry);
    return entry;
  }

  #watch(entry: Entry): void {
    if (!entry.service.refuseWhenDown || entry.reach.lacks !== undefined) return;
    entry.watch = new ServiceWatch(entry.reach, this.#clock, (up) => this.#onChange(entry, up));
  }

  #forget(entry: Entry): void {
    entry.watch?.close();
    this.#entries.delete(entry.number);
    this.#results.delete(entry.number);
  }

  #byName(name: string): Entry | undefined {
    return this.#entries.values().find(({ service }) => service.name === name);
  }

  #offerOf(entry: Entry): ServiceOffer {
    const { number, service: { name }, isUdp } = entry;
    const offered = this.#isOffered(entry);
    return { number, offered, name, ...(isUdp && this.#takesDatagrams && { datagrams: true }) };
  }

  #isOffered({ watch, isUdp, reach }: Entry): boolean {
    if (reach.lacks !== undefined || isUdp && !this.#takesDatagrams) return false;
    return this.#mode === "run" && !this.#isDraining && (watch ? watch.up ?? false : true);
  }

  #onChange(entry: Entry, up: boolean): void {
    const first = this.#mode === "init";
    if (!first || !up) this.#events.onService(entry.service, up, entry.address);
    if (first) return this.#leaveInit();
    if (this.#mode !== "run") return;
    this.#events.onOffers([this.#offerOf(entry)]);
  }

  /** Every watched service has been looked at once: then the device takes up its work. */
  #leaveInit(): void {
    if (this.#entries.values().some(({ watch }) => watch && watch.up === undefined)) return;
    this.#mode = this.#wanted;
    this.#events.onMode(this.#mode);
    this.#events.onOffers(this.offers());
  }
}
