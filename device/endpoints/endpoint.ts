/**
 * What stands behind a service: an address that is dialled, or something else that takes a client's bytes.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { DatagramCounts, DatagramTotals } from "../../net/udp/counts.ts";
import type { Connection, Engine } from "../../net/socket.ts";

/** What a client is called where the server does not say who it is, as on v1. */
export const UNKNOWN_CLIENT = "?";

/** For whom a service is reached. */
export interface EndpointClient {
  /** The client's address, as the server says; it may be any text. */
  readonly client: string;
  /** The host port at which it came, likewise. */
  readonly hostAddress: string;
}

/** What an endpoint stands on. */
export interface Surroundings {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The service's name, or on v1 what the server dials. */
  readonly service: string;
  /** Clients that the service may have at once, if it says how many. */
  readonly maxClients: number | undefined;
  /** Where an endpoint that carries datagrams is counted among all. */
  readonly datagrams?: DatagramTotals | undefined;
}

/** How what stands behind a service is, and what became of it since it is offered. */
export interface EndpointState {
  /** Of a line or a bus: `open`; `gone`, and waited for; or `closed`, as nobody uses it. */
  readonly state?: "open" | "gone" | "closed" | undefined;
  /** How it is set, or what went wrong last, for people. */
  readonly detail?: string | undefined;
  /** How much there is of what, such as `users`, `lost` or `running`. */
  readonly counts: Readonly<Record<string, number>>;
}

/** The way to one service, for as long as the device runs. Its owner closes it. */
export interface Reach {
  /**
   * Opens a connection for one client.
   *
   * @param timeout Milliseconds.
   * @throws What says in one line why not; the signal's reason when it aborts. Nothing is left open then.
   */
  connect(client: EndpointClient, timeout: number, signal: AbortSignal): Promise<Connection>;
  /** Looks whether the service is up, where that can be done without a client. @throws If it is not. */
  readonly look?: ((timeout: number, signal: AbortSignal) => Promise<void>) | undefined;
  /** How it is, as far as its kind has anything to say. */
  readonly state?: EndpointState | undefined;
  /** What became of all datagrams, of an endpoint that carries any. */
  readonly datagrams?: DatagramCounts | undefined;
  /** What its endpoint {@linkcode Endpoint.lacks}: nobody ever comes to it. */
  readonly lacks?: string | undefined;
  /** Ends what does not end with its client, and hurries what has not ended yet. Idempotent. Resolves when all that is done. */
  close(): void | Promise<void>;
}

/** An endpoint as its owner wrote it. */
export interface Endpoint {
  /** What logs, events and the status call it, without its options. */
  readonly address: string;
  /** Whether it is one of UDP: what its channels carry are records of datagrams. */
  readonly isUdp?: boolean;
  /** What it takes that is not to be had here with an engine, for ever, in one line with what would do; absent: it takes nothing. */
  readonly lacks?: (engine: Engine) => string | undefined;
  /** Opens the way to it; nothing is dialled or started yet. */
  open(surroundings: Surroundings): Reach;
}

/** A kind of endpoint: what the registry has to know of it. */
export interface EndpointKind {
  /** What an endpoint of this kind begins with, before a colon. */
  readonly name: string;
  /** One as people write it, for messages. */
  readonly example: string;
  /** Its options that have a value, `KEY=VALUE`: a list of services is not split in front of them. */
  readonly keys: readonly string[];
  /** Whether the service can be told of its client by a PROXY header. */
  readonly takesHeader: boolean;
  /** Whether it can be looked at without a client; else `down=refuse` cannot be had. */
  readonly isLookedAt: boolean;
  /**
   * Reads what stands behind the colon, options included.
   *
   * @throws {SyntaxError} with what was wrong and what would do.
   */
  parse(text: string): Endpoint;
}
