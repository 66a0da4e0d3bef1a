/**
 * Links of profile v1: dial, LISTEN.
 *
 * @module
 */

import { DIAL_TIMEOUT_MS } from "../limits.ts";
import { dial } from "../../net/dial/dial.ts";
import { tcpTransport } from "../../net/transport.ts";
import type { DeviceEvent } from "../events.ts";
import type { LinkFacts, LinkMaker, MadeLink } from "../reconnect/link_maker.ts";
import { V1Session } from "./session.ts";
import type { DeviceSettings, V1DeviceOptions, V1DeviceSettings } from "../options.ts";
import type { Reach } from "../endpoints/endpoint.ts";
import { parseEndpoint } from "../endpoints/registry.ts";
import { reachService } from "../endpoints/service_reach.ts";
import type { ServiceRule } from "../services.ts";

/** See {@linkcode LinkMaker}. */
export class V1LinkMaker implements LinkMaker {
  readonly server: V1DeviceOptions["server"];

  readonly #settings: V1DeviceSettings;
  readonly #emit: (event: DeviceEvent) => void;
  readonly #ways = new Map<ServiceRule, Reach>();

  /** Links with these settings. */
  constructor(options: V1DeviceOptions, settings: DeviceSettings, emit: (event: DeviceEvent) => void) {
    this.server = options.server;
    this.#settings = { ...settings, server: options.server, profile: "v1", services: options.services };
    this.#emit = emit;
    const { engine, clock, logger } = settings;
    for (const rule of options.services) {
      const { endpoint, text } = rule;
      if (endpoint === undefined) continue;
      const surroundings = { engine, clock, logger, service: text.split("=", 1)[0]!, maxClients: undefined };
      this.#ways.set(rule, reachService(parseEndpoint(endpoint), {}, surroundings));
    }
  }

  get facts(): LinkFacts {
    return {
      mode: "run",
      services: [],
      keepAlive: this.#settings.keepAlive,
      serverKeepAlive: undefined,
      bound: undefined,
      clockOffset: undefined,
      roundTrip: undefined,
    };
  }

  start(): void {}

  async make(signal: AbortSignal): Promise<MadeLink> {
    const { engine, clock } = this.#settings;
    const transport = tcpTransport(await dial(this.server, { engine, clock, timeout: DIAL_TIMEOUT_MS, signal }));
    const link = new V1Session({ transport, settings: this.#settings, ways: this.#ways, emit: this.#emit });
    return { link, local: transport.local, remote: transport.remote, device: undefined };
  }

  lost(): void {}

  setKeepAlive(): void {
    throw new Error("Cannot set keep-alive while running: v1 has no ping, and its settings are those at the start");
  }

  setMode(): void {
    throw new Error("Cannot set a mode: v1 has none");
  }

  async close(): Promise<void> {
    await Promise.all(this.#ways.values().map((way) => way.close()));
  }
}
