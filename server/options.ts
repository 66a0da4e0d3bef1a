/**
 * What a server can be told, with the defaults.
 *
 * @module
 */

import type { Address } from "../protocol/address.ts";
import { type Clock, systemClock } from "../net/clock.ts";
import { HALF_CLOSE_TIMEOUT_MS, LINK_WRITE_TIMEOUT_MS, STALL_TIMEOUT_MS } from "../net/limits.ts";
import { type Logger, silentLogger } from "../net/logger.ts";

/** A host address that clients reach, and the local address on the device's side that it stands for. */
export interface Forward {
  /** HostAddress:HostPort, where the server listens for clients; port 0 picks a free one. */
  readonly hostAddress: Address;
  /** LocalAddress:LocalPort, which the device dials; it resolves names. */
  readonly localAddress: Address;
}

/** A listener for devices. */
export interface ListenOptions {
  /** ServerAddress:ServerPort, where devices dial in. */
  readonly address: Address;
  /** The wire profile that it speaks. */
  readonly profile: "v1";
  /** What its device is reached for. */
  readonly forwards: readonly Forward[];
}

/** Options of {@linkcode serve}. */
export interface ServeOptions {
  /** Listeners for devices; a v1 listener serves one device at a time. */
  readonly listen: readonly ListenOptions[];
  /**
   * Milliseconds that a client may hold its link before it is ended.
   *
   * @default {10_000}
   */
  readonly stallTimeout?: number;
  /**
   * Milliseconds without a byte after which a client that shut down its writing side is ended; 0 ends it at once, as the
   * original peers do.
   *
   * @default {5_000}
   */
  readonly halfCloseTimeout?: number;
  /**
   * Milliseconds that a device may take nothing before its link is given up; negative for ever.
   *
   * @default {60_000}
   */
  readonly linkWriteTimeout?: number;
  /** Where log lines go; nowhere by default. */
  readonly logger?: Logger;
  /** The time; this machine's by default. */
  readonly clock?: Clock;
}

/** {@linkcode ServeOptions} with nothing left open. */
export type ServerSettings = Required<ServeOptions>;

/** Fills in the defaults. */
export function serverSettings(options: ServeOptions): ServerSettings {
  return {
    listen: options.listen,
    stallTimeout: options.stallTimeout ?? STALL_TIMEOUT_MS,
    halfCloseTimeout: options.halfCloseTimeout ?? HALF_CLOSE_TIMEOUT_MS,
    linkWriteTimeout: options.linkWriteTimeout ?? LINK_WRITE_TIMEOUT_MS,
    logger: options.logger ?? silentLogger,
    clock: options.clock ?? systemClock,
  };
}
