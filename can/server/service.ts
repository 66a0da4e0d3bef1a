/**
 * A CAN service: one bus, and any number of clients on it, each with its own wire.
 *
 * @module
 */

import { type Clock, systemClock } from "../../base/clock.ts";
import { Emitter } from "../../base/emitter.ts";
import { type Logger, silentLogger } from "../../base/logger.ts";
import { chooseEngine } from "../../net/engines.ts";
import { dial } from "../../net/dial/dial.ts";
import type { Duplex, Engine } from "../../net/socket.ts";
import { type Backend, BusError } from "../bus/bus.ts";
import type { CanCalls } from "../bus/can_calls.ts";
import { type Readiness, readinessOf } from "../bus/readiness.ts";
import { serialAdapter } from "../bus/serial_adapter.ts";
import { slcanBackend } from "../bus/slcan.ts";
import { socketcanBackend } from "../bus/socketcan.ts";
import { virtualBackend } from "../bus/virtual.ts";
import { type BusPlace, type CanEndpoint, parseCanEndpoint } from "../endpoint.ts";
import { SLCAN_DIAL_MS } from "../limits.ts";
import { ServedClient } from "./client.ts";
import type { CanClient, CanEvent } from "./events.ts";
import { BusHub } from "./hub.ts";

/** What a service stands on; all of it has a default. */
export interface CanServiceOptions {
  /** Where log lines go. @default {silentLogger} */
  readonly logger?: Logger;
  /** Time. @default {systemClock} */
  readonly clock?: Clock;
  /** The system calls for buses of the kernel. @default those of this machine */
  readonly calls?: CanCalls;
  /** What tells when those can be read. @default the native engine's loop, or one thread of the runtime's pool for each */
  readonly readiness?: Readiness;
}

/** How a service stands. */
export interface CanStatus {
  /** `open`; `gone`, as something is wrong with it; `closed`, as nobody uses it. */
  readonly state: "open" | "gone" | "closed";
  /** Bits per second that it was told. */
  readonly bitrate: number | undefined;
  /** What is wrong with it. */
  readonly trouble: string | undefined;
  /** Clients that have the bus. */
  readonly clients: number;
  /** Frames from clients since the service is there. */
  readonly received: number;
  /** Frames to them. */
  readonly sent: number;
  /** Frames that they lost, as they were slow. */
  readonly lost: number;
}

/** Connections that have not opened the bus, for each client that may have it; more are closed. */
const CONNECTIONS_A_CLIENT = 2;

/**
 * Opens a service on the bus that `spec` names, as {@linkcode parseCanEndpoint} reads it. The bus itself is opened for the
 * first client.
 *
 * @param engine What reaches an adapter over TCP, and waits for the others.
 * @throws {SyntaxError} with what was wrong and what would do.
 */
export function openCanService(
  spec: string | CanEndpoint,
  options: CanServiceOptions = {},
  engine: Engine = chooseEngine("auto").engine,
): CanService {
  return new CanService(typeof spec === "string" ? parseCanEndpoint(spec) : spec, options, engine);
}

/** One bus, and its clients. */
export class CanService {
  /** What people call the bus. */
  readonly bus: string;
  readonly #endpoint: CanEndpoint;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #hub: BusHub;
  readonly #events: Emitter<CanEvent>;
  readonly #clients = new Set<ServedClient>();
  /** Frames of those who have gone. */
  readonly #gone = { received: 0, sent: 0, lost: 0 };
  #trouble: string | undefined;
  #closed: string | undefined;

  /** See {@linkcode openCanService}. */
  constructor(endpoint: CanEndpoint, options: CanServiceOptions, engine: Engine) {
    const { logger = silentLogger, clock = systemClock } = options;
    this.#endpoint = endpoint;
    this.#clock = clock;
    this.#log = logger;
    this.#events = new Emitter(logger);
    const backend = backendOf(endpoint.place, { readiness: readinessOf(engine), ...options, clock }, engine);
    const bus = this.bus = backend.name;
    this.#hub = new BusHub({
      backend,
      bitrate: endpoint.bitrate,
      listenOnly: endpoint.listenOnly,
      fd: endpoint.fd,
      clock,
      onOpen: (bitrate) => {
        this.#trouble = undefined;
        logger.info(bitrate === undefined ? "{bus} is open" : "{bus} is open at {bitrate} bit/s", { bus, bitrate });
        this.#events.emit({ type: "bus-open", bus, bitrate });
      },
      onTrouble: (error, gone) => {
        this.#trouble = error;
        logger.warn("{bus}: {error}", { bus, error, gone });
        this.#events.emit({ type: "bus-trouble", bus, error, gone });
      },
      onClose: () => {
        logger.info("{bus} is closed", { bus });
        this.#events.emit({ type: "bus-closed", bus });
      },
    });
  }

  /** The clients there are, those included that have not opened the bus yet. */
  get clients(): readonly CanClient[] {
    return [...this.#clients];
  }

  /** How it stands. */
  get status(): CanStatus {
    const counts = { ...this.#gone };
    let open = 0;
    for (const { isOpen, received, sent, lost } of this.#clients) {
      if (isOpen) open++;
      counts.received += received;
      counts.sent += sent;
      counts.lost += lost;
    }
    const { isOpen, bitrate, failure } = this.#hub;
    const trouble = this.#trouble ?? failure;
    const state = isOpen ? "open" : trouble === undefined ? "closed" : "gone";
    return { state, bitrate, trouble, clients: open, ...counts };
  }

  /** Calls `subscriber` for every event from now on. @returns what ends that. */
  subscribe(subscriber: (event: CanEvent) => void): () => void {
    return this.#events.subscribe(subscriber);
  }

  /**
   * Serves one client, whose connection it takes over. Resolves when that is closed; never rejects.
   *
   * @param address where it comes from, for people.
   */
  async serve(duplex: Duplex, address: string): Promise<void> {
    const { maxClients, wire: choice } = this.#endpoint;
    if (this.#closed !== undefined || this.#clients.size >= CONNECTIONS_A_CLIENT * maxClients) {
      this.#log.debug("client {address} is not served: {why}", {
        address,
        why: this.#closed ?? "too many connections",
      });
      return duplex.close();
    }
    const client = new ServedClient({
      duplex,
      address,
      choice,
      hub: this.#hub,
      clock: this.#clock,
      barred: () => this.#barred(),
      onOpen: (client) => {
        this.#log.info("client {address} has {bus}, by {wire}", { address, bus: this.bus, wire: client.wire });
        this.#events.emit({ type: "client", client });
      },
      onLoss: (client) =>
        this.#log.warn("client {address} is slower than {bus}: it loses the oldest frames", {
          address,
          bus: this.bus,
          wire: client.wire,
        }),
      onMistake: (client, error) => this.#log.debug("client {address}: {error}", { address, wire: client.wire, error }),
    });
    this.#clients.add(client);
    const reason = await client.run();
    this.#clients.delete(client);
    const { received, sent, lost } = client;
    this.#gone.received += received;
    this.#gone.sent += sent;
    this.#gone.lost += lost;
    this.#log.info("client {address} ended: {reason}", { address, reason, wire: client.wire, received, sent, lost });
    this.#events.emit({ type: "client-ended", client, reason });
  }

  /** Opens the bus and closes it, where nobody is on it yet. @throws {BusError} with one line for people. */
  probe(): Promise<void> {
    return this.#hub.probe();
  }

  #barred(): string | undefined {
    const { maxClients } = this.#endpoint;
    const open = this.#clients.values().filter(({ isOpen }) => isOpen).toArray().length;
    return open < maxClients ? undefined : `${this.bus} has ${maxClients} clients, and may have no more`;
  }

  /** Ends all clients in order, in their own words, and closes the bus. */
  shutdown(): void {
    this.#closed ??= "the service ends";
    for (const client of this.#clients) client.shutdown(this.#closed);
    this.#hub.close();
  }

  /** Ends all clients at once, and closes the bus. */
  close(): void {
    this.#closed ??= "the service is closed";
    for (const client of this.#clients) client.cut();
    this.#hub.close();
  }
}

function backendOf(
  place: BusPlace,
  options: CanServiceOptions & { readonly clock: Clock },
  engine: Engine,
): Backend {
  const { clock } = options;
  switch (place.kind) {
    case "socketcan":
      return socketcanBackend(place.channel, options);
    case "virtual":
      return virtualBackend(place.channel, clock);
    case "slcan": {
      const { channel, baud } = place;
      return slcanBackend(channel, serialAdapter(channel, baud, { clock }), clock);
    }
    case "slcan-tcp": {
      const { channel, address } = place;
      return slcanBackend(channel, async () => {
        const { signal } = new AbortController();
        return await dial(address, { engine, clock, timeout: SLCAN_DIAL_MS, signal }).catch((cause: unknown) => {
          throw new BusError(`${channel} cannot be reached: ${cause instanceof Error ? cause.message : cause}`, {
            cause,
          });
        });
      }, clock);
    }
  }
}
