/**
 * What a v2 device reaches beyond itself: the server, its services, chance. A simulation has its own.
 *
 * @module
 */

import { LINK_WINDOW_BOUND } from "../../net/limits.ts";
import type { Clock } from "../../base/clock.ts";
import { type Dialled, dialRace } from "../../net/dial/race.ts";
import { dialServer, type ServerTarget } from "../../net/dial/server.ts";
import type { Connection, Duplex, Engine } from "../../net/socket.ts";
import type { DeviceParty } from "../../protocol/v2/wire/handshake.ts";
import type { ConnectRequest } from "../../protocol/v2/wire/messages.ts";
import { type DeviceGreeting, greetServer, randomBytes } from "../../relay/handshake.ts";
import type { NamedService } from "./named_service.ts";
import { dialService } from "./service_dial.ts";

/** Where links and connections to services come from. */
export interface Outside {
  /** Connects to the first of `targets` that answers. @throws What {@linkcode dialServer} throws. */
  dial(targets: readonly ServerTarget[], clock: Clock, timeout: number, signal: AbortSignal): Promise<Dialled>;
  /** The device's side of a handshake; see {@linkcode greetServer}. */
  greet(duplex: Duplex, party: DeviceParty): Promise<DeviceGreeting>;
  /** Connects to a service for a client; see {@linkcode dialService}. */
  dialService(
    service: NamedService,
    request: ConnectRequest,
    clock: Clock,
    connectTimeout: number,
    signal: AbortSignal,
  ): Promise<Connection>;
  randomBytes(count: number): Uint8Array;
  /** Bytes that a session may grant. */
  readonly windowBound: number;
}

/** The network that there is, reached by `engine`. */
export function network(engine: Engine): Outside {
  return {
    async dial(targets, clock, timeout, signal) {
      if (targets.length > 1) return await dialRace(targets, engine, clock, timeout, signal);
      return { transport: await dialServer(targets[0]!, engine, clock, timeout, signal), index: 0 };
    },
    greet: greetServer,
    dialService: (service, request, clock, timeout, signal) =>
      dialService(service, request, engine, clock, timeout, signal),
    randomBytes,
    windowBound: LINK_WINDOW_BOUND,
  };
}
