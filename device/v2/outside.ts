/**
 * What a v2 device reaches beyond itself: the server, its services, chance. A simulation has its own.
 *
 * @module
 */

import { LINK_WINDOW_BOUND } from "../../net/limits.ts";
import type { Clock } from "../../base/clock.ts";
import { type Dialled, dialRace } from "../../net/dial/race.ts";
import { dialServer, type ServerTarget } from "../../net/dial/server.ts";
import type { Duplex } from "../../net/socket.ts";
import type { DeviceParty } from "../../protocol/v2/wire/handshake.ts";
import { type DeviceGreeting, greetServer, randomBytes } from "../../relay/handshake.ts";
import type { Endpoint, Reach, Surroundings } from "../endpoints/endpoint.ts";
import { reachService } from "../endpoints/service_reach.ts";
import { endpointOf, type NamedService } from "./named_service.ts";

/** Where links and connections to services come from. */
export interface Outside {
  /** Connects to the first of `targets` that answers. @throws What {@linkcode dialServer} throws. */
  dial(targets: readonly ServerTarget[], clock: Clock, timeout: number, signal: AbortSignal): Promise<Dialled>;
  /** The device's side of a handshake; see {@linkcode greetServer}. */
  greet(duplex: Duplex, party: DeviceParty): Promise<DeviceGreeting>;
  /** The way to a service; `endpoint`, if it is another than what the service says. */
  reach(service: NamedService, endpoint?: Endpoint): Reach;
  randomBytes(count: number): Uint8Array;
  /** Bytes that a session may grant. */
  readonly windowBound: number;
}

/** The network that there is, and this machine. */
export function network(given: Pick<Surroundings, "engine" | "clock" | "logger" | "datagrams">): Outside {
  const { engine, clock, logger, datagrams } = given;
  return {
    async dial(targets, clock, timeout, signal) {
      if (targets.length > 1) return await dialRace(targets, engine, clock, timeout, signal);
      return { transport: await dialServer(targets[0]!, engine, clock, timeout, signal), index: 0 };
    },
    greet: greetServer,
    reach: (service, endpoint = endpointOf(service)) => {
      const { name, maxClients } = service;
      return reachService(endpoint, service, { engine, clock, logger, service: name, maxClients, datagrams });
    },
    randomBytes,
    windowBound: LINK_WINDOW_BOUND,
  };
}
