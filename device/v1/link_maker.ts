/**
 * Links of profile v1: dial, LISTEN.
 *
 * @module
 */

import { DIAL_TIMEOUT_MS } from "../limits.ts";
import { dial } from "../../net/dial/dial.ts";
import { dialUplinks } from "../../net/dial/uplinks.ts";
import {
  type Endpoint,
  type KeepAliveChoice,
  type KeepAliveSettings,
  normalKeepAlive,
  V1_KEEP_ALIVE,
} from "../../protocol/keep_alive.ts";
import { paceSettings, UNTUNABLE } from "../../net/tcp_keep_alive.ts";
import { type SocketTransport, tcpTransport } from "../../net/transport.ts";
import type { DeviceEvent } from "../events.ts";
import type { LinkFacts, LinkMaker, MadeLink, PreparedWay } from "../reconnect/link_maker.ts";
import { V1Session } from "./session.ts";
import type { DeviceSettings, DeviceWay, V1DeviceOptions } from "../options.ts";
import type { Reach } from "../endpoints/endpoint.ts";
import { parseEndpoint } from "../endpoints/registry.ts";
import { reachService } from "../endpoints/service_reach.ts";
import { describeRule, type ServiceRule } from "../services.ts";
import type { ServiceStatus } from "../v2/service_board.ts";

/** See {@linkcode LinkMaker}. */
export class V1LinkMaker implements LinkMaker {
  server: V1DeviceOptions["server"];

  readonly #settings: DeviceSettings;
  readonly #services: readonly ServiceRule[];
  readonly #emit: (event: DeviceEvent) => void;
  #keepAlive: KeepAliveSettings;
  #link: V1Session | undefined;
  #transport: SocketTransport | undefined;
  readonly #ways = new Map<ServiceRule, Reach>();

  /** Links with these settings. */
  constructor(options: V1DeviceOptions, settings: DeviceSettings, emit: (event: DeviceEvent) => void) {
    this.server = options.server;
    this.#keepAlive = normalKeepAlive(options.keepAlive ?? V1_KEEP_ALIVE);
    this.#settings = settings;
    this.#services = options.services;
    this.#emit = emit;
    const { engine, clock, logger } = settings;
    for (const rule of options.services) {
      const { endpoint } = rule;
      if (endpoint === undefined) continue;
      const surroundings = { engine, clock, logger, service: describeRule(rule).name, maxClients: undefined };
      this.#ways.set(rule, reachService(parseEndpoint(endpoint), {}, surroundings));
    }
  }

  get facts(): LinkFacts {
    const inForce = this.#transport?.duplex.keepAlive();
    return {
      mode: "run",
      modeChange: undefined,
      services: this.#services.map((rule): ServiceStatus => ({
        ...describeRule(rule),
        offered: this.#link !== undefined,
        up: undefined,
        hostAddress: undefined, // v1 does not tell it
        error: undefined,
        endpoint: this.#ways.get(rule)?.state ?? { counts: {} },
      })),
      datagrams: this.#settings.datagrams.all,
      keepAlive: inForce ? paceSettings(inForce) : this.#keepAlive,
      serverKeepAlive: undefined,
      bytesToday: undefined,
      bytesBefore: undefined,
      bound: undefined,
      clockOffset: undefined,
      roundTrip: undefined,
      tcp: this.#transport?.tcp(),
    };
  }

  start(): void {
    const { engine, logger } = this.#settings;
    if (!engine.isTunable) logger.info("TCP keep-alive of the link {line}", { line: UNTUNABLE });
  }

  async make(signal: AbortSignal): Promise<MadeLink> {
    const { engine, clock, via, logger } = this.#settings;
    const options = { engine, clock, timeout: DIAL_TIMEOUT_MS, signal };
    const socket = await dialUplinks(via, logger, signal, (uplink) => dial(this.server, { ...options, uplink }));
    const transport = tcpTransport(socket);
    const link = new V1Session({
      transport,
      settings: this.#settings,
      services: this.#services,
      keepAlive: this.#keepAlive,
      ways: this.#ways,
      emit: this.#emit,
    });
    this.#link = link;
    this.#transport = transport;
    return { link, local: transport.local, remote: transport.remote, device: undefined };
  }

  lost(): void {
    this.#link = this.#transport = undefined;
  }

  setKeepAlive(settings: KeepAliveChoice, endpoint: Endpoint): void {
    if (endpoint !== "device") {
      throw new RangeError(
        "Cannot set the server's keep-alive from here: v1 has no word for it; set the device's alone",
      );
    }
    if (typeof settings === "string") {
      throw new RangeError(`Cannot set keep-alive to ${settings}: v1 is always alike; give settings`);
    }
    this.#keepAlive = normalKeepAlive(settings);
    this.#link?.setKeepAlive(this.#keepAlive);
  }

  prepareWay(way: DeviceWay): PreparedWay {
    if (way.profile !== "v1") throw new RangeError("Cannot go another way: it is of v2");
    return { goesOn: false, commit: () => void (this.server = way.server) }; // no session outlives its link
  }

  setAllow(): boolean {
    throw new RangeError("Cannot allow addresses: on v1 all are the server's to name, within the services");
  }

  askGrants(): Promise<[]> {
    return Promise.resolve([]); // the server names what it wants
  }

  drop(): void {
    this.#link?.close("dropped");
  }

  setMode(): void {
    throw new RangeError("Cannot set a mode: v1 has none");
  }

  putService(): void {
    throw new RangeError("Cannot offer a service: v1 has none by name");
  }

  takeService(): boolean {
    throw new RangeError("Cannot take a service back: v1 has none by name");
  }

  async close(): Promise<void> {
    await Promise.all(this.#ways.values().map((way) => way.close()));
  }
}
