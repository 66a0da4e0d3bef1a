/**
 * The limits of a whole server, as its owner sets them.
 *
 * @module
 */

import type { ClientRate } from "../access/client_rates.ts";

/** The most that a server takes. Whoever comes when it is reached is refused, and nobody who is in is touched. */
export interface ServerLimits {
  /** Devices that are registered: beyond, none enrols. As many as come by default. */
  readonly devices?: number;
  /** Devices that are linked, or whose session waits for another link. As many as come by default. */
  readonly links?: number;
  /** Connections of clients and links of devices together; as many as the system gives descriptors for in any case. */
  readonly sockets?: number;
  /** Bytes of memory that the process has, as the system counts them (resident). As many as there are by default. */
  readonly memory?: number;
  /** Connections at all listeners for devices that may begin a handshake; as many at once. As many as come by default. */
  readonly handshakeRate?: ClientRate;
}

/** Each limit, by its name here, and as status, metrics, events and the audit call it. */
export const LIMIT_NAMES = {
  devices: "devices registered",
  links: "devices linked",
  sockets: "sockets",
  memory: "bytes of memory",
  handshakeRate: "handshakes at once",
} as const satisfies Record<keyof ServerLimits, string>;

/** The option that sets each. */
export const LIMIT_OPTIONS = {
  devices: "max-devices",
  links: "max-links",
  sockets: "max-sockets",
  memory: "max-memory",
  handshakeRate: "handshake-rate",
} as const satisfies Record<keyof ServerLimits, string>;

/** How much of one is in use. */
export interface LimitUse {
  /** As {@linkcode LIMIT_NAMES} has it. */
  readonly name: string;
  readonly used: number;
  /** The most there can be; `Infinity` where there is no bound. */
  readonly most: number;
}
