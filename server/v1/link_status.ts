/**
 * What can be said of a v1 link on the server.
 *
 * @module
 */

import type { KeepAliveSettings } from "../../protocol/keep_alive.ts";
import type { TcpFacts } from "../../net/socket.ts";

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
  /** The longest silence accepted from the device, as the system has it; `undefined` where it cannot be asked. */
  readonly keepAlive: KeepAliveSettings | undefined;
  /** What the system says of the link's TCP; `undefined` where it cannot be asked. */
  readonly tcp: TcpFacts | undefined;
}
