/**
 * `can:can0`, `can:slcan:/dev/ttyACM0,500000`, `can:virtual:NAME`: a CAN bus, for clients of all its wires.
 *
 * @module
 */

import { readinessOf } from "../../can/bus/readiness.ts";
import { canCalls } from "../../can/bus/can_calls.ts";
import { whyNoCan } from "../../can/bus/socketcan.ts";
import { type BusPlace, type CanEndpoint, parseCanEndpoint } from "../../can/endpoint.ts";
import { MOST_CAN_CLIENTS } from "../../can/limits.ts";
import { type CanService, openCanService } from "../../can/server/service.ts";
import type { Connection } from "../../net/socket.ts";
import { whyNoTty } from "../../serial/line/tty.ts";
import {
  type EndpointClient,
  type EndpointKind,
  type EndpointState,
  type Reach,
  type Surroundings,
  UNKNOWN_CLIENT,
} from "./endpoint.ts";
import { connectionPair } from "./pair.ts";

/** Buses of the kernel, of serial adapters, and of this process. */
export const canKind: EndpointKind = {
  name: "can",
  example: "can:can0",
  keys: ["bitrate", "wire", "baud"],
  takesHeader: false,
  isLookedAt: true,
  parse(text) {
    const bus = parseCanEndpoint(text);
    return {
      address: `can:${text.split(",", 1)[0]}`,
      lacks: () => lackOf(bus.place),
      open: (surroundings) => new CanReach(bus, surroundings),
    };
  },
};

/** What the kernel's buses and lines take; whether the kernel has CAN may be another matter tomorrow. */
function lackOf({ kind, channel }: BusPlace): string | undefined {
  if (kind === "slcan") return whyNoTty(channel);
  return kind === "socketcan" && !canCalls() ? whyNoCan(channel) : undefined;
}

/** One bus, opened for its first client and closed behind its last. */
class CanReach implements Reach {
  readonly #service: CanService;
  readonly #serving = new Set<Promise<void>>();

  constructor(bus: CanEndpoint, { engine, clock, logger, maxClients }: Surroundings) {
    const most = maxClients === undefined ? bus.maxClients : Math.min(maxClients, MOST_CAN_CLIENTS);
    this.#service = openCanService({ ...bus, maxClients: most }, {
      clock,
      logger,
      readiness: readinessOf(engine),
    }, engine);
  }

  connect({ client }: EndpointClient): Promise<Connection> {
    const [ours, theirs] = connectionPair();
    const served = this.#service.serve(theirs, client || UNKNOWN_CLIENT).finally(() => this.#serving.delete(served));
    this.#serving.add(served);
    return Promise.resolve(ours);
  }

  get state(): EndpointState {
    const { state, bitrate, trouble, clients, received, sent, lost } = this.#service.status;
    const speed = bitrate === undefined ? undefined : `${bitrate} bit/s`;
    return { state, detail: trouble ?? speed, counts: { members: clients, received, sent, lost } };
  }

  look(): Promise<void> {
    return this.#service.probe();
  }

  async close(): Promise<void> {
    this.#service.close();
    await Promise.all(this.#serving);
  }
}
