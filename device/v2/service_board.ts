/**
 * What a v2 device offers, link after link: its services, its mode, and what the server answered.
 *
 * @module
 */

import type { DeviceMode, ServiceGrantResult, ServiceOffer } from "../../protocol/v2/wire/messages.ts";
import type { Clock } from "../../base/clock.ts";
import type { DatagramCounts } from "../../net/udp/counts.ts";
import type { Reach } from "../endpoints/endpoint.ts";
import { endpointOf, type NamedService } from "./named_service.ts";
import { ServiceWatch } from "./service_watch.ts";

/** A service and how it stands. */
export interface ServiceStatus {
  /** Its name. */
  readonly name: string;
  /** What stands behind it, `HOST:PORT` or as in `unix:/run/docker.sock`. */
  readonly localAddress: string;
  /** Whether it is offered to the server now. */
  readonly offered: boolean;
  /** Whether it is up, for a service that is watched. */
  readonly up: boolean | undefined;
  /** Where clients reach it, once the server has said so. */
  readonly hostAddress: string | undefined;
  /** Why they cannot, as the server said. */
  readonly error: string | undefined;
  /** What became of its datagrams, if it is one of UDP. */
  readonly datagrams?: DatagramCounts;
}

/** The way to a service. */
export interface ServiceWay {
  readonly reach: Reach;
  /** What stands behind it, for people. */
  readonly address: string;
  /** Whether its channels carry datagrams. */
  readonly isUdp?: boolean;
}

/** Why a service of UDP is not offered. */
export const NO_DATAGRAMS = "the server does not know UDP; update it";

/** A service, as a client needs it. */
export interface FoundService extends ServiceWay {
  readonly service: NamedService;
  readonly offered: boolean;
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

/** The services of a device; they are numbered in their order. */
export class ServiceBoard {
  /** In the order of their numbers. */
  readonly services: readonly NamedService[];

  readonly #events: ServiceBoardEvents;
  readonly #clock: Clock;
  readonly #ways: readonly ServiceWay[];
  readonly #watches = new Map<NamedService, ServiceWatch>();
  readonly #results = new Map<number, ServiceGrantResult>();
  /** Whether the server takes services of UDP; set before it is told of any. */
  takesDatagrams = true;
  #mode: DeviceMode = "init";
  #wanted: Exclude<DeviceMode, "init">;

  /** Starts to find out which services are up; then goes to `mode`. */
  constructor(
    services: readonly NamedService[],
    mode: Exclude<DeviceMode, "init">,
    reachOf: (service: NamedService) => Reach,
    clock: Clock,
    events: ServiceBoardEvents,
  ) {
    this.services = services;
    this.#events = events;
    this.#clock = clock;
    this.#wanted = mode;
    this.#ways = services.map((service) => {
      const { address, isUdp = false } = endpointOf(service);
      return { reach: reachOf(service), address, isUdp };
    });
  }

  /** Begins; without anything to watch the device is in its mode at once. */
  start(): void {
    this.services.forEach((service, number) => {
      if (!service.refuseWhenDown) return;
      const onChange = (up: boolean) => this.#onChange(service, up);
      this.#watches.set(service, new ServiceWatch(this.#ways[number]!.reach, this.#clock, onChange));
    });
    this.#leaveInit();
  }

  /** The device's mode. */
  get mode(): DeviceMode {
    return this.#mode;
  }

  /** Goes to another mode; what is offered changes with it. */
  set mode(mode: Exclude<DeviceMode, "init">) {
    this.#wanted = mode;
    if (this.#mode === "init" || this.#mode === mode) return;
    this.#mode = mode;
    this.#events.onMode(mode);
    this.#events.onOffers(this.offers());
  }

  /** What is offered now, to be said to a server that knows nothing of it yet, or of nothing else. */
  offers(): ServiceOffer[] {
    return this.services.map((service, number) => this.#offer(service, number, this.#isOffered(service)));
  }

  /** The service of a number, the way to it, and whether it is offered. */
  find(number: number): FoundService | undefined {
    const service = this.services[number];
    return service && { service, ...this.#ways[number]!, offered: this.#isOffered(service) };
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
      const service = this.services[result.number];
      if (!service) return [];
      this.#results.set(result.number, result);
      return [{ service, result }];
    });
  }

  /** A client reached a service, or could not. */
  hint(service: NamedService, up: boolean): void {
    this.#watches.get(service)?.hint(up);
  }

  /** How each service stands. */
  get status(): ServiceStatus[] {
    return this.services.map((service, number) => {
      const result = this.#results.get(number);
      const { datagrams } = this.#ways[number]!.reach;
      const isBarred = this.#isUdp(number) && !this.takesDatagrams;
      return {
        name: service.name,
        localAddress: this.#ways[number]!.address,
        offered: this.#isOffered(service),
        up: this.#watches.get(service)?.up,
        hostAddress: result?.code === "granted" && result.text !== "" ? result.text : undefined,
        error: isBarred
          ? NO_DATAGRAMS
          : result && result.code !== "granted"
          ? `${result.code}: ${result.text}`
          : undefined,
        ...(datagrams && { datagrams: { ...datagrams } }),
      };
    });
  }

  /** Watches no more. Resolves when nothing is left of what clients had of services. */
  async close(): Promise<void> {
    for (const watch of this.#watches.values()) watch.close();
    await Promise.all(this.#ways.map(({ reach }) => reach.close()));
  }

  /** Services that the server cannot have, as it does not know UDP. */
  get barred(): readonly NamedService[] {
    return this.takesDatagrams ? [] : this.services.filter((_, number) => this.#isUdp(number));
  }

  #isUdp(number: number): boolean {
    return this.#ways[number]!.isUdp === true;
  }

  #offer({ name }: NamedService, number: number, offered: boolean): ServiceOffer {
    return { number, offered, name, ...(offered && this.#isUdp(number) && { datagrams: true }) };
  }

  #isOffered(service: NamedService): boolean {
    if (!this.takesDatagrams && this.#isUdp(this.services.indexOf(service))) return false;
    return this.#mode === "run" && (this.#watches.get(service)?.up ?? true);
  }

  #onChange(service: NamedService, up: boolean): void {
    const first = this.#mode === "init";
    const number = this.services.indexOf(service);
    if (!first || !up) this.#events.onService(service, up, this.#ways[number]!.address);
    if (first) return this.#leaveInit();
    if (this.#mode !== "run") return;
    this.#events.onOffers([this.#offer(service, number, up)]);
  }

  /** Every watched service has been looked at once: then the device takes up its work. */
  #leaveInit(): void {
    if ([...this.#watches.values()].some((watch) => watch.up === undefined)) return;
    this.#mode = this.#wanted;
    this.#events.onMode(this.#mode);
    this.#events.onOffers(this.offers());
  }
}
