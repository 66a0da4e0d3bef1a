/**
 * A CAN service at a port of this machine, without a relay: what python-can calls a `RemoteServer`.
 *
 * @module
 */

import { systemClock } from "../../base/clock.ts";
import { TCP_KEEP_ALIVE_MS } from "../../net/limits.ts";
import { Listener } from "../../net/listener.ts";
import { type EngineChoice, startEngine } from "../../net/engines.ts";
import { tcpTransport } from "../../net/transport.ts";
import { silentLogger } from "../../base/logger.ts";
import type { CanEndpoint } from "../endpoint.ts";
import { CAN_LINGER_MS, REMOTE_PORT } from "../limits.ts";
import { within } from "../../base/within.ts";
import type { CanClient, CanEvent } from "./events.ts";
import { type CanServiceOptions, openCanService } from "./service.ts";

/** How a bus is served. */
export interface ServeCanOptions extends CanServiceOptions {
  /** The bus, as in `can0`, `slcan:/dev/ttyACM0,500000` or `virtual:NAME`; see {@linkcode parseCanEndpoint}. */
  readonly bus: string | CanEndpoint;
  /** Where clients connect. @default {"0.0.0.0"} */
  readonly host?: string;
  /** The sockets: the best that there are (`auto`), or these and no others. @default {"auto"} */
  readonly engine?: EngineChoice;
  /** 0 for any free one. @default {54701} */
  readonly port?: number;
}

/** A bus that is served. */
export interface CanServer {
  /** Where clients connect, `HOST:PORT`. */
  readonly address: string;
  /** The port of that. */
  readonly port: number;
  /** The clients there are. */
  readonly clients: readonly CanClient[];
  /** Resolves when nothing is left of it; never rejects. */
  readonly closed: Promise<void>;
  /** Calls `subscriber` for every event from now on. @returns what ends that. */
  subscribe(subscriber: (event: CanEvent) => void): () => void;
  /** Opens the bus and closes it, where nobody is on it yet. @throws {BusError} with one line for people. */
  probe(): Promise<void>;
  /** Ends in order, within {@linkcode CAN_LINGER_MS} and a moment: clients are told in their own words. */
  shutdown(): Promise<void>;
  /** Ends at once. Idempotent. */
  close(): void;
}

/**
 * Serves a CAN bus to clients over TCP: python-can's remote interface in its three generations, cannelloni and socketcand,
 * told apart by their first bytes, and slcan where `bus` has `wire=slcan`.
 *
 * @throws {SyntaxError} if `bus` is none. {ListenError} if the address cannot be had. {EngineError} for an engine that cannot be had.
 *
 * @example
 * ```ts
 * import { serveCan } from "@sallyport/sallyport";
 *
 * const server = serveCan({ bus: "virtual:lab", host: "127.0.0.1", port: 0 });
 * server.subscribe((event) => event.type === "client" && console.log(event.client.address));
 * await server.shutdown();
 * ```
 */
export function serveCan(
  { bus, host = "0.0.0.0", port = REMOTE_PORT, engine = "auto", ...options }: ServeCanOptions,
): CanServer {
  const { clock = systemClock, logger = silentLogger } = options;
  const sockets = startEngine(engine, logger);
  const service = openCanService(bus, options, sockets);
  const serving = new Set<Promise<void>>();
  const listener = Listener.open(
    { host, port },
    sockets,
    clock,
    logger,
    (conn) => {
      const { duplex, remote } = tcpTransport(conn);
      const served = service.serve(duplex, remote).finally(() => serving.delete(served));
      serving.add(served);
    },
    { tcpKeepAlive: TCP_KEEP_ALIVE_MS },
  );
  const allServed = async () => {
    while (serving.size > 0) await Promise.all(serving);
  };
  const close = () => {
    listener.close();
    service.close();
  };
  return {
    address: listener.address,
    port: listener.port,
    get clients() {
      return service.clients;
    },
    closed: listener.ended.then(allServed),
    probe: () => service.probe(),
    subscribe: (subscriber) => service.subscribe(subscriber),
    shutdown: async () => {
      listener.close();
      service.shutdown();
      await within(clock, 2 * CAN_LINGER_MS, close, allServed).catch(() => {});
      await listener.ended;
    },
    close,
  };
}
