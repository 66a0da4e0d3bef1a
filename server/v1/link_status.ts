/**
 * What can be said of a v1 link on the server.
 *
 * @module
 */

import type { KeepAliveSettings } from "../../protocol/keep_alive.ts";
import type { TcpFacts } from "../../net/socket.ts";

/** A forward of a v1 listener: what clients find at its host port, if it is open. */
export interface ServedV1Service {
  /** The service, as the device dials it. */
  readonly localAddress: string;
  /** Where clients reach it; as configured while no device is linked. */
  readonly hostAddress: string;
  /** Whether its host port is open. */
  readonly open: boolean;
  /** Why not, if a device is linked and it is not. */
  readonly error: string | undefined;
  /** Clients that are there. */
  readonly clients: number;
}

/** A v1 link as it is now. */
export interface ServedV1Link {
  /** The address of its listener. */
  readonly listen: string;
  /** Where its device dialled from. */
  readonly device: string;
  /** Since when, by the wall clock, in milliseconds since 1970. */
  readonly since: number;
  /** Clients that are being served. */
  readonly clients: number;
  /** The listener's forwards. */
  readonly services: readonly ServedV1Service[];
  /** The longest silence accepted from the device, as the system has it; `undefined` where it cannot be asked. */
  readonly keepAlive: KeepAliveSettings | undefined;
  /** What the system says of the link's TCP; `undefined` where it cannot be asked. */
  readonly tcp: TcpFacts | undefined;
}
